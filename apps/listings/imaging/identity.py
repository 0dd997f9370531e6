"""Is it still the same product? What an edit made of it, measured against the cut-out that was sent; and laid back where it fits.

It sees wrong colour, a stretched shape, a lost part, a scrambled label. It does not see a true-looking change on a hidden
side, invented texture or small print. Thresholds are starting values (tests/listings/test_identity.py holds them).
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from apps.listings.imaging.colour import difference, lab
from apps.listings.imaging.compose import Placed
from apps.listings.imaging.matte import Mask, Picture

SAME, LOOK, DIFFERENT, UNSURE = "same", "look", "different", "cannot_tell"
_ORDER = (SAME, LOOK, UNSURE, DIFFERENT)
LAID_BACK_FROM = 0.80  # how alike the drawing of the edges must be before the photograph's own pixels are laid over
LAID_BACK_WITHIN = 0.010  # of the diagonal: how far the outline may be off
NOT_FOUND_BELOW = 0.45
_LOOKED_AT = 512
_LIGHT = (0.85, 1.18)  # how much the scene's light may brighten or darken the photograph's pixels

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Drift:
    """`verdict`: same, look, different or cannot_tell; the figures behind it, and it in words.

    `outline` in shares of the diagonal, `colour` in CIEDE2000, `hue` in degrees, `label` as GMSD (0: the same),
    `likeness` of the edges from 0 to 1.
    """

    verdict: str
    said: str
    likeness: float
    outline: float = 0.0
    colour: float = 0.0
    lightness: float = 0.0
    hue: float = 0.0
    label: float = 0.0
    scale: float = 1.0
    shift: tuple[int, int] = (0, 0)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def drift_of(sent: Placed, result: Picture) -> Drift:
    """`result` has the frame's size, as `sent` has."""
    scale, shift, likeness = _found(sent, result)
    if likeness < NOT_FOUND_BELOW:
        said = "The product could not be found in the picture to compare it: look yourself."
        return Drift(UNSURE, said, round(likeness, 3), scale=scale, shift=shift)
    rgb, mask = _moved(sent, scale, shift)
    outline = _outline(mask, result)
    colour, lightness, hue = _colours(rgb, result, mask)
    label = _label(rgb, result, mask)
    judged = {
        "outline": _judge(outline, 0.012, 0.025),
        "colour": _judge(max(colour / 3, abs(hue) / 6), 1.0, 2.0),
        "label": _judge(label, 0.12, 0.20),
        "size": _judge(abs(scale - 1), 0.04, 0.10),
    }
    verdict = max(judged.values(), key=_ORDER.index)
    said = _words(judged, verdict, outline=outline, colour=colour, lightness=lightness, hue=hue)
    return Drift(
        verdict, said, round(likeness, 3), round(outline, 4), round(colour, 2), round(lightness, 1), round(hue, 1),
        round(label, 3), scale, shift,
    )  # fmt: skip


def may_be_laid_back(drift: Drift) -> bool:
    """Where the painted product lies as the photographed one does, its own pixels take its place."""
    return drift.likeness >= LAID_BACK_FROM and drift.outline <= LAID_BACK_WITHIN and abs(drift.scale - 1) <= 0.03


def laid_back(sent: Placed, drift: Drift, result: Picture) -> Picture:
    """The photograph's pixels over the painted product, a little brighter or darker as the scene's light is."""
    rgb, _ = _moved(sent, drift.scale, drift.shift)
    alpha = _move(sent.alpha, drift.scale, drift.shift, smooth=True).astype(np.float32) / 255
    solid = alpha > 0.9
    if not solid.any():
        return result
    ours, theirs = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in (rgb, result))
    weight = solid.astype(np.float32)
    blur = max(3.0, 0.08 * float(np.sqrt(solid.sum())))
    near = np.maximum(cv2.GaussianBlur(weight, (0, 0), blur), 1e-3)
    light = (cv2.GaussianBlur(theirs * weight, (0, 0), blur) / near + 4) / (
        cv2.GaussianBlur(ours * weight, (0, 0), blur) / near + 4
    )
    lit = np.clip(rgb * np.clip(light, *_LIGHT)[..., None], 0, 255)
    return np.round(result * (1 - alpha[..., None]) + lit * alpha[..., None]).astype(np.uint8)


