"""The marketplaces' rules for images, each table with its version, the day it was read and where.

Official pages are marked so in `sources`; everything else was reported by others. Read again before each release.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Preset:
    """`limits`: the figures that rules are judged by. `main_only`: rules that hold for the first image alone.

    `side`: pixels of an exported image's side; `words`: whether images with text of ours may be shown there unasked.
    """

    platform: str
    title: str
    version: str
    read_on: date
    sources: tuple[str, ...]
    limits: Mapping[str, Any]
    rules: tuple[str, ...]
    main_only: frozenset[str]
    side: int
    most_images: int
    words: bool = True
    note: str = ""
    quality: int = 95
    forbidden: Mapping[str, str] = field(default_factory=dict)


_FILE = ("format", "bytes", "size_min", "size_zoom", "size_max", "colour_space", "alpha", "orientation")
_MAIN = frozenset({"background_white", "fill", "edge_cut", "overlay", "border", "items", "lost_edge", "halo"})

PRESETS = {
    preset.platform: preset
    for preset in (
        Preset(
            platform="amazon",
            title="Amazon",
            version="2026-11",
            read_on=date(2026, 11, 22),
            sources=(
                "Seller Central help JV4FNMT7563SF5F (file names; official)",
                "amalytix, mercatuslab, changethisfile, goatconsulting 2025-26 (reported)",
            ),
            limits={"fill": 0.85, "size_min": 500, "size_zoom": 1000, "size_max": 10_000, "bytes": 10_000_000,
                    "formats": ("JPEG", "PNG", "TIFF", "GIF")},
            rules=("background_white", "fill", "edge_cut", *_FILE, "overlay", "border", "items", "sharp", "halo",
                   "jagged", "lost_edge", "provenance", "marks"),
            main_only=_MAIN,
            side=2000,
            most_images=9,
            note="Suppressed most often: not white, under 85 %, text on the first image, several items, too small.",
        ),
        Preset(
            platform="ebay",
            title="eBay",
            version="2026-11",
            read_on=date(2026, 11, 22),
            sources=("eBay picture policy 4370 (official)", "eBay KB 1489, 2022 (official)", "12 MB: reported 2026"),
            limits={"size_min": 500, "size_zoom": 1000, "size_max": 9000, "bytes": 12_000_000,
                    "formats": ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF")},
            rules=(*_FILE, "overlay", "border", "sharp", "provenance"),
            main_only=frozenset(),
            side=1600,
            most_images=24,
            words=False,
            note="eBay forbids added text, borders and artwork on every photo.",
            quality=92,
        ),
        Preset(
            platform="etsy",
            title="Etsy",
            version="2026-11",
            read_on=date(2026, 11, 22),
            sources=("Etsy House Rules 253962679005 (official)", "2000 px, 10 MB, 10 images: reported 2026"),
            limits={"size_min": 500, "size_zoom": 2000, "size_max": 10_000, "bytes": 10_000_000,
                    "formats": ("JPEG", "PNG", "GIF")},
            rules=(*_FILE, "edge_cut", "sharp", "provenance"),
            main_only=frozenset({"edge_cut"}),
            side=2000,
            most_images=10,
            note="Thumbnails are cropped to 4:3: keep the middle free.",
            quality=92,
        ),
        Preset(
            platform="shopify",
            title="Shopify",
            version="2026-11",
            read_on=date(2026, 11, 22),
            sources=("Shopify help: 2048 px advised (official)", "5000 px, 20 MB: reported 2026"),
            limits={"size_min": 500, "size_zoom": 2048, "size_max": 5000, "bytes": 20_000_000,
                    "formats": ("JPEG", "PNG", "GIF", "WEBP", "HEIF")},
            rules=(*_FILE, "sharp", "provenance"),
            main_only=frozenset(),
            side=2048,
            most_images=250,
            quality=92,
        ),
    )
}  # fmt: skip


def preset_of(platform: str) -> Preset | None:
    return PRESETS.get(platform)
