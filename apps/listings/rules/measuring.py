"""An image against a marketplace's rules: every rule with its figure and its limit, from the bytes that were written."""

from typing import Any

from apps.listings.imaging.matte import Mask
from apps.listings.rules import files, pixels
from apps.listings.rules.presets import Preset
from apps.listings.rules.results import UNKNOWN, Result, summary

MEASURER = 1  # grows when the same picture would be judged otherwise


def measured(
    data: bytes, preset: Preset, *, is_main: bool, mask: Mask | None = None, pack_count: int = 1
) -> list[Result]:
    """`mask`: where our own cut-out is, in the image's pixels. Raises OSError, ValueError as of files.read."""
    told = files.read(data)
    results = {result.rule: result for result in files.judged(told, preset.limits)}
    wanted = [rule for rule in preset.rules if is_main or rule not in preset.main_only]
    if set(wanted) & _SEEN:
        scene = pixels.scene_of(told.rgb, mask)
        for rule in set(wanted) & _SEEN:
            results[rule] = _look(rule, scene, preset, pack_count)
    results["marks"] = Result(
        "marks", UNKNOWN, "cannot be read", "none", said="Look yourself: no badge and no Amazon mark."
    )
    return [results[rule] for rule in wanted if rule in results]


_SEEN = {
    "background_white", "fill", "edge_cut", "overlay", "border", "items", "sharp", "halo", "jagged", "lost_edge",
}  # fmt: skip


def _look(rule: str, scene: pixels.Scene, preset: Preset, pack_count: int) -> Result:
    if rule == "fill":
        return pixels.fill(scene, float(preset.limits["fill"]))
    if rule == "items":
        return pixels.items(scene, pack_count)
    if rule == "background_white":
        return pixels.background(scene)
    return {
        "edge_cut": pixels.edge_cut,
        "overlay": pixels.overlay,
        "border": pixels.border,
        "sharp": pixels.sharp,
        "halo": pixels.halo,
        "jagged": pixels.jagged,
        "lost_edge": pixels.lost_edge,
    }[rule](scene)


def as_report(results: list[Result], preset: Preset) -> dict[str, Any]:
    return {
        "platform": preset.platform,
        "presetVersion": preset.version,
        "measurer": MEASURER,
        "rules": [result.as_json() for result in results],
        "summary": summary(results),
    }
