"""Pictures for a prompt that came without photographs: quiet landscapes and still lifes in a chosen palette."""

import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from apps.simulator.sight import Colour

Size = tuple[int, int]
# From the sky or wall at the back to the darkest shape in front.
PALETTES: dict[str, tuple[str, ...]] = {
    "dawn": ("#fde7d3", "#f7b89c", "#e07a72", "#8f4b6b", "#3d2b52"),
    "sea": ("#e3f4f4", "#a9d6d5", "#5aa9ad", "#2b6f86", "#123b52"),
    "forest": ("#eef3dc", "#c3d3a0", "#86a873", "#4d7656", "#1f3f37"),
    "sand": ("#fbf3e4", "#ecd3ae", "#d6a77a", "#a8704f", "#5a3a30"),
    "night": ("#3a3f73", "#2d2f5f", "#4b3b7d", "#221f4a", "#0f1030"),
    "rose": ("#fff0f0", "#f9c6cf", "#e88fa5", "#b4587d", "#5d2a52"),
}
HINTS = {
    "dawn": ("dawn", "sunset", "golden", "orange", "warm", "amber"),
    "sea": ("sea", "ocean", "water", "teal", "blue", "lake"),
    "forest": ("forest", "green", "leaf", "tree", "garden", "moss"),
    "sand": ("sand", "desert", "wood", "brown", "clay", "oak", "linen"),
    "night": ("night", "dark", "star", "space", "moon", "black"),
    "rose": ("rose", "pink", "red", "flower", "blossom"),
}


def painted(prompt: str, size: Size, dice: Random) -> Image.Image:
    colours = palette_for(prompt, dice)
    return dice.choice((hills, still_life, ribbons))(size, colours, dice)


def palette_for(prompt: str, dice: Random) -> list[Colour]:
    words = prompt.lower()
    fitting = [name for name, hints in HINTS.items() if any(hint in words for hint in hints)]
    chosen = PALETTES[dice.choice(fitting or list(PALETTES))]
    return [_colour(text) for text in chosen]


def hills(size: Size, colours: list[Colour], dice: Random) -> Image.Image:
    """A sun or moon over ranges that darken towards the front."""
    width, height = size
    picture = _sky(size, colours[1], colours[0])
    pen = ImageDraw.Draw(picture)
    radius, x, y = (
        min(size) * dice.uniform(0.08, 0.14),
        width * dice.uniform(0.25, 0.75),
        height * dice.uniform(0.2, 0.34),
    )
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_lighter(colours[0]))
    for layer in range(5):
        colour = colours[min(4, 1 + layer * 4 // 5)] if layer else _between(colours[1], colours[2])
        pen.polygon(_ridge(size, 0.42 + 0.12 * layer, dice), fill=_between(colour, colours[4], layer * 0.08))
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def _ridge(size: Size, level: float, dice: Random) -> list[tuple[float, float]]:
    width, height = size
    waves = [(dice.uniform(0.6, 3.2), dice.uniform(0, 6.3), dice.uniform(0.012, 0.045)) for _ in range(3)]
    points = [
        (x, height * (level + sum(part * math.sin(pace * x / width * 6.3 + phase) for pace, phase, part in waves)))
        for x in range(0, width + 8, 8)
    ]
    return [(0, height), *points, (width, height)]


def still_life(size: Size, colours: list[Colour], dice: Random) -> Image.Image:
    """Plain vessels on a table, lit from one side."""
    width, height = size
    picture = _sky(size, colours[0], colours[1])
    table = height * 0.64
    ImageDraw.Draw(picture).rectangle((0, table, width, height), fill=_between(colours[1], colours[2], 0.7))
    for place in dice.sample(range(4), 4):
        x, wide, tall = width * (0.2 + 0.2 * place), width * dice.uniform(0.07, 0.12), height * dice.uniform(0.14, 0.36)
        base = table + height * dice.uniform(0.02, 0.1)
        _vessel(picture, (x - wide, base - tall, x + wide, base), colours[dice.randint(2, 4)], dice)
    return picture


def _vessel(picture: Image.Image, box: tuple[float, float, float, float], colour: Colour, dice: Random) -> None:
    left, top, right, bottom = (round(each) for each in box)
    body = Image.new("L", picture.size)
    pen = ImageDraw.Draw(body)
    pen.rounded_rectangle((left, top + (bottom - top) // 4, right, bottom), radius=(right - left) // 3, fill=255)
    neck = (right - left) // dice.choice((3, 4, 5))
    pen.rectangle((left + neck, top, right - neck, top + (bottom - top) // 2), fill=255)
    shadow = body.transform(body.size, Image.Transform.AFFINE, (1, 0.55, -0.55 * bottom - 6, 0, 1, -6))
    soft = shadow.filter(ImageFilter.GaussianBlur(picture.width / 60)).point(lambda value: value * 0.4)
    picture.paste((25, 18, 22), mask=soft)
    side = Image.linear_gradient("L").rotate(90).resize((max(1, right - left), max(1, bottom - top)))
    shaded = Image.new("RGB", picture.size, colour)
    light = Image.composite(
        Image.new("RGB", side.size, _between(colour, (20, 14, 24), 0.55)), Image.new("RGB", side.size, _lighter(colour)), side
    )  # fmt: skip
    shaded.paste(light, (left, top))
    picture.paste(shaded, mask=body.filter(ImageFilter.GaussianBlur(0.8)))


def ribbons(size: Size, colours: list[Colour], dice: Random) -> Image.Image:
    """Broad bands of paper, each with the shadow of the one above."""
    picture = _sky(size, colours[0], colours[1])
    for layer in range(6):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon(_ridge(size, 0.18 + 0.14 * layer, dice), fill=255)
        mask = mask.filter(ImageFilter.GaussianBlur(0.8))
        shadow = mask.filter(ImageFilter.GaussianBlur(size[0] / 50)).point(lambda value: value * 0.45)
        picture.paste(_between(colours[-1], (0, 0, 0), 0.3), mask=shadow)
        picture.paste(
            _between(colours[layer * 4 // 6], colours[min(4, layer * 4 // 6 + 1)], layer % 2 * 0.5), mask=mask
        )
    return picture


def _sky(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def _colour(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _between(one: Colour, other: Colour, share: float = 0.5) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _lighter(colour: Colour) -> Colour:
    return _between(colour, (255, 255, 255), 0.45)
