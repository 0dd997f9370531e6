"""How an image stands to a marketplace: Amazon's rules were measured when it was made; the others follow from the same facts.

Nothing is decoded here: what another marketplace asks of the file is answered from the figures that were kept.
"""

from typing import Any

from apps.listings.models import ImageType, ListingImage
from apps.listings.rules.presets import Preset

WITH_WORDS = {ImageType.INFOGRAPHIC, ImageType.COMPARISON, ImageType.DIMENSIONS, ImageType.FEATURE}


def report_of(image: ListingImage, preset: Preset) -> dict[str, Any]:
    """`rules` as in rules/results.py, judged by this preset."""
    kept = {rule["rule"]: rule for rule in image.report.get("rules", [])}
    is_main = image.image_type == ImageType.MAIN
    wanted = [rule for rule in preset.rules if is_main or rule not in preset.main_only]
    rules = [_judged(kept[rule], image, preset) for rule in wanted if rule in kept]
    if not preset.words and image.image_type in WITH_WORDS and not any(rule["rule"] == "overlay" for rule in rules):
        rules.append(
            {
                "rule": "overlay",
                "title": "No text, logo or mark",
                "verdict": "fail",
                "measured": "text drawn by us",
                "limit": "none",
                "said": f"{preset.title} forbids added text: this image is left out unless you tick it.",
                "fix": "",
                "where": [],
            }
        )
    return {"platform": preset.platform, "presetVersion": preset.version, "rules": rules}


def _judged(rule: dict[str, Any], image: ListingImage, preset: Preset) -> dict[str, Any]:
    """A limit of another marketplace, on the same figure. Exports are made in its own size (preset.side)."""
    limits, name = preset.limits, rule["rule"]
    longer = max(image.width, image.height)
    told: dict[str, Any] = dict(rule)
    if name in ("size_min", "size_zoom", "size_max"):
        limit = int(limits[name])
        exported = max(longer, preset.side) if name != "size_max" else preset.side
        holds = exported <= limit if name == "size_max" else exported >= limit
        told["measured"] = rule["measured"] if longer == exported else f"{exported} px when exported"
        told["limit"] = f"{limit} px or {'less' if name == 'size_max' else 'more'}"
        told["verdict"] = "pass" if holds else ("warn" if name == "size_zoom" else "fail")
    elif name == "bytes":
        told["limit"] = f"{limits['bytes'] / 1e6:.0f} MB or less"
        told["verdict"] = "pass" if image.bytes <= limits["bytes"] else "fail"
    elif name == "format":
        told["limit"] = f"{', '.join(limits['formats'])}, still"
    return told
