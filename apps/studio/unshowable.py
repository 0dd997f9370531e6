"""A result that was paid for and cannot be opened: it is kept as it came, to be downloaded."""

import io
from functools import cache

from PIL import Image, ImageDraw

EDGE = 320  # pixels of the tile that stands for it
_LOOKED_AT = 2000  # bytes
_KINDS = (
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"\x89PNG", ".png"),
    (0, b"GIF8", ".gif"),
    (8, b"WEBP", ".webp"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (4, b"ftypavif", ".avif"),
    (4, b"ftyphei", ".heic"),
    (4, b"ftyp", ".mp4"),
    (0, b"BM", ".bmp"),
)


def is_message(data: bytes) -> bool:
    """Whether this is an error page or a note instead of a result. A drawing in SVG is a result."""
    head = data[:_LOOKED_AT].decode("utf-8", "ignore")
    return "<svg" not in head.lower() and all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in head)


def suffix_of(data: bytes) -> str:
    """What its first bytes say that it is, for the name of the download."""
    named = next((suffix for at, magic, suffix in _KINDS if data[at : at + len(magic)] == magic), "")
    return named or (".svg" if b"<svg" in data[:_LOOKED_AT].lower() else ".bin")


@cache
def tile() -> bytes:
    """The picture that stands for it in lists (WebP): a sheet with a line through it."""
    image = Image.new("RGB", (EDGE, EDGE), "#e9e6df")
    pen = ImageDraw.Draw(image)
    pen.rectangle((104, 80, 216, 240), outline="#77736a", width=6)
    pen.line((88, 256, 232, 64), fill="#77736a", width=6)
    data = io.BytesIO()
    image.save(data, "WEBP", quality=80)
    return data.getvalue()
