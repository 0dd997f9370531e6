"""Pictures for the slots of an A+ page: other crops than the gallery's, none like another."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from apps.listings.aplus.modules import MODULES, Picture
from apps.listings.drawing.styles import Look, look_of
from apps.listings.hexes import Rgb
from apps.listings.imaging.colour import mixed
from apps.listings.imaging.compose import laid, placed, shadowed
from apps.listings.imaging.matte import Matte
from apps.listings.imaging.matte import Picture as Array

# Where the middle of the product is in the slot, as shares of it, and how large it is: whole first, then nearer parts.
_VIEWS = (
    (0.70, 0.52, 0.80), (0.50, 0.50, 1.55), (0.30, 0.62, 1.30), (0.68, 0.36, 1.75), (0.50, 0.52, 0.72),
    (0.40, 0.30, 2.10), (0.64, 0.66, 2.30), (0.28, 0.50, 0.90), (0.56, 0.80, 1.40), (0.44, 0.46, 2.70),
)  # fmt: skip


def slots_of(kind: str) -> tuple[Picture, ...]:
    return MODULES[kind].pictures


class Composer:
    """Gives another picture each time."""

    def __init__(self, matte: Matte, *, style: str, kit: Sequence[str]) -> None:
        red, green, blue = (round(float(each)) for each in matte.rgb[matte.solid].mean(axis=0))
        self._matte, self._look = matte, look_of(style, product=(red, green, blue), kit=kit)
        self._turn = itertools.count()

    def next(self, width: int, height: int) -> Array:
        turn = next(self._turn)
        x, y, size = _VIEWS[turn % len(_VIEWS)]
        size *= 1 + 0.06 * (turn // len(_VIEWS))
        side = max(width, height)
        ground = _ground(self._look, side, turn)
        wide, high = self._matte.size
        reach = min(width, height) * 0.92 * size
        longer = reach * (max(wide, high) / high if width > height else max(wide, high) / max(wide, 1))
        # The slot is the middle of a square frame: the product is placed in it as the view says.
        centre = ((side - width) / 2 + width * x, (side - height) / 2 + height * y)
        shown = placed(self._matte, centre=centre, longer=longer, side=side)
        picture = laid(shadowed(ground, shown), shown)
        top, left = (side - height) // 2, (side - width) // 2
        return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _ground(look: Look, side: int, turn: int) -> Array:
    """The style's sheet, lit from another side each time."""
    first, second = _tones(look, turn)
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    across, down = np.meshgrid(ramp, ramp)
    way = (across + down) / 2 if turn % 2 else (1 - across + down) / 2
    picture = np.asarray(first, np.float32) * (1 - way[..., None]) + np.asarray(second, np.float32) * way[..., None]
    grain = cv2.resize(
        np.random.default_rng(turn).normal(0, 1.2, (side // 2, side // 2)).astype(np.float32), (side, side)
    )
    return np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)


def _tones(look: Look, turn: int) -> tuple[Rgb, Rgb]:
    darker = mixed(look.ground, look.ink, 0.10 + 0.03 * (turn % 3))
    return (look.ground, darker) if turn % 3 else (darker, look.ground)
