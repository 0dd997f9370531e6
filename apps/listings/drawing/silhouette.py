"""Where a product is in the frame, so that a plan can ask whether a box would touch it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from apps.listings.drawing.plans import SIDE, Box, Product
from apps.listings.imaging.matte import Matte

CELL = 8  # pixels: the grid on which it is asked
AIR = 24  # pixels round the product that stay free


@dataclass(frozen=True)
class Silhouette:
    """A product placed in the frame. `box` is what its solid parts take."""

    box: Box
    _sums: npt.NDArray[np.float64]

    def meets(self, box: Box) -> bool:
        """Whether it comes nearer to the product than AIR. Four look-ups, however large the box."""
        grid = SIDE // CELL
        left, top = (max(0, min(grid, value // CELL)) for value in (box.left, box.top))
        right, bottom = (max(0, min(grid, -(-value // CELL))) for value in (box.right, box.bottom))
        sums = self._sums
        return bool(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] > 0)


def silhouette_of(matte: Matte, product: Product) -> Silhouette:
    left, top, right, bottom = matte.box
    width, height = matte.size
    scale = product.longer / max(width, height)
    box = Box(
        round(product.centre[0] - width * scale / 2),
        round(product.centre[1] - height * scale / 2),
        round(product.centre[0] + width * scale / 2),
        round(product.centre[1] + height * scale / 2),
    )
    grid = SIDE // CELL
    small = matte.solid[top:bottom, left:right].astype(np.uint8)
    size = (max(1, round(box.width / CELL)), max(1, round(box.height / CELL)))
    shown = cv2.resize(small, size, interpolation=cv2.INTER_AREA if scale * CELL < 1 else cv2.INTER_LINEAR)
    field = np.zeros((grid, grid), np.uint8)
    x, y = round(box.left / CELL), round(box.top / CELL)
    x0, y0, x1, y1 = max(0, x), max(0, y), min(grid, x + size[0]), min(grid, y + size[1])
    if x1 > x0 and y1 > y0:
        field[y0:y1, x0:x1] = shown[y0 - y : y1 - y, x0 - x : x1 - x]
    reach = 2 * (AIR // CELL) + 1
    near = cv2.dilate(field, np.ones((reach, reach), np.uint8))
    return Silhouette(box, np.asarray(cv2.integral(near), np.float64))
