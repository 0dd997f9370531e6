"""What can be told from a picture's pixels: its colours by name, its light, its shape."""

import colorsys
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from apps.simulator.photographs import Photograph

Colour = tuple[int, int, int]
HUES = ((0.04, "red"), (0.11, "amber"), (0.18, "golden yellow"), (0.30, "leaf green"), (0.45, "sea green"),
        (0.56, "teal"), (0.70, "blue"), (0.80, "violet"), (0.93, "rose"), (1.01, "red"))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Look:
    """`brightness`: dark, balanced, bright; `orientation`: landscape, portrait, square."""

    colours: tuple[str, ...]
    brightness: str
    orientation: str

    @classmethod
    def unseen(cls) -> "Look":
        return cls(colours=("warm sand", "soft white", "muted teal"), brightness="balanced", orientation="square")


@lru_cache(maxsize=256)
def look_at(photograph: Photograph) -> Look:
    picture = photograph.picture
    names = tuple(dict.fromkeys(colour_name(each) for each in palette(picture, count=5)))
    return Look(
        colours=names[:3],
        brightness=brightness(picture),
        orientation=orientation(photograph.width, photograph.height),
    )


def palette(picture: Image.Image, *, count: int) -> list[Colour]:
    """The commonest colours, most frequent first."""
    small = picture.resize((64, 64)).quantize(count, method=Image.Quantize.MEDIANCUT)
    values = small.getpalette() or []
    uses = small.histogram()
    ranked = sorted((place for place in range(count) if uses[place]), key=lambda place: -uses[place])
    return [(values[3 * place], values[3 * place + 1], values[3 * place + 2]) for place in ranked]


def brightness(picture: Image.Image) -> str:
    mean = sum(picture.convert("L").resize((16, 16)).tobytes()) / 256
    return "dark" if mean < 85 else "bright" if mean > 170 else "balanced"


def orientation(width: int, height: int) -> str:
    if abs(width - height) <= 0.08 * max(width, height):
        return "square"
    return "landscape" if width > height else "portrait"


def colour_name(colour: Colour) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    if lightness < 0.12:
        return "near-black"
    if lightness > 0.9:
        return "soft white"
    if saturation < 0.14:
        return "charcoal" if lightness < 0.35 else "stone grey" if lightness < 0.65 else "pale grey"
    if hue < 0.13 and (saturation < 0.65 or lightness < 0.3):
        return "dark umber" if lightness < 0.25 else "warm brown" if lightness < 0.55 else "warm sand"
    name = next(name for limit, name in HUES if hue < limit)
    return f"deep {name}" if lightness < 0.3 else f"pale {name}" if lightness > 0.7 else name
