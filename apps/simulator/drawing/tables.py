"""A table before a wall, in the light and the colours that the words ask for: where a product can stand."""

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
# word → wall, table, light
_MOODS: dict[str, tuple[Colour, Colour, Colour]] = {
    "dark wood": ((58, 47, 40), (74, 50, 34), (255, 214, 150)),
    "plaster": ((226, 221, 212), (205, 197, 184), (255, 250, 240)),
    "one strong colour": ((30, 110, 120), (214, 178, 128), (255, 240, 205)),
    "natural materials": ((222, 203, 178), (168, 122, 82), (255, 226, 180)),
    "matte surfaces": ((44, 52, 62), (30, 36, 44), (150, 210, 230)),
    "painted surfaces": ((250, 203, 120), (120, 190, 190), (255, 248, 225)),
}
_USUAL = ((214, 205, 192), (160, 126, 94), (255, 240, 215))


def table(prompt: str, size: tuple[int, int], dice: random.Random) -> Image.Image:
    wall, wood, light = next((mood for words, mood in _MOODS.items() if words in prompt), _USUAL)
    width, height = size
    edge = round(height * dice.uniform(0.56, 0.62))
    scene = Image.new("RGB", size, wall)
    _things(scene, edge, wall, light, dice)
    scene = scene.filter(ImageFilter.GaussianBlur(width / 36))
    board = Image.new("RGB", (width, height - edge), wood)
    grain = Image.effect_noise((max(2, width // 90), height - edge), 34).resize(board.size, Image.Resampling.BICUBIC)
    board = ImageChops.soft_light(board, Image.merge("RGB", [grain] * 3))
    fade = Image.linear_gradient("L").resize(board.size)
    scene.paste(
        Image.composite(board, ImageChops.multiply(board, Image.new("RGB", board.size, (200, 190, 180))), fade),
        (0, edge),
    )
    return _lit(scene, light)


def _things(scene: Image.Image, edge: int, wall: Colour, light: Colour, dice: random.Random) -> None:
    """What stands far behind, out of focus."""
    draw = ImageDraw.Draw(scene)
    width = scene.width
    for _ in range(dice.randint(3, 5)):
        x, wide, high = dice.randrange(width), width * dice.uniform(0.05, 0.13), width * dice.uniform(0.12, 0.34)
        share = dice.uniform(0.15, 0.5)
        red, green, blue = (round(a + (b - a) * share * dice.uniform(0.3, 1)) for a, b in zip(wall, light, strict=True))
        draw.rounded_rectangle((x, edge - high, x + wide, edge + 4), radius=wide / 3, fill=(red, green, blue))


def _lit(scene: Image.Image, light: Colour) -> Image.Image:
    """Brighter from the left, darker at the rim."""
    width, height = scene.size
    glow = (
        Image.radial_gradient("L")
        .resize((width * 2, height * 2))
        .crop((width, height // 2, width * 2, height // 2 + height))
    )
    glow = glow.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    bright = ImageChops.soft_light(scene, Image.new("RGB", scene.size, light))
    return Image.composite(ImageChops.multiply(scene, Image.new("RGB", scene.size, (215, 208, 202))), bright, glow)
