"""The prompt, legibly, at the foot of the picture, and that it is simulated."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

BAND = 0.17  # of the height
MOST_LINES = 4
INK, FAINT = (255, 255, 255), (214, 210, 204)


def with_caption(picture: Image.Image, prompt: str) -> Image.Image:
    width, height = picture.size
    band = max(24, round(height * BAND))
    result = with_band(picture, band)
    pen = ImageDraw.Draw(result)
    margin = round(min(width, height) * 0.03)
    note_font = font(max(9, round(band * 0.105)))
    top, room = height - band + round(band * 0.13), band * 0.62
    text_font, lines = fitting(prompt, width - 2 * margin, room)
    line_height = room / MOST_LINES if len(lines) == MOST_LINES else text_font.size * 1.24
    for place, line in enumerate(lines):
        pen.text((margin, top + place * line_height), line, font=text_font, fill=INK)
    pen.text((margin, height - round(band * 0.07)), f"simulated  ·  {width} x {height}", font=note_font, fill=FAINT,
             anchor="ls")  # fmt: skip
    return result


def with_band(picture: Image.Image, band: int) -> Image.Image:
    """The foot of the picture, blurred and darkened, so that white words can be read on anything."""
    width, height = picture.size
    foot = picture.crop((0, height - band, width, height))
    small = foot.resize((max(1, width // 8), max(1, band // 8))).filter(ImageFilter.GaussianBlur(4))
    dark = small.point(lambda value: value * 0.3).resize(foot.size, Image.Resampling.BICUBIC)
    result = picture.copy()
    result.paste(dark, (0, height - band))
    return result


def fitting(prompt: str, width: float, room: float) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest of three sizes at which the whole prompt fits, else the smallest with an ellipsis."""
    words = " ".join(prompt.split())
    for lines_wanted in (2, 3, MOST_LINES):
        chosen = font(max(9, round(room / lines_wanted / 1.24)))
        lines = wrapped(words, chosen, width)
        if len(lines) <= lines_wanted:
            return chosen, lines
    cut = lines[:MOST_LINES]
    while cut[-1] and chosen.getlength(cut[-1] + " …") > width:
        cut[-1] = cut[-1].rpartition(" ")[0] or cut[-1][:-1]
    return chosen, [*cut[:-1], cut[-1] + " …"]


def wrapped(text: str, chosen: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and chosen.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable face."""
    loaded = ImageFont.load_default(size)
    assert isinstance(loaded, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return loaded
