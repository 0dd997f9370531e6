"""A cut-out made clean: its alpha tidied, and the colour of its rim freed of the ground it stood on.

A matting service gives the photograph's own colours with an alpha. At the rim those are a mixture of product and old
ground: laid on white as they are, they leave a dark or coloured halo.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_GONE, _SOLID = 0.04, 0.96  # alpha below and above which a pixel is ground or product
_ISLAND = 0.0005  # of the picture's area: smaller parts that stand apart are dust
_NEAR = 0.015  # of the picture's longer side: what is so near the product belongs to it
_PIT = 0.0002  # of the area: smaller holes in the product are faults of the cut-out
SMALLEST, LARGEST = 0.03, 0.92  # share of the photograph that a usable cut-out takes
CUT_SHARE = 0.01  # of a side of the frame that the product may touch


@dataclass(frozen=True)
class Matte:
    """A product freed of its ground: `rgb` (height, width, 3) and `alpha` (height, width) of 0 to 255, in its photograph's frame."""

    rgb: Picture
    alpha: Picture

    @cached_property
    def solid(self) -> Mask:
        return np.asarray(self.alpha >= 128)

    @property
    def share(self) -> float:
        """Of the photograph's area."""
        return float(self.solid.mean())

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of what is solid, without specks; all 0 when nothing is."""
        count, _, stats, _ = cv2.connectedComponentsWithStats(self.solid.astype(np.uint8))
        least = 0.001 * self.solid.size
        kept = [stats[index] for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= least]
        if not kept:
            return 0, 0, 0, 0
        return (
            int(min(each[0] for each in kept)),
            int(min(each[1] for each in kept)),
            int(max(each[0] + each[2] for each in kept)),
            int(max(each[1] + each[3] for each in kept)),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the product."""
        left, top, right, bottom = self.box
        return right - left, bottom - top

    def touched_sides(self) -> list[str]:
        """Sides of the frame that cut the product off."""
        solid = self.solid
        rims = {"top": solid[:2], "bottom": solid[-2:], "left": solid[:, :2], "right": solid[:, -2:]}
        sides = {"top": solid.shape[1], "bottom": solid.shape[1], "left": solid.shape[0], "right": solid.shape[0]}
        return [
            side
            for side, rim in rims.items()
            if rim.any(axis=0 if side in ("top", "bottom") else 1).sum() > CUT_SHARE * sides[side]
        ]

    def see_through(self) -> float:
        """Share of the product's inside that is half transparent: glass, mesh."""
        inner = cv2.erode(self.solid.astype(np.uint8), _disc(max(self.solid.shape) * 0.02)) > 0
        if not inner.any():
            return 0.0
        alpha = self.alpha[inner]
        return float(((alpha > 13) & (alpha < 242)).mean())

    def big_parts(self) -> int:
        """How many separate things of some size there are."""
        count, _, stats, _ = cv2.connectedComponentsWithStats(self.solid.astype(np.uint8))
        total = max(int(self.solid.sum()), 1)
        return sum(1 for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= 0.04 * total)


def refined(rgba: Picture, *, shrink: float = 0.0) -> Matte:
    """The cut-out with a clean alpha and its own colours up to the rim. `shrink`: pixels taken off its outline."""
    alpha = rgba[..., 3].astype(np.float32) / 255.0
    alpha = np.clip((alpha - _GONE) / (_SOLID - _GONE), 0.0, 1.0)
    alpha = _without_specks(alpha)
    if shrink:
        softened = cv2.GaussianBlur(alpha, (0, 0), shrink)
        alpha = np.minimum(alpha, np.clip((softened - 0.5) * 2, 0.0, 1.0))
    return Matte(_own_colours(rgba[..., :3], alpha), np.round(alpha * 255).astype(np.uint8))


