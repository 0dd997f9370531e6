"""What can be seen in an image: its ground, its product, and what does not belong there.

Where our own cut-out is known its mask is used; else the ground is what is nearly white and hangs together with the border.
Thresholds are starting values, set on the images that tests/listings/judged.py makes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from apps.listings.imaging.colour import difference, lab
from apps.listings.imaging.matte import Mask, Picture
from apps.listings.rules.results import FAIL, PASS, UNKNOWN, WARN, Result

BAND = 8  # pixels round the product that may be off white by what JPEG does to an edge
NEAR_WHITE = 230
FULL_FRAME = 0.97
_EDGE_CONTRAST = 30
Where = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Scene:
    """`product`: where it is. `ground`: everything else. `known`: from our own cut-out, not guessed from the pixels."""

    rgb: Picture
    product: Mask
    ground: Mask
    known: bool

    @property
    def side(self) -> int:
        return max(self.rgb.shape[:2])


def scene_of(rgb: Picture, mask: Mask | None = None) -> Scene:
    if mask is not None:
        return Scene(rgb, mask, ~mask, True)
    light = rgb.min(axis=2) >= NEAR_WHITE
    height, width = light.shape
    framed = np.pad(light, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(framed, connectivity=4)
    ground = (labels == labels[0, 0])[1 : height + 1, 1 : width + 1]
    ground &= light
    return Scene(rgb, ~ground, ground, False)


def background(scene: Scene) -> Result:
    """Every pixel of the ground away from the product, and the rim of the frame whatever stands there."""
    reach = max(BAND, round(scene.side * BAND / 2000))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    solid = _without_dust(scene)
    near = cv2.dilate(solid.astype(np.uint8), kernel) > 0
    looked = ~near
    rim = max(1, round(0.02 * min(scene.rgb.shape[:2])))
    if not scene.known:
        edge = np.ones_like(looked)
        edge[rim:-rim, rim:-rim] = False
        looked = looked | (edge & ~_at_edge(solid, rim, reach))
    if not looked.any():
        return Result("background_white", FAIL, "no ground is seen", "100 % pure white", 0.0, fix="cutout")
    white = (scene.rgb == 255).all(axis=2)
    bad = looked & ~white
    share = 1 - bad.sum() / looked.sum()
    band = near & ~solid
    band_ok = not scene.known or not band.any() or (scene.rgb.min(axis=2)[band] >= 250).mean() >= 0.9
    verdict = PASS if not bad.any() else FAIL
    measured = f"{np.floor(share * 10000) / 100:.2f} % at 255"
    said = "" if band_ok else "Close to the product it is a little off white."
    return Result(
        "background_white",
        verdict,
        measured,
        "100 %",
        float(share),
        _boxes(bad),
        "whiten" if verdict == FAIL else "",
        said,
    )


def _at_edge(solid: Mask, rim: int, reach: int) -> Mask:
    """Product that runs into the rim is the product's fault, not the ground's."""
    touching = solid.copy()
    touching[rim:-rim, rim:-rim] = False
    return np.asarray(cv2.dilate(touching.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0)


def _without_dust(scene: Scene) -> Mask:
    """The product without specks that stand apart: those are blemishes of the ground."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(scene.product.astype(np.uint8))
    least = 0.001 * scene.product.size
    kept = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= least]
    return np.isin(labels, kept)


def fill(scene: Scene, limit: float) -> Result:
    box = _box(_without_dust(scene))
    if box is None:
        return Result("fill", FAIL, "no product found", f"{limit:.0%} or more", 0.0)
    height, width = scene.product.shape
    share = max((box[2] - box[0]) / width, (box[3] - box[1]) / height)
    area = float(scene.product.mean())
    verdict = PASS if share >= limit else FAIL
    if share > FULL_FRAME and verdict == PASS:
        verdict = WARN
    measured = f"{np.floor(share * 1000) / 10:.1f} % of the side, {area:.0%} of the area"
    return Result(
        "fill", verdict, measured, f"{limit:.0%} or more", float(share), fix="" if verdict == PASS else "recompose"
    )


def edge_cut(scene: Scene) -> Result:
    solid = _without_dust(scene)
    height, width = solid.shape
    rims = {"top": solid[:2].any(axis=0).sum() / width, "bottom": solid[-2:].any(axis=0).sum() / width,
            "left": solid[:, :2].any(axis=1).sum() / height, "right": solid[:, -2:].any(axis=1).sum() / height}  # fmt: skip
    cut = [side for side, share in rims.items() if share > 0.01]
    said = "It is cut in the photo; only another photo helps." if cut else ""
    return Result(
        "edge_cut",
        FAIL if cut else PASS,
        f"cut at the {', '.join(cut)}" if cut else "whole",
        "whole",
        max(rims.values()),
        said=said,
    )


