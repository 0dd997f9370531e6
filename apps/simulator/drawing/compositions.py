"""Ways to make a new picture of the references and the target (which comes last)."""

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from apps.simulator.sight import Colour, palette

Size = tuple[int, int]
Pictures = list[Image.Image]
Composition = Callable[[Pictures, Size, Random], Image.Image]
WHITE = (250, 248, 244)


def composed(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """`pictures`: at least one, RGB; `size`: pixels."""
    return dice.choice(OF_ONE if len(pictures) == 1 else OF_SEVERAL)(pictures, size, dice)


def crop(picture: Image.Image, size: Size, dice: Random, *, closer: float = 1.0) -> Image.Image:
    """Fills `size`, looking at a slightly different place each time; `closer` than 1 shows a detail."""
    width, height = (max(1, round(side * closer)) for side in size)
    fitted = ImageOps.fit(
        picture, (width, height), Image.Resampling.BICUBIC, centering=(dice.uniform(0.35, 0.65), dice.uniform(0.35, 0.65))
    )  # fmt: skip
    left, top = dice.randint(0, width - size[0]), dice.randint(0, height - size[1])
    turned = fitted.crop((left, top, left + size[0], top + size[1]))
    return ImageOps.mirror(turned) if dice.random() < 0.3 else turned


def full_frame(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    return crop(pictures[-1], size, dice, closer=dice.uniform(1.0, 1.35))


def framed_print(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """A mounted print leaning on a wall in the photograph's own colours."""
    ground = gradient(size, soft_palette(pictures[-1]), dice)
    side = 0.62 if dice.random() < 0.5 else 0.7
    sheet = crop(pictures[-1], (round(size[0] * side), round(size[1] * side * 0.86)), dice)
    return laid(ground, mounted(sheet, WHITE, 0.035), (size[0] // 2, round(size[1] * 0.45)), dice.uniform(-2.5, 2.5))


def detail_on_blur(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """A sharp card over the same scene far out of focus."""
    radius = max(size) / 36
    ground = crop(pictures[-1], size, dice, closer=1.4).filter(ImageFilter.GaussianBlur(radius))
    card = crop(pictures[-1], (round(size[0] * 0.66), round(size[1] * 0.66)), dice, closer=dice.uniform(1.0, 1.25))
    return laid(ground, rounded(card), (size[0] // 2, round(size[1] * 0.46)), 0)


def duotone_poster(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """Two inks for the scene, full colour in one disc."""
    scene = crop(pictures[-1], size, dice, closer=1.1)
    dark, light = dice.choice((("#14213d", "#fca311"), ("#1a1a40", "#ff9a8b"), ("#0b3d3b", "#f4e7c5"),
                               ("#2b1055", "#9fd8ff"), ("#3a1c1c", "#ffd6a5")))  # fmt: skip
    poster = ImageOps.colorize(ImageOps.autocontrast(scene.convert("L")), black=dark, white=light)
    return Image.composite(scene, poster, disc(size, dice.uniform(0.3, 0.4), dice))


def triptych(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """Three tall panels, each of them closer than the one before."""
    count, gap = (3, round(max(size) * 0.014))
    ground = Image.new("RGB", size, WHITE)
    across = size[0] >= size[1] * 0.8
    length = ((size[0] if across else size[1]) - gap * (count + 1)) // count
    for place in range(count):
        panel_size = (length, size[1] - 2 * gap) if across else (size[0] - 2 * gap, length)
        panel = crop(pictures[place % len(pictures)], panel_size, dice, closer=1 + 0.35 * place)
        offset = gap + place * (length + gap)
        ground.paste(panel, (offset, gap) if across else (gap, offset))
    return ground


def with_references(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """The target fills the frame; the references lie on it as small prints."""
    scene = crop(pictures[-1], size, dice, closer=dice.uniform(1.0, 1.2))
    side, left = round(min(size) * 0.3), dice.random() < 0.5
    for place, reference in enumerate(pictures[:-1][:3]):
        print_ = mounted(crop(reference, (side, round(side * 0.8)), dice), WHITE, 0.05)
        along = 0.22 + 0.06 * place
        centre = (round(size[0] * (along if left else 1 - along)), round(size[1] * (0.2 + 0.25 * place)))
        scene = laid(scene, print_, centre, dice.uniform(-7, 7))
    return scene


def double_exposure(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """The reference glows through the target's shadows on one side."""
    target, reference = crop(pictures[-1], size, dice), crop(pictures[0], size, dice, closer=1.15)
    exposed = ImageChops.screen(target, reference.point(lambda value: value * 0.85))
    side = Image.linear_gradient("L").rotate(dice.choice((90, 270))).resize(size)
    return Image.composite(exposed, target, side.point(lambda value: min(255, value * 1.15)))


def diagonal(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """Reference and target meet along a slanted white line."""
    target, reference = crop(pictures[-1], size, dice), crop(pictures[0], size, dice)
    lean = dice.uniform(0.08, 0.22) * dice.choice((-1, 1))
    top, bottom = round(size[0] * (0.5 + lean)), round(size[0] * (0.5 - lean))
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon([(0, 0), (top, 0), (bottom, size[1]), (0, size[1])], fill=255)
    joined = Image.composite(reference, target, mask)
    ImageDraw.Draw(joined).line([(top, 0), (bottom, size[1])], fill=WHITE, width=max(2, round(max(size) * 0.008)))
    return joined


def subject_in_setting(pictures: Pictures, size: Size, dice: Random) -> Image.Image:
    """The target as a soft setting, the reference as a sharp oval in front of it."""
    setting = crop(pictures[-1], size, dice, closer=1.15).filter(ImageFilter.GaussianBlur(max(size) / 90))
    mask = disc(size, dice.uniform(0.34, 0.4), dice).filter(ImageFilter.GaussianBlur(max(size) / 28))
    return Image.composite(crop(pictures[0], size, dice), setting, mask)


OF_ONE: tuple[Composition, ...] = (
    full_frame, full_frame, framed_print, detail_on_blur, duotone_poster, triptych
)  # fmt: skip
OF_SEVERAL: tuple[Composition, ...] = (
    with_references, double_exposure, diagonal, subject_in_setting, framed_print, triptych
)  # fmt: skip


def soft_palette(picture: Image.Image) -> list[Colour]:
    """The picture's colours moved towards paper, so that a wall can have them."""
    return [_mixed(each, WHITE, 0.62) for each in palette(picture, count=4)]


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def gradient(size: Size, colours: list[Colour], dice: Random) -> Image.Image:
    top, bottom = dice.sample(colours, 2) if len(colours) > 1 else (colours[0], WHITE)
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def mounted(picture: Image.Image, colour: Colour, share: float) -> Image.Image:
    """RGBA with a border of `share` of the longer side."""
    return ImageOps.expand(picture, round(max(picture.size) * share), colour).convert("RGBA")


def rounded(picture: Image.Image) -> Image.Image:
    mask = Image.new("L", picture.size)
    area = (0, 0, picture.width - 1, picture.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(area, radius=max(picture.size) // 40, fill=255)
    card = picture.convert("RGBA")
    card.putalpha(mask)
    return card


def laid(ground: Image.Image, sheet: Image.Image, centre: tuple[int, int], angle: float) -> Image.Image:
    """`sheet` (RGBA) on `ground`, turned by `angle` degrees, with a soft shadow below it."""
    turned = sheet.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    corner = (centre[0] - turned.width // 2, centre[1] - turned.height // 2)
    drop = max(ground.size) // 70
    shadow = Image.new("L", ground.size)
    shadow.paste(turned.getchannel("A").point(lambda value: value * 0.5), (corner[0], corner[1] + drop))
    dark = Image.new("RGB", ground.size, (18, 14, 12))
    result = Image.composite(dark, ground, shadow.filter(ImageFilter.GaussianBlur(drop)))
    result.paste(turned, corner, turned)
    return result


def disc(size: Size, share: float, dice: Random) -> Image.Image:
    """A mask: a circle of `share` of the shorter side as radius, near the middle and clear of the caption."""
    radius = share * min(size)
    x, y = size[0] * dice.uniform(0.4, 0.6), size[1] * dice.uniform(0.4, 0.48)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask
