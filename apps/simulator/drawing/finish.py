"""The darkroom: colour grade, light, vignette, grain."""

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageEnhance, ImageOps

EDGE_OF_RADIAL = 180  # Pillow's radial gradient at the middle of its sides; only its corners reach 255


def finished(picture: Image.Image, dice: Random) -> Image.Image:
    graded = dice.choice(GRADES)(picture)
    lit = with_light(graded, dice)
    return with_grain(with_vignette(lit, dice.uniform(0.12, 0.3)), dice)


def curve(picture: Image.Image, *, red: float, green: float, blue: float, lift: int = 0) -> Image.Image:
    """A gamma for each channel (below 1 brightens) and blacks lifted by `lift` of 255."""

    def table(gamma: float) -> list[int]:
        return [round(lift + (255 - lift) * (value / 255) ** gamma) for value in range(256)]

    return picture.point(table(red) + table(green) + table(blue))


def warm(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(curve(picture, red=0.86, green=0.97, blue=1.16)).enhance(1.12)


def cool(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(curve(picture, red=1.14, green=0.98, blue=0.86)).enhance(1.06)


def film(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(curve(picture, red=0.92, green=1.0, blue=0.98, lift=18)).enhance(0.86)


def rich(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(ImageEnhance.Contrast(picture).enhance(1.12)).enhance(1.28)


def dusk(picture: Image.Image) -> Image.Image:
    rose = ImageOps.colorize(picture.convert("L"), black="#1b1436", mid="#b0567a", white="#ffe3c2")
    return Image.blend(picture, rose, 0.38)


def bright(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(curve(picture, red=0.84, green=0.84, blue=0.86, lift=6)).enhance(1.1)


GRADES: tuple[Callable[[Image.Image], Image.Image], ...] = (warm, cool, film, rich, dusk, bright)


def with_light(picture: Image.Image, dice: Random) -> Image.Image:
    """A soft coloured glow from one side."""
    width, height = picture.size
    glow = Image.new("RGB", picture.size, dice.choice(("#ffb37a", "#ffd9a0", "#9fc4ff", "#ffc2d4")))
    span = int(max(width, height) * 1.4)
    fall_off = Image.radial_gradient("L").point(lambda value: max(0, EDGE_OF_RADIAL - value) * 0.5).resize((span, span))
    mask = Image.new("L", picture.size)
    mask.paste(fall_off, (dice.choice((-span // 2, width - span // 2)), dice.randint(-span // 2, 0)))
    return Image.composite(ImageChops.screen(picture, glow), picture, mask)


def with_vignette(picture: Image.Image, strength: float) -> Image.Image:
    shade = Image.radial_gradient("L").point(lambda value: 255 - strength * max(0, value - 96)).resize(picture.size)
    return ImageChops.multiply(picture, Image.merge("RGB", (shade, shade, shade)))


def with_grain(picture: Image.Image, dice: Random) -> Image.Image:
    """Noise of our own dice: Pillow's cannot be drawn twice alike."""
    strength = dice.uniform(0.1, 0.26)
    noise = Image.frombytes("L", picture.size, dice.randbytes(picture.width * picture.height))
    noise = noise.point(lambda value: 128 + (value - 128) * strength)
    return Image.blend(picture, ImageChops.soft_light(picture, Image.merge("RGB", (noise, noise, noise))), 0.7)
