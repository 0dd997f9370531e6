"""The photographed cup in a made scene: a darker one and a stretched one are told, light a little warmer is not another cup."""

from functools import cache

import cv2
import numpy as np
import pytest

from apps.listings.imaging import identity, scenes
from apps.listings.imaging.compose import Placed, laid
from tests.listings.judged import matte
from tests.listings.test_identity import Picture, ground


@cache
def cup() -> Placed:
    return scenes.frame(matte("cup.png"), close=False)


def painted(rgb: Picture | None = None, alpha: Picture | None = None) -> Picture:
    sent = cup()
    shown = sent.rgb if rgb is None else rgb
    return laid(ground(), Placed(shown, sent.alpha if alpha is None else alpha, sent.box, sent.scale))


def test_the_cup_as_it_was_sent_is_the_same_and_may_be_laid_back() -> None:
    drift = identity.drift_of(cup(), painted())
    assert drift.verdict == identity.SAME, drift
    assert identity.may_be_laid_back(drift)


def test_fifteen_darker_is_told_with_its_figure() -> None:
    tones = cv2.cvtColor(cup().rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    tones[..., 0] = np.clip(tones[..., 0] - 15, 0, 100)
    darker = np.clip(cv2.cvtColor(tones, cv2.COLOR_LAB2RGB) * 255, 0, 255).astype(np.uint8)
    drift = identity.drift_of(cup(), painted(darker))
    assert drift.verdict in (identity.LOOK, identity.DIFFERENT), drift
    assert drift.lightness == pytest.approx(-15, abs=3)


@pytest.mark.parametrize(("across", "up"), [(1.08, 1.0), (0.92, 1.0), (1.0, 1.08), (1.0, 0.92)])
def test_one_axis_scaled_by_eight_percent_is_not_the_same(across: float, up: float) -> None:
    side = scenes.SIDE
    middle = side / 2
    matrix = np.array([[across, 0, middle * (1 - across)], [0, up, middle * (1 - up)]])
    rgb, alpha = (cv2.warpAffine(each, matrix, (side, side)) for each in (cup().rgb, cup().alpha))
    drift = identity.drift_of(cup(), painted(rgb, alpha))
    assert drift.verdict != identity.SAME, drift
    assert not identity.may_be_laid_back(drift)


@pytest.mark.parametrize("gains", [(1.08, 1.0, 0.92), (1.08, 1.08, 1.08), (0.92, 1.0, 1.08)])
def test_light_within_eight_percent_a_channel_is_not_another_cup(gains: tuple[float, float, float]) -> None:
    lit = np.clip(painted() * np.array(gains), 0, 255).astype(np.uint8)
    drift = identity.drift_of(cup(), lit)
    assert drift.verdict in (identity.SAME, identity.LOOK), drift