def border(scene: Scene) -> Result:
    """Straight lines of one colour along three sides or more, near the edge."""
    height, width = scene.rgb.shape[:2]
    grey = cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    reach = max(3, round(0.06 * min(height, width)))
    sides = 0
    for turns in range(4):
        turned = np.rot90(grey, turns)
        ends = turned.shape[1] // 20  # a frame does not reach the corners of the picture
        strip, behind = turned[:reach, ends:-ends], turned[reach : 2 * reach, ends:-ends]
        steady = strip.std(axis=1) < 4
        dark = np.abs(strip.mean(axis=1) - np.median(behind)) > 12
        sides += bool((steady & dark).any())
    return Result(
        "border",
        FAIL if sides >= 3 else PASS,
        f"on {sides} sides" if sides >= 3 else "none",
        "none",
        float(sides),
        fix="recompose" if sides >= 3 else "",
    )


def items(scene: Scene, pack_count: int) -> Result:
    count, _, stats, _ = cv2.connectedComponentsWithStats(
        cv2.morphologyEx(scene.product.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    )
    total = max(int(scene.product.sum()), 1)
    big = sum(1 for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= 0.08 * total)
    good = big <= max(1, pack_count)
    said = "" if good else "If it is a set, say so among the facts: pack_count."
    return Result("items", PASS if good else WARN, f"{big} separate", f"{max(1, pack_count)}", float(big), said=said)


def overlay(scene: Scene) -> Result:
    """Lines of small parts of one height beside the product: text. On the product itself it cannot be told from a label."""
    solid = _main_body(scene)
    rest = (scene.product & ~cv2.dilate(solid.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)).astype(
        np.uint8
    )
    count, _, stats, _ = cv2.connectedComponentsWithStats(rest)
    side = scene.side
    small = [
        stats[index]
        for index in range(1, count)
        if 0.004 * side <= stats[index, cv2.CC_STAT_HEIGHT] <= 0.1 * side and stats[index, cv2.CC_STAT_AREA] >= 8
    ]
    lines = _lines(small)
    lone = [
        stats[index]
        for index in range(1, count)
        if stats[index, cv2.CC_STAT_AREA] > 0.002 * side * side
        and stats[index, cv2.CC_STAT_AREA] < 0.08 * max(int(solid.sum()), 1)
    ]
    height, width = scene.product.shape
    where: Where = tuple(
        (float(a / width), float(b / height), float(c / width), float(d / height)) for a, b, c, d in lines
    )
    if lines:
        return Result(
            "overlay",
            FAIL,
            f"text in {len(lines)} {'place' if len(lines) == 1 else 'places'}",
            "none",
            float(len(lines)),
            where,
            "recompose",
        )
    if lone:
        return Result("overlay", WARN, "something stands apart", "none", float(len(lone)), fix="recompose")
    return Result("overlay", PASS, "none found beside the product", "none", 0.0)


def _lines(parts: list[npt.NDArray[np.int32]]) -> list[tuple[int, int, int, int]]:
    """Rows of four parts or more that share a base line and about a height."""
    found, left = [], sorted(parts, key=lambda part: (int(part[1] + part[3]), int(part[0])))
    while left:
        first = left.pop(0)
        base, high = first[1] + first[3], first[3]
        row = [part for part in left if abs(part[1] + part[3] - base) <= 0.45 * high and 0.45 <= part[3] / high <= 2.2]
        if len(row) >= 3:
            every = [first, *row]
            box = (
                min(p[0] for p in every),
                min(p[1] for p in every),
                max(p[0] + p[2] for p in every),
                max(p[1] + p[3] for p in every),
            )
            if box[2] - box[0] > 1.5 * high:
                found.append(box)
                left = [part for part in left if not any(part is one for one in row)]
    return found


def sharp(scene: Scene) -> Result:
    """How many pixels strong edges of the product take to change: the ninetieth of a hundred."""
    grey = cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inner = cv2.erode(scene.product.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if inner.sum() < 1000:
        return Result("sharp", UNKNOWN, "too little is seen", "edges of 5 px or less")
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(grey, cv2.CV_32F, 0, 1) / 8
    slope = np.hypot(gx, gy)
    reach = np.ones((17, 17), np.uint8)
    contrast = cv2.dilate(grey, reach) - cv2.erode(grey, reach)
    peaks = (
        inner
        & (contrast > _EDGE_CONTRAST * 2)
        & (slope >= cv2.dilate(slope, np.ones((9, 9), np.uint8)) * 0.999)
        & (slope > 1.5)
    )
    if peaks.sum() < 60:
        return Result("sharp", UNKNOWN, "no strong edges", "edges of 5 px or less")
    widths = contrast[peaks] / np.maximum(slope[peaks] * 2, 0.01)
    width = float(np.percentile(widths, 35))
    scale = 2000 / scene.side
    width *= scale
    verdict = PASS if width <= 9 else WARN if width <= 16 else FAIL
    return Result("sharp", verdict, f"edges of {width / 2:.1f} px", "edges of 5 px or less", width)


def lost_edge(scene: Scene) -> Result:
    """Where the product is as white as its ground, its outline is lost; it is not darkened, so another photo helps."""
    ring = _ring(scene.product, 1, 4)
    if not ring.any():
        return Result("lost_edge", UNKNOWN, "no outline", "less than 25 % of the outline")
    lightness = lab(scene.rgb[ring])[:, 0]
    share = float((lightness > 97).mean())
    said = "Photograph it on mid-grey: then its outline stays." if share > 0.25 else ""
    return Result(
        "lost_edge", WARN if share > 0.25 else PASS, f"{share:.0%} of the outline", "less than 25 %", share, said=said
    )


def halo(scene: Scene) -> Result:
    """A rim that is of another colour than the product just inside it, in a tenth of the outline's sectors or more."""
    if not scene.known:
        return Result("halo", UNKNOWN, "its own cut-out is not known", "less than 10 % of the outline")
    distance = cv2.distanceTransform(scene.product.astype(np.uint8), cv2.DIST_L2, 3)
    scale = scene.side / 2000
    rim, inside = (distance > 1.5 * scale) & (distance <= 4 * scale), (distance > 8 * scale) & (distance <= 14 * scale)
    ys, xs = np.nonzero(scene.product)
    if not len(ys) or not inside.any():
        return Result("halo", UNKNOWN, "the product is too thin", "less than 10 % of the outline")
    cy, cx = ys.mean(), xs.mean()
    bad = looked = 0
    rim_y, rim_x = np.nonzero(rim)
    in_y, in_x = np.nonzero(inside)
    rim_at = ((np.arctan2(rim_y - cy, rim_x - cx) + np.pi) / (2 * np.pi) * 64).astype(int) % 64
    in_at = ((np.arctan2(in_y - cy, in_x - cx) + np.pi) / (2 * np.pi) * 64).astype(int) % 64
    rim_lab, in_lab = lab(scene.rgb[rim_y, rim_x]), lab(scene.rgb[in_y, in_x])
    for sector in range(64):
        a, b = rim_lab[rim_at == sector], in_lab[in_at == sector]
        if len(a) < 12 or len(b) < 12:
            continue
        looked += 1
        lighter = np.median(a, axis=0)[0] - np.median(b, axis=0)[0]
        bad += bool(difference(np.median(a, axis=0), np.median(b, axis=0)) > 12 and lighter > 8)
    share = bad / looked if looked else 0.0
    return Result(
        "halo",
        WARN if share > 0.3 else PASS,
        f"{share:.0%} of the outline",
        "less than 30 %",
        share,
        fix="trim" if share > 0.3 else "",
    )


def jagged(scene: Scene) -> Result:
    """An outline without soft pixels: what was cut with scissors."""
    if not scene.known:
        return Result("jagged", UNKNOWN, "its own cut-out is not known", "less than 60 % hard steps")
    outline = _ring(scene.product, 0, 1.5)
    outside = _ring(~scene.product, 0, 1.5)
    if not outline.any() or not outside.any():
        return Result("jagged", UNKNOWN, "no outline", "less than 60 % hard steps")
    hard = float((scene.rgb[outside].min(axis=1) >= 254).mean())
    return Result("jagged", WARN if hard > 0.9 else PASS, f"{hard:.0%} hard steps", "less than 90 %", hard)


def _ring(mask: Mask, low: float, high: float) -> Mask:
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray((distance > low) & (distance <= high))


def _main_body(scene: Scene) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(scene.product.astype(np.uint8))
    if count < 2:
        return np.zeros_like(scene.product)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= 0.25 * areas.max()]
    return np.isin(labels, kept)


def _box(mask: Mask) -> tuple[int, int, int, int] | None:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _boxes(bad: Mask, *, most: int = 8) -> Where:
    """The largest blemishes, as shares of the frame."""
    if not bad.any():
        return ()
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(bad.astype(np.uint8), np.ones((5, 5), np.uint8)))
    order = sorted(range(1, count), key=lambda index: -int(stats[index, cv2.CC_STAT_AREA]))[:most]
    height, width = bad.shape
    return tuple(
        (
            float(stats[index, 0] / width),
            float(stats[index, 1] / height),
            float((stats[index, 0] + stats[index, 2]) / width),
            float((stats[index, 1] + stats[index, 3]) / height),
        )
        for index in order
    )
