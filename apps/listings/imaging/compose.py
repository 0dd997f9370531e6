"""A cut-out placed in a frame, at any size, in the light that eyes add up."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from apps.listings.imaging.colour import encoded, linear
from apps.listings.imaging.matte import Matte, Picture

SIDE = 2000  # pixels of every image that we make
FILL = 0.90  # of the frame's side that the product of a MAIN image takes; the rule asks for 0.85
LOPSIDED = 0.02  # of the side: how far the centre may follow the product's weight
SMALLEST_PRODUCT = 200  # pixels of its longer side in the photograph
ENLARGED, MUCH_ENLARGED = 1.6, 3.0
STEEPNESS = 2.2


@dataclass(frozen=True)
class Placed:
    """A product in a frame of `side` pixels: what is drawn, and where (left, top, right, bottom of what is solid).

    `scale`: how much larger than in its photograph.
    """

    rgb: Picture
    alpha: Picture
    box: tuple[int, int, int, int]
    scale: float

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.alpha >= 128)


def placed(matte: Matte, *, centre: tuple[float, float], longer: float, side: int = SIDE) -> Placed:
    """The product with its longer side of so many pixels, the centre of its box where it is asked for."""
    left, top, right, bottom = matte.box
    width, height = matte.size
    scale = longer / max(width, height)
    soft = round(8 / min(scale, 1)) + 2  # the rim beyond what is solid
    x0, y0 = max(0, left - soft), max(0, top - soft)
    x1, y1 = min(matte.alpha.shape[1], right + soft), min(matte.alpha.shape[0], bottom + soft)
    rgb, alpha = scaled(matte.rgb[y0:y1, x0:x1], matte.alpha[y0:y1, x0:x1], scale)
    at_x = round(centre[0] - (left - x0 + width / 2) * scale)
    at_y = round(centre[1] - (top - y0 + height / 2) * scale)
    frame = np.zeros((side, side, 3), np.uint8)
    cover = np.zeros((side, side), np.uint8)
    dx0, dy0 = max(0, at_x), max(0, at_y)
    dx1, dy1 = min(side, at_x + alpha.shape[1]), min(side, at_y + alpha.shape[0])
    if dx1 > dx0 and dy1 > dy0:
        frame[dy0:dy1, dx0:dx1] = rgb[dy0 - at_y : dy1 - at_y, dx0 - at_x : dx1 - at_x]
        cover[dy0:dy1, dx0:dx1] = alpha[dy0 - at_y : dy1 - at_y, dx0 - at_x : dx1 - at_x]
    box = (
        round(centre[0] - width * scale / 2),
        round(centre[1] - height * scale / 2),
        round(centre[0] + width * scale / 2),
        round(centre[1] + height * scale / 2),
    )
    return Placed(frame, cover, box, scale)


def scaled(rgb: Picture, alpha: Picture, scale: float) -> tuple[Picture, Picture]:
    """Made larger or smaller with its colours weighed by alpha, so that nothing of a hidden ground comes in."""
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    weight = alpha.astype(np.float32) / 255.0
    light = linear(rgb).astype(np.float32) * weight[..., None] if scale < 1 else rgb * weight[..., None]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    weighed = cover = np.clip(cv2.resize(weight, size, interpolation=how), 0, 1)
    if scale > 1:  # an enlarged rim would be a fog of that many pixels: it is made as narrow again as it was
        smooth = cv2.GaussianBlur(cover, (0, 0), 0.5 * scale)
        cover = np.clip((smooth - 0.5) * STEEPNESS * scale / 2 + 0.5, 0, 1)
    colour = cv2.resize(light.astype(np.float32), size, interpolation=how) / np.maximum(weighed, 1e-2)[..., None]
    shown = encoded(colour) if scale < 1 else np.clip(colour, 0, 255)
    return np.round(shown).astype(np.uint8), np.round(cover * 255).astype(np.uint8)


def main_image(matte: Matte) -> Placed:
    """The product in the middle of its frame, as large as a MAIN image wants it; things with a handle a little aside."""
    width, height = matte.size
    longer = FILL * SIDE
    left, top, _, _ = matte.box
    ys, xs = np.nonzero(matte.solid)
    weight = np.array([xs.mean() - left - width / 2, ys.mean() - top - height / 2]) / max(width, height)
    shift = np.clip(-weight * 0.25, -LOPSIDED, LOPSIDED) * SIDE
    room = (SIDE - np.array([width, height]) / max(width, height) * longer) / 2 - 0.03 * SIDE
    shift = np.clip(shift, -np.maximum(room, 0), np.maximum(room, 0))
    return placed(matte, centre=(SIDE / 2 + float(shift[0]), SIDE / 2 + float(shift[1])), longer=longer)


def on_white(product: Placed) -> Picture:
    """Laid on pure white: outside the product every pixel is 255."""
    return laid(np.full((*product.alpha.shape, 3), 255, np.uint8), product)


def laid(ground: Picture, product: Placed) -> Picture:
    """The product over a ground of the frame's size."""
    left, top, right, bottom = _reach(product)
    cover = (product.alpha[top:bottom, left:right].astype(np.float32) / 255.0)[..., None]
    picture = ground.copy()
    mixture = ground[top:bottom, left:right] * (1 - cover) + product.rgb[top:bottom, left:right] * cover
    picture[top:bottom, left:right] = np.round(mixture).astype(np.uint8)
    return picture


def _reach(product: Placed) -> tuple[int, int, int, int]:
    """Where in the frame it can be seen: its box and its soft rim."""
    height, width = product.alpha.shape
    left, top, right, bottom = product.box
    rim = 16 + round(16 * product.scale)
    return max(0, left - rim), max(0, top - rim), min(width, right + rim), min(height, bottom + rim)


def shadowed(ground: Picture, product: Placed, *, strength: float = 0.22, spread: float = 0.012) -> Picture:
    """A soft shadow where the product stands: below the lowest part of its outline, and nowhere else."""
    side = ground.shape[0]
    _, top, _, bottom = product.box
    mask = product.mask
    foot = mask[max(0, int(bottom - 0.04 * (bottom - top))) : min(side, bottom + 1)]
    columns = np.nonzero(foot.any(axis=0))[0]
    if not len(columns):
        return ground
    x0, x1 = int(columns.min()), int(columns.max())
    reach = round(side * spread * 4)
    y0, y1 = max(0, bottom - reach - round((x1 - x0) * 0.04)), min(side, bottom + reach + round((x1 - x0) * 0.04))
    shade = np.zeros((max(y1 - y0, 1), side), np.float32)
    for share, dark, deep in ((1.0, 0.55, 0.012), (0.86, 0.75, 0.006)):
        half = (x1 - x0) / 2 * share + side * 0.01
        axes = (max(2, round(half)), max(2, round(side * deep + half * 0.05)))
        layer = np.zeros_like(shade)
        cv2.ellipse(layer, ((x0 + x1) // 2, bottom - round(side * 0.002) - y0), axes, 0, 0, 360, dark, -1, cv2.LINE_AA)
        shade = np.maximum(shade, cv2.GaussianBlur(layer, (0, 0), side * spread * (1 if share == 1 else 0.5)))
    picture = ground.copy()
    darker = (1 - np.minimum(shade, 1) * strength * 1.6)[..., None]
    picture[y0:y1] = np.round(ground[y0:y1] * darker).astype(np.uint8)
    return picture
