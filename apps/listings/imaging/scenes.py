"""The frames that painted images are asked for: the cut-out where it shall be, on nothing, and the words for the rest."""

from collections.abc import Sequence

import cv2
import numpy as np

from apps.listings.drawing.callouts import Said
from apps.listings.imaging.compose import Placed, placed
from apps.listings.imaging.matte import Matte, Picture

SIDE = 1024  # pixels that an edit is made at
PROMPT_VERSION = 1

_PLACES = {
    "household": "a lived-in kitchen or dining table",
    "electronics": "a tidy desk by a window",
    "beauty": "a stone shelf in a bright bathroom",
    "clothing": "a wardrobe corner with a wooden chair",
    "toys": "a child's room with a soft rug",
    "other": "a calm room with a wooden table",
}
_MOODS = {
    "premium": "late evening light, dark wood and linen, quiet luxury, shallow depth of field",
    "minimal": "soft daylight from the left, pale plaster and empty space, very few things",
    "bold": "hard sunlight from the left with crisp shadows, one strong colour in the backdrop",
    "lifestyle": "warm morning light from the left, natural materials, as if somebody had just left the table",
    "techy": "cool even light, dark matte surfaces, a thin line of light in the background",
    "colorful": "bright cheerful daylight, painted surfaces in two or three clear colours",
}
_KEEP = (
    "Keep the product exactly as it is in the picture given: the same shape, size, place, colours, material and label. "
    "Only paint what is around it, and its shadow on what it stands on. "
    "Add no text, no letters, no logo, no watermark, no border, no second product, no people's faces."
)


def frame(matte: Matte, *, close: bool) -> Placed:
    """A close view for one feature; else the product in its surroundings, a little below the middle."""
    width, height = matte.size
    if close:
        # The foot of the frame stays free for the words.
        longer = SIDE * min(0.86 * max(1.0, height / width), 0.68 * max(1.0, width / height))
        return placed(matte, centre=(SIDE * 0.5, SIDE * 0.40), longer=longer, side=SIDE)
    tall = height > 1.15 * width
    return placed(matte, centre=(SIDE * 0.5, SIDE * 0.58), longer=SIDE * (0.60 if tall else 0.52), side=SIDE)


def wide_frame(matte: Matte) -> Placed:
    """For the header of a page: the product in the right part of the middle band, which is cut out afterwards."""
    return placed(matte, centre=(SIDE * 0.64, SIDE * 0.5), longer=SIDE * 0.44, side=SIDE)


def band(picture: Picture, width: int, height: int) -> Picture:
    """The middle of a square picture in these proportions, in this size."""
    side = picture.shape[0]
    high = min(side, round(side * height / width))
    top = (side - high) // 2
    return np.asarray(
        cv2.resize(picture[top : top + high], (width, height), interpolation=cv2.INTER_LANCZOS4), np.uint8
    )


def as_rgba(shown: Placed) -> Picture:
    return np.dstack([np.where(shown.alpha[..., None] > 0, shown.rgb, 0).astype(np.uint8), shown.alpha])


def prompt(
    *, name: str, category: str, style: str, close: bool, feature: Said | None, materials: Sequence[str], wish: str
) -> str:
    """What is asked of the painter. It names only what the facts say of the product."""
    place, mood = _PLACES.get(category, _PLACES["other"]), _MOODS[style]
    of = f" It is made of {', '.join(materials)}." if materials else ""
    what = f"A photograph of this product ({name}) "
    if close:
        about = f" The picture is about one thing: {feature.label}: {feature.value}." if feature else ""
        scene = f"seen close, filling most of the frame, on a simple ground that suits it; {mood}.{about}"
    else:
        scene = f"in use-ready surroundings: {place}; {mood}. It is the only thing of its kind in the picture."
    more = f" The seller wishes: {wish}." if wish else ""
    return f"{what}{scene}{of}{more} {_KEEP}"
