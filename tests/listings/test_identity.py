"""Whether an edit kept the product: made drifts are seen with their figures, harmless changes are not taken for them."""

import io
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from apps.listings.imaging import identity, scenes
from apps.listings.imaging.compose import Placed, laid
from apps.simulator.chance import chance
from apps.simulator.drawing.tables import table
from tests.listings.judged import matte

Picture = Any


@cache
def sent() -> Placed:
    return scenes.frame(matte("flask.jpg"), close=False)


@cache
def ground() -> Picture:
    return np.array(table("natural materials", (scenes.SIDE, scenes.SIDE), chance("identity")))


def painted(product: Placed | None = None) -> Picture:
    return laid(ground(), product or sent())


def changed(rgb: Picture | None = None, alpha: Picture | None = None) -> Placed:
    base = sent()
    return Placed(base.rgb if rgb is None else rgb, base.alpha if alpha is None else alpha, base.box, base.scale)


def hue_turned(degrees: float) -> Placed:
    hsv = cv2.cvtColor(sent().rgb, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + round(degrees / 2)) % 180
    return changed(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def stretched(across: float, up: float = 1.0) -> Placed:
    """About the frame's middle."""
    side = scenes.SIDE
    middle = side / 2
    matrix = np.array([[across, 0, middle * (1 - across)], [0, up, middle * (1 - up)]])
    rgb, alpha = (cv2.warpAffine(each, matrix, (side, side)) for each in (sent().rgb, sent().alpha))
    return changed(rgb, alpha)


def scrambled() -> Placed:
    """The letters of its label in another order: the label's pixels are mirrored."""
    rgb = sent().rgb.copy()
    left, top, right, bottom = sent().box
    y0, y1 = top + round((bottom - top) * 0.60), top + round((bottom - top) * 0.73)
    x0, x1 = left + round((right - left) * 0.28), left + round((right - left) * 0.72)
    rgb[y0:y1, x0:x1] = rgb[y0:y1, x0:x1][:, ::-1]
    return changed(rgb)


def test_what_came_as_it_was_sent_is_the_same_and_may_be_laid_back() -> None:
    drift = identity.drift_of(sent(), painted())
    assert drift.verdict == identity.SAME, drift
    assert identity.may_be_laid_back(drift)


@pytest.mark.parametrize("degrees", [12, 25])
def test_another_hue_is_told_with_its_angle(degrees: float) -> None:
    drift = identity.drift_of(sent(), painted(hue_turned(degrees)))
    assert drift.verdict in (identity.LOOK, identity.DIFFERENT), drift
    assert drift.verdict == identity.DIFFERENT or degrees < 20
    assert abs(drift.hue) == pytest.approx(degrees, abs=9)
    assert "hue" in drift.said or "colour" in drift.said


def test_a_stretched_product_is_not_the_same() -> None:
    drift = identity.drift_of(sent(), painted(stretched(1.14)))
    assert drift.verdict != identity.SAME, drift
    assert not identity.may_be_laid_back(drift)


def test_a_scrambled_label_is_found() -> None:
    drift = identity.drift_of(sent(), painted(scrambled()))
    assert drift.verdict in (identity.LOOK, identity.DIFFERENT), drift
    assert "label" in drift.said


def test_another_product_is_never_the_same() -> None:
    other = scenes.frame(matte("cup.png"), close=False)
    drift = identity.drift_of(sent(), painted(other))
    assert drift.verdict in (identity.UNSURE, identity.DIFFERENT), drift
    assert not identity.may_be_laid_back(drift)


def test_no_product_at_all_is_never_the_same() -> None:
    drift = identity.drift_of(sent(), ground())
    assert drift.verdict in (identity.UNSURE, identity.DIFFERENT), drift
    assert not identity.may_be_laid_back(drift)


def _warmer() -> Picture:
    return np.clip(painted() * np.array([1.06, 1.0, 0.95]), 0, 255).astype(np.uint8)


def _coarse() -> Picture:
    file = io.BytesIO()
    Image.fromarray(painted()).save(file, "JPEG", quality=80)
    return np.array(Image.open(file))


HARMLESS = {
    "warmer light": _warmer,
    "JPEG of quality 80": _coarse,
    "a little larger": lambda: painted(stretched(1.02, 1.02)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_changes_are_not_another_product(name: str) -> None:
    drift = identity.drift_of(sent(), HARMLESS[name]())
    assert drift.verdict in (identity.SAME, identity.LOOK), drift


def test_laid_back_pixels_are_the_photographs() -> None:
    darker = changed((sent().rgb * 0.94).astype(np.uint8))
    result = painted(darker)
    drift = identity.drift_of(sent(), result)
    made = identity.laid_back(sent(), drift, result)
    inner = cv2.erode(sent().mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    ratio = made[inner].astype(float).sum() / sent().rgb[inner].astype(float).sum()
    assert 0.90 < ratio < 1.0  # the photograph's own, in the scene's light
    assert np.array_equal(made[:20, :20], result[:20, :20])
