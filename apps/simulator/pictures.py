"""Draws a result from the photographs a call sent and writes its prompt below it."""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from apps.simulator.chance import chance
from apps.simulator.photographs import Photograph


@dataclass(frozen=True, kw_only=True)
class Order:
    """Pixels of the file wanted; the same `variation` draws the same picture."""

    prompt: str
    photographs: tuple[Photograph, ...]
    width: int
    height: int
    format: str
    variation: str


def draw(order: Order) -> bytes:
    dice = chance(order.variation)
    size = (order.width, order.height)
    ground = Image.new("RGB", size, tuple(dice.randrange(256) for _ in range(3)))
    if order.photographs:
        ground = ImageOps.fit(order.photographs[-1].picture, size)
    out = io.BytesIO()
    ground.save(out, "JPEG" if order.format == "jpeg" else order.format.upper(), quality=88)
    return out.getvalue()