def _found(sent: Placed, result: Picture) -> tuple[float, tuple[int, int], float]:
    """Scale, shift (pixels of the frame) and likeness of the edges where they fit best, near where it was put."""
    side = sent.alpha.shape[0]
    part = _LOOKED_AT / side
    size = (_LOOKED_AT, _LOOKED_AT)
    theirs = _edges(cv2.resize(result, size, interpolation=cv2.INTER_AREA))
    shown = cv2.resize(sent.rgb, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(sent.alpha, size, interpolation=cv2.INTER_AREA)
    reach = round(0.06 * _LOOKED_AT)
    best = (1.0, (0, 0), -1.0)
    for scale in (1.0, 0.94, 0.97, 1.03, 1.06, 0.9, 1.1):
        rgb, mask = _move(shown, scale, (0, 0)), _move(cover, scale, (0, 0)) > 128
        inner = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        rows, columns = np.nonzero(inner.any(axis=1))[0], np.nonzero(inner.any(axis=0))[0]
        if not len(rows):
            continue
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        ground = np.where(mask[..., None], rgb, np.uint8(127)).astype(np.uint8)
        ours = (_edges(ground) * cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)))[top:bottom, left:right]
        y0, x0 = max(0, top - reach), max(0, left - reach)
        window = theirs[y0 : min(_LOOKED_AT, bottom + reach), x0 : min(_LOOKED_AT, right + reach)]
        inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8))[top:bottom, left:right].astype(np.float32)
        if window.shape[0] < ours.shape[0] or window.shape[1] < ours.shape[1]:
            continue
        told = cv2.matchTemplate(window, ours.astype(np.float32), cv2.TM_CCORR_NORMED, mask=inside)
        told = np.where(np.isfinite(told), told, -1)
        _, likeness, _, at = cv2.minMaxLoc(told)
        if likeness > best[2] + 0.002:
            best = (scale, (round((x0 + at[0] - left) / part), round((y0 + at[1] - top) / part)), float(likeness))
    return best


def _edges(rgb: Any) -> Grey:
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)).astype(np.float32)


def _moved(sent: Placed, scale: float, shift: tuple[int, int]) -> tuple[Picture, Mask]:
    return _move(sent.rgb, scale, shift), _move(sent.alpha, scale, shift) >= 128


def _move(picture: Any, scale: float, shift: tuple[int, int], *, smooth: bool = False) -> Any:
    """Scaled about the frame's centre, then shifted."""
    if scale == 1.0 and shift == (0, 0):
        return picture
    height, width = picture.shape[:2]
    centre = np.array([width / 2, height / 2])
    moved = centre - scale * centre + np.array(shift)
    matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]], np.float64)
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.warpAffine(picture, matrix, (width, height), flags=how)


