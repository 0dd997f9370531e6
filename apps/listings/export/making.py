"""What goes into an export, frozen: which versions under which names, what was measured, where all of it comes from."""

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from apps.core.errors import Problem
from apps.listings import keeping
from apps.listings.aplus.document import document, file_name, uploads
from apps.listings.export.names import ORDER, image_name, stem_of
from apps.listings.export.zipping import Entry
from apps.listings.models import APlusPage, ListingImage, Project
from apps.listings.reports import WITH_WORDS, report_of
from apps.listings.rules.presets import PRESETS, Preset
from apps.listings.standing import stand_of
from apps.providers.models import Call

SCHEMA = 1
OWN_SIDE = 2000


@dataclass(frozen=True)
class Frozen:
    """`entries` in the order of the archive; `warnings` are for the one who exports."""

    entries: tuple[Entry, ...]
    name: str
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def digest(self) -> str:
        told = [(entry.name, entry.crc, entry.size) for entry in self.entries]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def images_for(project: Project, platform: str, *, with_words: bool) -> tuple[list[ListingImage], list[str]]:
    """The chosen versions in the marketplace's order, and what is left out and why. Problem 409 when MAIN is not there.

    An image whose product differs from the photograph goes only where its seller chose it in spite of that.
    """
    preset, chosen = PRESETS[platform], {slot.image_type: slot.chosen for slot in stand_of(project).slots}
    images, left_out = [], []
    for kind in ORDER:
        image = chosen.get(kind)
        if image is None:
            continue
        if kind in WITH_WORDS and not preset.words and not with_words:
            left_out.append(f"{kind.label}: {preset.title} forbids added text.")
        elif image.drift.get("verdict") == "different":
            left_out.append(f"{kind.label}: its product differs from your photo.")
        else:
            images.append(image)
    if not images or images[0].image_type != ORDER[0]:
        raise Problem(
            409,
            "export_not_ready",
            "There is no main image yet, and no marketplace takes a listing without one.",
            "Make the pack, then export it.",
        )
    return images[: preset.most_images], left_out


def freeze(
    project: Project, platform: str, files: Sequence[tuple[ListingImage, str]], left_out: Sequence[str]
) -> Frozen:
    """`files`: each image with the path of its file in the marketplace's size."""
    preset = PRESETS[platform]
    named = stem_of(project, platform)
    entries, listed = [], []
    for place, (image, path) in enumerate(files, start=1):
        data = keeping.read(path)
        name = image_name(named.stem, platform, image.image_type, place)
        entries.append(Entry(f"images/{name}", len(data), zlib.crc32(data), path=path))
        listed.append((image, name, data))
    warnings = (named.warning,) if named.warning else ()
    entries += aplus_entries(project) if platform == "amazon" else []
    texts = {
        "README.txt": _readme(preset, warnings, left_out),
        "compliance.csv": _csv(listed, preset),
        "compliance.html": _html(project, listed, preset),
        "manifest.json": _manifest(project, listed, preset),
    }
    for name, text in texts.items():
        data = text.encode()
        entries.append(Entry(name, len(data), zlib.crc32(data), text=data))
    return Frozen(
        tuple(sorted(entries, key=lambda entry: entry.name)), f"{named.stem}_{platform}.zip", warnings, tuple(left_out)
    )


