"""The seller's order of facts is the picture's order."""

import numpy as np
import pytest

from apps.listings.drawing.painting import painted
from apps.listings.drawing.styles import STYLES
from tests.listings.test_drawing import ENGLISH, plan_of


@pytest.mark.parametrize("style", STYLES)
def test_the_same_facts_in_another_order_give_another_picture(style: str) -> None:
    pictures = []
    for facts in (ENGLISH[:3], ENGLISH[2::-1], ENGLISH[:3]):
        plan, product = plan_of(style, "cup.png", "Warm to the last sip", facts, "en-US")
        pictures.append(painted(plan, [product], locale="en-US"))
    given, turned, again = pictures
    assert np.array_equal(given, again)
    assert not np.array_equal(given, turned)
