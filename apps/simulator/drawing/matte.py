"""What stands in front of a plain ground, cut out by looking from the border inwards; and such a cut-out put into a scene."""

import io

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from apps.simulator.chance import chance
from apps.simulator.drawing.scenes import painted

LOOKED_AT = 640  # pixels of the long edge; the mask is enlarged to the picture's own size
GROUND_WITHIN = 34  # of 255: how far the ground's colour may wander from the border's
SMALLEST, LARGEST = 0.01, 0.97  # share of the picture that may stand in front
_MARK = (255, 0, 255)


class NothingInFront(ValueError):
    """The whole picture looks alike, or nothing is left of it."""


def cut_out(data: bytes, *, longest: int) -> Image.Image:
    """The picture with alpha, at most `longest` pixels wide or high. Raises NothingInFront, OSError."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((longest, longest))
    mask = _mask(picture)
    share = sum(mask.histogram()[128:]) / (mask.width * mask.height)
    if not SMALLEST <= share <= LARGEST:
        raise NothingInFront(f"{share:.0%} of the picture stand in front.")
    picture.putalpha(mask.resize(picture.size, Image.Resampling.BICUBIC))
    return picture


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
    """A cut-out, three quarters of the height, on what the words paint, with a shadow below it."""
    scene = painted(prompt, size, chance(variation)).convert("RGB").filter(ImageFilter.GaussianBlur(max(size) / 220))
    box = front.getchannel("A").getbbox()
    front = front.crop(box) if box else front
    scale = min(0.74 * size[1] / front.height, 0.8 * size[0] / front.width)
    front = front.resize((max(1, round(front.width * scale)), max(1, round(front.height * scale))))
    left, top = (size[0] - front.width) // 2, round(size[1] * 0.9) - front.height
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
