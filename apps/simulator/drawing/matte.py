"""What stands in front of a plain ground, cut out by looking from the border inwards; and such a cut-out put into a scene.

The demo's photographs have lively grounds: for those there are masks made by hand, known again by how the photograph looks.
"""

import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from apps.simulator.chance import chance
from apps.simulator.drawing.tables import table

LOOKED_AT = 640  # pixels of the long edge; the mask is enlarged to the picture's own size
GROUND_WITHIN = 34  # of 255: how far the ground's colour may wander from the border's
SMALLEST, LARGEST = 0.01, 0.97  # share of the picture that may stand in front
MASKS = Path(__file__).parent / "masks"
SIGN = 24  # pixels a side of what a known photograph is known by
ALIKE_WITHIN = 4  # levels of grey, on average
_MARK = (255, 0, 255)


class NothingInFront(ValueError):
    """The whole picture looks alike, or nothing is left of it."""


def cut_out(data: bytes, *, longest: int) -> Image.Image:
    """The picture with alpha, at most `longest` pixels wide or high. Raises NothingInFront, OSError."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((longest, longest))
    mask = _made_by_hand(picture) or _mask(picture)
    share = sum(mask.histogram()[128:]) / (mask.width * mask.height)
    if not SMALLEST <= share <= LARGEST:
        raise NothingInFront(f"{share:.0%} of the picture stand in front.")
    picture.putalpha(mask.resize(picture.size, Image.Resampling.BICUBIC))
    return picture


def _made_by_hand(picture: Image.Image) -> Image.Image | None:
    """The mask of a photograph that looks like one we know, at the picture's size."""
    sign = picture.convert("L").resize((SIGN, SIGN), Image.Resampling.BOX)
    for known, mask in _known():
        away = ImageChops.difference(sign, known).histogram()
        if sum(level * count for level, count in enumerate(away)) <= ALIKE_WITHIN * SIGN * SIGN:
            return mask.resize(picture.size, Image.Resampling.BICUBIC)
    return None


@cache
def _known() -> list[tuple[Image.Image, Image.Image]]:
    names = sorted(path.name.removesuffix(".sign.png") for path in MASKS.glob("*.sign.png"))
    return [
        (Image.open(MASKS / f"{name}.sign.png").convert("L"), Image.open(MASKS / f"{name}.png").convert("L"))
        for name in names
    ]


def _mask(picture: Image.Image) -> Image.Image:
    """White where something stands; the ground is whatever hangs together with the border."""
    small = picture.copy()
    small.thumbnail((LOOKED_AT, LOOKED_AT))
    small = small.filter(ImageFilter.MedianFilter(3))
    marked = small.copy()
    width, height = marked.size
    steps = [(x, y) for x in range(0, width, 16) for y in (0, height - 1)]
    steps += [(x, y) for y in range(0, height, 16) for x in (0, width - 1)]
    for place in steps:
        if marked.getpixel(place) != _MARK:
            ImageDraw.floodfill(marked, place, _MARK, thresh=GROUND_WITHIN)
    ground = ImageChops.difference(marked, Image.new("RGB", marked.size, _MARK)).convert("L").point(_front)
    return ground.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(0.8))


def _front(value: int) -> int:
    return 255 if value else 0


def in_scene(front: Image.Image, prompt: str, size: tuple[int, int], *, variation: str) -> Image.Image:
    """A cut-out on a table as the words want it, with a shadow below it: where it stood in its frame, as large as it was there."""
    scene = table(prompt, size, chance(variation))
    box = front.getchannel("A").getbbox() or (0, 0, *front.size)
    scale = min(size[0] / front.width, size[1] / front.height)
    left, top = round(box[0] * scale), round(box[1] * scale)
    front = front.crop(box)
    front = front.resize((max(1, round(front.width * scale)), max(1, round(front.height * scale))))
    shadow = Image.new("L", size)
    reach = front.height // 24 + 2
    foot = (
        left + front.width // 12,
        top + front.height - reach,
        left + front.width * 11 // 12,
        top + front.height + reach,
    )
    ImageDraw.Draw(shadow).ellipse(foot, fill=150)
    dark = Image.new("RGB", size, (20, 18, 16))
    scene = Image.composite(dark, scene, shadow.filter(ImageFilter.GaussianBlur(reach)))
    scene.paste(front, (left, top), front)
    return scene
