"""What a file says of itself, before its pixels are looked at."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from apps.listings.imaging.matte import Picture
from apps.listings.rules.results import FAIL, PASS, WARN, Result

MOST_PIXELS = 120_000_000
_ORIENTATION = 0x0112
_SOURCE_TYPE = "DigitalSourceType"


@dataclass(frozen=True)
class Told:
    """`width`, `height` as it is shown; `rgb` its pixels in sRGB, upright, what is transparent on white."""

    format: str
    frames: int
    width: int
    height: int
    bytes: int
    mode: str
    profile: str
    has_alpha: bool
    orientation: int
    source_type: str
    rgb: Picture


def read(data: bytes) -> Told:
    """Raises OSError (also UnidentifiedImageError) for what is no picture, ValueError for one that is too large."""
    opened = Image.open(io.BytesIO(data))
    if opened.width * opened.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    orientation = int(opened.getexif().get(_ORIENTATION, 1) or 1)
    mode, profile = opened.mode, opened.info.get("icc_profile") or b""
    xmp = opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp") or b""
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp)
    frames, kind = int(getattr(opened, "n_frames", 1)), str(opened.format or "")
    upright = ImageOps.exif_transpose(opened)
    alpha = _alpha(upright)
    shown = _in_srgb(upright, profile)
    if alpha is not None:
        ground = Image.new("RGB", shown.size, "white")
        ground.paste(shown, mask=alpha)
        shown = ground
    return Told(
        format="JPEG" if kind == "MPO" else kind,
        frames=1 if kind == "MPO" else frames,
        width=upright.width,
        height=upright.height,
        bytes=len(data),
        mode=mode,
        profile=_profile_name(profile),
        has_alpha=alpha is not None and np.asarray(alpha).min() < 255,
        orientation=orientation,
        source_type=_between(text, _SOURCE_TYPE),
        rgb=np.array(shown),
    )


def judged(told: Told, limits: Mapping[str, Any]) -> list[Result]:
    """Every rule that the file's own figures answer."""
    longer, formats = max(told.width, told.height), limits["formats"]
    size = f"{told.width} × {told.height} px"
    return [
        _rule(
            "format",
            told.format in formats and told.frames == 1,
            f"{told.format or 'unknown'}{', animated' if told.frames > 1 else ''}",
            f"{', '.join(formats)}, still",
            fix="encode",
        ),
        _rule(
            "bytes",
            told.bytes <= limits["bytes"],
            f"{told.bytes / 1e6:.1f} MB",
            f"{limits['bytes'] / 1e6:.0f} MB or less",
            value=told.bytes,
            fix="encode",
        ),
        _rule(
            "size_min",
            longer >= limits["size_min"],
            size,
            f"{limits['size_min']} px or more",
            value=longer,
            fix="enlarge",
        ),
        _rule(
            "size_zoom",
            longer >= limits["size_zoom"],
            size,
            f"{limits['size_zoom']} px or more",
            value=longer,
            fix="enlarge",
            else_=WARN,
        ),
        _rule(
            "size_max",
            longer <= limits["size_max"],
            size,
            f"{limits['size_max']} px or less",
            value=longer,
            fix="reduce",
        ),
        _space(told),
        _rule("alpha", not told.has_alpha, "transparent in parts" if told.has_alpha else "none", "none", fix="flatten"),
        _rule(
            "orientation",
            told.orientation == 1,
            "upright" if told.orientation == 1 else f"turned by a tag ({told.orientation})",
            "upright",
            value=told.orientation,
            fix="turn",
        ),
        _rule(
            "provenance",
            bool(told.source_type),
            told.source_type.rpartition("/")[2] or "not written",
            "IPTC digital source type",
            fix="write_origin",
            else_=WARN,
        ),
    ]


def _rule(
    name: str, holds: bool, measured: str, limit: str, *, fix: str, value: float | None = None, else_: str = FAIL
) -> Result:
    return Result(name, PASS if holds else else_, measured, limit, value, fix="" if holds else fix)


def _space(told: Told) -> Result:
    name = f"{told.mode}{', ' + told.profile if told.profile else ', no profile'}"
    good = told.mode in ("RGB", "RGBA", "P") and (not told.profile or "srgb" in told.profile.lower())
    if told.mode in ("L", "LA") and not told.profile:
        return Result("colour_space", WARN, "grey", "sRGB", fix="convert")
    return Result("colour_space", PASS if good else FAIL, name, "sRGB, 8 bit", fix="" if good else "convert")


def _alpha(picture: Image.Image) -> Image.Image | None:
    if picture.mode in ("RGBA", "LA", "PA"):
        return picture.getchannel("A")
    if "transparency" in picture.info:
        return picture.convert("RGBA").getchannel("A")
    return None


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    plain = picture.convert("RGBA").convert("RGB") if picture.mode in ("P", "PA", "LA") else picture
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
            base = plain.convert("RGB") if plain.mode == "RGBA" else plain
            told = ImageCms.profileToProfile(base, source, target, outputMode="RGB", flags=flags)
            return told if told is not None else base.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return plain.convert("RGB")


def _profile_name(profile: bytes) -> str:
    if not profile:
        return ""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        return "unreadable profile"


def _between(text: str, name: str) -> str:
    start = text.find(f'{name}="')
    if start >= 0:
        begins = start + len(name) + 2
        return text[begins : text.find('"', begins)]
    start = text.find(f"{name}>")
    return text[start + len(name) + 1 : text.find("<", start)] if start >= 0 else ""
