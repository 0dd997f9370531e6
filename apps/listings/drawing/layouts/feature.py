"""FEATURE_HIGHLIGHT: a plate with one fact, laid on the quietest part of a close view."""

import cv2
import numpy as np
import numpy.typing as npt

from apps.listings.drawing.callouts import Callout
from apps.listings.drawing.layouts.stage import GAP, Crowded, Stage, no_room
from apps.listings.drawing.plans import BODY, HEADLINE, SIDE, Box, Plan, Shape
from apps.listings.drawing.styles import COLORFUL, LIFESTYLE, MINIMAL, Look
from apps.listings.imaging.colour import mixed
from apps.listings.imaging.matte import Picture

KIND = "FEATURE_HIGHLIGHT"
PLATE_WIDTH, PLATE_HEIGHT = 1800, 420  # at most 19 % of the frame


def feature(
    scene: Picture, product: npt.NDArray[np.bool_] | None, callout: Callout, *, look: Look, locale: str
) -> Plan:
    """`product`: where it is in the scene, as far as it is known; the plate keeps away from it as well as it can.

    Problem 422: text_too_long, glyph_missing, no_room.
    """
    stage = Stage(look=look, locale=locale, image_type=KIND)
    place = _quietest(scene, product)
    plate = look.plate if look.style in (COLORFUL, LIFESTYLE, MINIMAL) else mixed(look.ground, (0, 0, 0), 0.0)
    radius = {COLORFUL: 64, LIFESTYLE: 36, MINIMAL: 0}.get(look.style, 0)
    stage.draw(Shape("rect", plate, box=place, radius=radius, opacity=0.94))
    stage.draw(Shape("rect", look.accent, box=Box(place.left, place.top, place.left + 14, place.bottom)))
    inner = Box(max(place.left + 70, 110), place.top + 50, min(place.right - 60, 1890), place.bottom - 30)
    try:
        head = stage.set(
            callout.figure or callout.title, HEADLINE, Box(inner.left, inner.top, inner.right, inner.top + 230),
            face=look.display, ground=plate, largest=128,
        )  # fmt: skip
        if callout.body:
            stage.set(
                callout.body, BODY, Box(inner.left, head.box.bottom + GAP, inner.right, inner.bottom),
                ground=plate, colour=look.soft,
            )  # fmt: skip
    except Crowded as error:
        raise no_room() from error
    return stage.plan()


def _quietest(scene: Picture, product: npt.NDArray[np.bool_] | None) -> Box:
    """At the foot or at the head, where least is to be seen."""
    grey = cv2.cvtColor(cv2.resize(scene, (200, 200), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(
        np.float32
    )
    busy = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    if product is not None:
        busy = busy + 400 * cv2.resize(product.astype(np.float32), (200, 200), interpolation=cv2.INTER_AREA)
    places = [Box(100, top, 100 + PLATE_WIDTH, top + PLATE_HEIGHT) for top in (SIDE - 100 - PLATE_HEIGHT, 100)]
    return min(
        places, key=lambda box: float(busy[box.top // 10 : box.bottom // 10, box.left // 10 : box.right // 10].mean())
    )