def _outline(mask: Mask, result: Picture) -> float:
    """How far the product's outline is from the nearest edge in the picture: 85 of 100 of it, as a share of its diagonal."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = (
        np.concatenate([contour[:, 0] for contour in contours if len(contour) > 20])
        if contours
        else np.empty((0, 2), int)
    )
    if not len(points):
        return 1.0
    grey = cv2.GaussianBlur(cv2.cvtColor(result, cv2.COLOR_RGB2GRAY), (0, 0), 1.2)
    edges = cv2.Canny(grey, 25, 70)
    distance = cv2.distanceTransform(255 - edges, cv2.DIST_L2, 3)
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    diagonal = float(np.hypot(rows[-1] - rows[0], columns[-1] - columns[0]))
    height, width = mask.shape
    inside = (points[:, 0] > 2) & (points[:, 0] < width - 3) & (points[:, 1] > 2) & (points[:, 1] < height - 3)
    if not inside.any():
        return 0.0
    away = distance[points[inside][:, 1], points[inside][:, 0]]
    return float(np.percentile(away, 85)) / max(diagonal, 1.0)


def _colours(ours: Picture, theirs: Picture, mask: Mask) -> tuple[float, float, float]:
    """Median CIEDE2000 of a 12 × 12 grid once the light is taken off; and how much lighter (L*), and of another hue (degrees)."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    rows, columns = np.nonzero(inner.any(axis=1))[0], np.nonzero(inner.any(axis=0))[0]
    if not len(rows):
        return 0.0, 0.0, 0.0
    a, b = [], []
    for ys in np.array_split(np.arange(rows[0], rows[-1] + 1), 12):
        for xs in np.array_split(np.arange(columns[0], columns[-1] + 1), 12):
            cell = np.ix_(ys, xs)
            here = inner[cell]
            if here.size and here.mean() > 0.5:
                a.append(ours[cell][here].mean(axis=0))
                b.append(theirs[cell][here].mean(axis=0))
    if not a:
        return 0.0, 0.0, 0.0
    mine, other = np.array(a), np.array(b)
    gain = np.clip(np.median((other.sum(axis=1) + 6) / (mine.sum(axis=1) + 6)), 0.8, 1.25)
    first, second = lab(mine), lab(np.clip(other / gain, 0, 255))
    strong = np.hypot(first[:, 1], first[:, 2]) > 8
    turn = 0.0
    if strong.sum() >= 4:
        angles = np.degrees(
            np.arctan2(second[strong, 2], second[strong, 1]) - np.arctan2(first[strong, 2], first[strong, 1])
        )
        turn = float(np.median((angles + 180) % 360 - 180))
    lighter = float(np.median(lab(other)[:, 0] - first[:, 0]))
    return float(np.median(difference(first, second))), lighter, turn


def _label(ours: Picture, theirs: Picture, mask: Mask) -> float:
    """How much the drawing of the busiest window differs (gradient magnitude similarity deviation)."""
    part = 640 / max(mask.shape)
    size = (round(mask.shape[1] * part), round(mask.shape[0] * part))
    inner = (
        cv2.erode(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.ones((15, 15), np.uint8))
        > 0
    )
    if inner.sum() < 900:
        return 0.0
    first, second = (_edges(cv2.resize(each, size, interpolation=cv2.INTER_AREA)) for each in (ours, theirs))
    strokes = cv2.boxFilter((first > 60).astype(np.float32) * inner, -1, (61, 61))
    y, x = np.unravel_index(int(np.argmax(strokes)), strokes.shape)
    window = np.s_[max(0, y - 45) : y + 46, max(0, x - 60) : x + 61]
    a, here = first[window], inner[window]
    if here.sum() < 200:
        return 0.0
    best = 1.0
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            b = np.roll(np.roll(second, dy, axis=0), dx, axis=1)[window]
            alike = (2 * a * b + 600) / (a * a + b * b + 600)
            best = min(best, float(alike[here].std()))
    return best


def _judge(value: float, same: float, look: float) -> str:
    return SAME if value <= same else LOOK if value <= look else DIFFERENT


def _words(judged: dict[str, str], verdict: str, *, outline: float, colour: float, lightness: float, hue: float) -> str:
    if verdict == SAME:
        return "Compared in colour, outline and label: the same. Look once yourself."
    told = []
    if judged["colour"] != SAME:
        how = f"its hue is turned by {abs(hue):.0f}°" if abs(hue) > 6 else f"its colour is {colour:.1f} off"
        shade = f", {abs(lightness):.0f} {'lighter' if lightness > 0 else 'darker'} in L*" if abs(lightness) > 4 else ""
        told.append(how + shade)
    if judged["outline"] != SAME:
        told.append(f"its outline is {outline:.1%} off")
    if judged["label"] != SAME:
        told.append("its label or detail is not the same")
    if judged["size"] != SAME:
        told.append("its proportions changed")
    sentence = "; ".join(told)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else "Something about it changed."
