"""A plan as a picture: ground, shapes, products with their shadows, shapes above them, words."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apps.listings.drawing.faces import FACES, feature_list, font, length, runs_of
from apps.listings.drawing.plans import SIDE, Box, Plan, Shape, Words
from apps.listings.drawing.typesetting import reads_from_right
from apps.listings.imaging.compose import laid, placed, shadowed
from apps.listings.imaging.matte import Matte, Picture

_FINE = 2  # shapes are drawn so much larger and brought down: smooth edges at little cost


def painted(plan: Plan, mattes: Sequence[Matte], *, locale: str, ground: Picture | None = None) -> Picture:
    """The frame as (2000, 2000, 3). `mattes` are the cut-outs that the plan's products name; `ground` stands for its colour."""
    sheet = Image.new("RGB", (SIDE, SIDE), plan.ground) if ground is None else Image.fromarray(ground, "RGB")
    for shape in plan.shapes:
        if not shape.above:
            _draw(sheet, shape)
    picture = np.array(sheet)
    for product in plan.products:
        shown = placed(mattes[product.which], centre=product.centre, longer=product.longer)
        if product.shadow:
            picture = shadowed(picture, shown)
        picture = laid(picture, shown)
    sheet = Image.fromarray(picture, "RGB")
    for shape in plan.shapes:
        if shape.above:
            _draw(sheet, shape)
    draw = ImageDraw.Draw(sheet)
    for words in plan.words:
        _write(draw, words, locale)
    return np.array(sheet)


def _draw(sheet: Image.Image, shape: Shape) -> None:
    box = _reach(shape)
    left, top = max(0, box.left), max(0, box.top)
    right, bottom = min(SIDE, box.right), min(SIDE, box.bottom)
    if right <= left or bottom <= top:
        return
    if shape.kind == "dots":
        _dots(sheet, shape)
        return
    cover = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    draw = ImageDraw.Draw(cover)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) * _FINE, (y - top) * _FINE

    if shape.box is not None:
        corners = [*at(shape.box.left, shape.box.top), *at(shape.box.right, shape.box.bottom)]
        if shape.kind == "ellipse":
            draw.ellipse(corners, fill=255)
        else:
            draw.rounded_rectangle(corners, radius=shape.radius * _FINE, fill=255)
    elif shape.kind == "polygon":
        draw.polygon([at(*point) for point in shape.points], fill=255)
    else:
        draw.line([at(*point) for point in shape.points], fill=255, width=max(1, shape.width * _FINE), joint="curve")
    cover = cover.resize((right - left, bottom - top), Image.Resampling.BOX)
    if shape.blur:
        cover = _blurred(cover, shape.blur)
    if shape.opacity < 1:
        cover = cover.point([round(value * shape.opacity) for value in range(256)])
    sheet.paste(shape.fill, (left, top, right, bottom), cover)


def _blurred(cover: Image.Image, radius: int) -> Image.Image:
    """A wide blur shows no detail: it is made on a smaller picture."""
    part = max(1, radius // 8)
    small = cover.resize((max(1, cover.width // part), max(1, cover.height // part)), Image.Resampling.BOX)
    soft = cv2.GaussianBlur(np.array(small), (0, 0), radius / part)
    return Image.fromarray(soft, "L").resize(cover.size, Image.Resampling.BICUBIC)


def _reach(shape: Shape) -> Box:
    if shape.box is not None:
        return shape.box.grown(shape.blur * 3)
    xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
    return Box(round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))).grown(shape.width + 2)


def _dots(sheet: Image.Image, shape: Shape) -> None:
    draw = ImageDraw.Draw(sheet)
    for x in range(shape.width, SIDE, shape.width):
        for y in range(shape.width, SIDE, shape.width):
            draw.ellipse((x - 1.6, y - 1.6, x + 1.6, y + 1.6), fill=shape.fill)


def _write(draw: ImageDraw.ImageDraw, words: Words, locale: str) -> None:
    step = words.size * words.leading
    for place, line in enumerate(words.lines):
        base = words.box.top + words.size * 0.94 + place * step
        _write_line(draw, words, line, base, locale)


def _write_line(draw: ImageDraw.ImageDraw, words: Words, line: str, base: float, locale: str) -> None:
    """Run by run; in a line that reads from the right the first run stands rightmost."""
    spacing = FACES[words.face].spacing
    runs = runs_of(line, words.face, locale)
    widths = [length(run, words.size, locale, spacing=spacing) for run in runs]
    total = sum(widths)
    start = {
        "left": words.box.left,
        "right": words.box.right - total,
        "centre": (words.box.left + words.box.right - total) / 2,
    }[words.align]
    pairs = list(zip(runs, widths, strict=True))
    for run, width in reversed(pairs) if reads_from_right(line) else pairs:
        draw.text(
            (start, base),
            run.text,
            font=font(run.file, words.size, run.axes),
            fill=words.colour,
            anchor="ls",
            direction="rtl" if run.right_to_left else "ltr",
            language=locale,
            features=feature_list(),
        )
        start += width


def softened(photo: Picture, *, veil: tuple[int, int, int], share: float = 0.7) -> Picture:
    """A photograph as a ground: blurred to moods of colour, under a veil."""
    image = Image.fromarray(photo, "RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.array(
        Image.blend(image.filter(ImageFilter.GaussianBlur(60)), Image.new("RGB", (SIDE, SIDE), veil), share)
    )