def aplus_entries(project: Project) -> list[Entry]:
    """Pages that Amazon would take: the document with its uploads; of premium ones the pictures and their texts."""
    entries = []
    for page in APlusPage.objects.filter(project=project, status=APlusPage.Status.READY).order_by("created_at"):
        folder = f"aplus/{page.locale}{'-premium' if page.premium else ''}"
        files = {path: keeping.read(path) for path in page.paths()}
        for place, module in enumerate(page.modules):
            for name, kept in (module.get("pictures") or {}).items():
                data = files[kept["path"]]
                entries.append(
                    Entry(f"{folder}/images/{file_name(place, name)}", len(data), zlib.crc32(data), kept["path"])
                )
        told = (
            {"modules": page.modules} if page.premium else document(page.modules, name=project.name, locale=page.locale)
        )
        texts = {f"{folder}/{'fields' if page.premium else 'document'}.json": told}
        if not page.premium:
            texts[f"{folder}/uploads.json"] = uploads(page.modules, files, folder=folder)  # type: ignore[assignment]
        for name, value in texts.items():
            data = (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()
            entries.append(Entry(name, len(data), zlib.crc32(data), text=data))
    return entries


def as_json(frozen: Frozen) -> dict[str, Any]:
    entries = [asdict(entry) | {"text": entry.text.decode()} for entry in frozen.entries]
    return {
        "name": frozen.name,
        "entries": entries,
        "warnings": list(frozen.warnings),
        "leftOut": list(frozen.left_out),
    }


def from_json(told: dict[str, Any]) -> Frozen:
    entries = tuple(Entry(**(entry | {"text": entry["text"].encode()})) for entry in told["entries"])
    return Frozen(entries, told["name"], tuple(told["warnings"]), tuple(told["leftOut"]))


Listed = Sequence[tuple[ListingImage, str, bytes]]


def _manifest(project: Project, listed: Listed, preset: Preset) -> str:
    """Where every file comes from. No moment of the export, no host and no mail stand in it: it is the same each time."""
    told = {
        "schema": SCHEMA,
        "sku": project.sku,
        "project": str(project.pk),
        "platform": preset.platform,
        "presetVersion": preset.version,
        "isRender": project.is_render,
        "files": [_told_of(image, name, data, preset) for image, name, data in listed],
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def _told_of(image: ListingImage, name: str, data: bytes, preset: Preset) -> dict[str, Any]:
    calls = Call.objects.filter(job_id=image.job_id).order_by("created_at") if image.job_id else []
    return {
        "name": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "side": preset.side if preset.side != OWN_SIDE else image.width,
        "imageType": image.image_type,
        "style": image.style,
        "version": image.number,
        "versionId": str(image.pk),
        "madeBy": image.made_by,
        "madeAt": image.created_at.isoformat(),
        "digitalSourceType": image.source_type,
        "drift": {key: image.drift[key] for key in ("verdict", "said", "productPixels") if key in image.drift},
        "rules": {rule["rule"]: rule["verdict"] for rule in report_of(image, preset)["rules"]},
        "costUsd": None if image.cost_usd is None else f"{image.cost_usd.normalize():f}",
        "simulated": image.simulated,
        "calls": [{"id": str(call.pk), "provider": call.provider, "model": call.model_asked} for call in calls],
        **image.provenance,
    }


def _csv(listed: Listed, preset: Preset) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "rule", "verdict", "measured", "limit", "preset"])
    for image, name, _ in listed:
        for rule in report_of(image, preset)["rules"]:
            row = [name, rule["rule"], rule["verdict"], rule["measured"], rule["limit"], preset.version]
            writer.writerow([f"'{cell}" if str(cell)[:1] in "=+-@" else cell for cell in row])
    return file.getvalue()


def _html(project: Project, listed: Listed, preset: Preset) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(rule['title'])}</td><td>{escape(rule['verdict'])}</td>"
        f"<td>{escape(rule['measured'])}</td><td>{escape(rule['limit'])}</td></tr>\n"
        for image, name, _ in listed
        for rule in report_of(image, preset)["rules"]
    )
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(project.name)}: {escape(preset.title)}</title>\n'
        "<style>body{font:15px/1.5 sans-serif;margin:2rem}table{border-collapse:collapse}"
        "td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}</style>\n"
        f"<h1>{escape(project.name)}</h1>\n<p>Judged by {escape(preset.title)}'s rules as read on {preset.read_on}: "
        f"{escape('; '.join(preset.sources))}.</p>\n"
        f"<table><tr><th>File<th>Rule<th>Result<th>Measured<th>Limit</tr>\n{rows}</table>\n</html>\n"
    )


def _readme(preset: Preset, warnings: Sequence[str], left_out: Sequence[str]) -> str:
    lines = [
        f"Images for {preset.title}.",
        "",
        "aplus/           document.json is the body for Amazon's A+ API; uploads.json names its pictures (when there is a page)",
        "images/          upload these, in the order of their names",
        "compliance.html  every rule with its figure and limit; compliance.csv is the same as a table",
        "manifest.json    where each file comes from: models, prompts, costs, hashes",
        "",
        *([preset.note, ""] if preset.note else []),
        *([f"Note: {warning}" for warning in warnings]),
        *([f"Left out: {reason}" for reason in left_out]),
    ]
    return "\n".join(lines).rstrip() + "\n"