def from_photograph(rgb: Picture) -> Picture | None:
    """Our own quick cut-out of a product on plain ground as (height, width, 4); None when the ground is too lively for it."""
    if not has_plain_ground(rgb):
        return None
    shown = cv2.medianBlur(rgb, 3)
    lab = cv2.cvtColor(shown, cv2.COLOR_RGB2LAB).astype(np.float32)
    ground = np.median(_ring(lab), axis=0)
    height, width = rgb.shape[:2]
    near = (np.linalg.norm((lab - ground) * np.array([100 / 255, 1, 1]), axis=-1) < 9.0).astype(np.uint8)
    edges = cv2.Canny(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), 40, 110)
    near[cv2.dilate(edges, np.ones((2, 2), np.uint8)) > 0] = 0
    flooded = np.zeros((height + 2, width + 2), np.uint8)
    reach = near.copy()
    for x, y in [(x, y) for x in range(0, width, 8) for y in (0, height - 1)] + [
        (x, y) for y in range(0, height, 8) for x in (0, width - 1)
    ]:
        if reach[y, x] == 1:
            cv2.floodFill(reach, flooded, (x, y), 2)
    solid = (reach != 2).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, _disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return None
    kept = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    alpha = cv2.GaussianBlur(kept.astype(np.float32) * 255, (0, 0), 1.2)
    return np.dstack([rgb, np.clip(alpha, 0, 255).astype(np.uint8)])


def has_plain_ground(rgb: Picture) -> bool:
    """Whether the outer twentieth of the photograph is one calm colour."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    ring = _ring(lab)
    away = np.linalg.norm((ring - np.median(ring, axis=0)) * np.array([100 / 255, 1, 1]), axis=-1)
    return bool((away < 6.0).mean() >= 0.92 and ring[:, 0].std() * 100 / 255 < 3.0)


def _ring(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    height, width = picture.shape[:2]
    rim = max(2, round(0.05 * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[rim:-rim, rim:-rim] = True
    return picture[~inside]


def _without_specks(alpha: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    area, longer = alpha.size, max(alpha.shape)
    seen = (alpha > 0.02).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(seen)
    if count > 2:
        main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        near = cv2.dilate((labels == main).astype(np.uint8), _disc(longer * _NEAR)) > 0
        for index in range(1, count):
            here = labels == index
            if index != main and stats[index, cv2.CC_STAT_AREA] < _ISLAND * area and not (here & near).any():
                alpha = np.where(here, 0.0, alpha).astype(np.float32)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.5).astype(np.uint8))
    for index in range(1, count):
        if stats[index, cv2.CC_STAT_AREA] < _PIT * area:
            alpha = np.where(labels == index, 1.0, alpha).astype(np.float32)
    return alpha


def _own_colours(rgb: Picture, alpha: npt.NDArray[np.float32]) -> Picture:
    """Every pixel that is not wholly product gets the colour of the product nearest to it.

    By averages over wider and wider surroundings, of solid pixels only: the narrowest that holds any counts.
    """
    colour = rgb.astype(np.float32)
    solid = cv2.erode((alpha >= 0.985).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    if not solid.any():
        return rgb
    found, weight = colour * solid[..., None], solid.copy()
    for sigma in (1.5, 3.0, 6.0, 12.0, 24.0):
        if (weight > 0).all():
            break
        blurred = cv2.GaussianBlur(colour * solid[..., None], (0, 0), sigma)
        near = cv2.GaussianBlur(solid, (0, 0), sigma)
        new = (weight == 0) & (near > 0.01)
        found[new] = blurred[new] / near[new][:, None]
        weight[new] = 1.0
    rim = (alpha > 0) & (alpha < 0.985)
    mixture = np.where(solid[..., None] > 0, colour, found)
    keep = np.clip(alpha, 0, 1)[..., None] ** 2  # what is almost product keeps most of its own detail
    own = np.where(rim[..., None], colour * keep + mixture * (1 - keep), mixture)
    own = np.where((alpha >= 0.985)[..., None], colour, own)
    return np.clip(own, 0, 255).astype(np.uint8)


def _disc(radius: float) -> npt.NDArray[np.uint8]:
    size = max(1, round(radius)) * 2 + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.uint8)
