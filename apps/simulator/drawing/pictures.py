"""One order in, one picture file out."""

import io
from dataclasses import dataclass

from PIL import Image

from apps.simulator.chance import chance
from apps.simulator.drawing.caption import with_caption
from apps.simulator.drawing.compositions import composed
from apps.simulator.drawing.finish import finished
from apps.simulator.drawing.scenes import painted
from apps.simulator.photographs import Photograph

DRAWN_LONG_EDGE = 1024  # pixels; larger pictures are enlarged from this, so that 2048 × 2048 takes a tenth of a second
JPEG_QUALITY = 88


@dataclass(frozen=True, kw_only=True)
class Order:
    """Pixels and type (jpeg, png, webp) of the file wanted; the same `variation` draws the same picture."""

    prompt: str
    photographs: tuple[Photograph, ...]
    width: int
    height: int
    format: str
    variation: str


def draw(order: Order) -> bytes:
    picture = finished(_drawn(order), chance(order.variation, "finish"))
    picture = picture.resize((order.width, order.height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    with_caption(picture, order.prompt).save(file, order.format.upper(), quality=JPEG_QUALITY)
    return file.getvalue()


def _drawn(order: Order) -> Image.Image:
    dice = chance(order.variation)
    scale = min(1.0, DRAWN_LONG_EDGE / max(order.width, order.height))
    size = (max(1, round(order.width * scale)), max(1, round(order.height * scale)))
    pictures = [photograph.picture for photograph in order.photographs]
    return composed(pictures, size, dice) if pictures else painted(order.prompt, size, dice)
