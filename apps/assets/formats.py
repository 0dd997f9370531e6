"""Names for the files that people bring instead of a JPEG, PNG or WebP."""

_STARTS = [
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"8BPS", "PSD"),
    (b"%PDF", "PDF"),
    (b"%!PS", "EPS"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\1\0", "ICO"),
    (b"PK\x03\x04", "ZIP"),
]
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_TEXTS = [(b"<svg", "SVG"), (b"<!doctype html", "a web page"), (b"<html", "a web page")]


def name_of_format(data: bytes) -> str:
    """What the bytes seem to be, as a person calls it ("HEIC", "a web page"); "" when nothing is known."""
    if data[4:8] == b"ftyp":
        return _name_of_brand(data)
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    head = data[:1024].lower()
    return next((name for mark, name in _TEXTS if mark in head), "")


def _name_of_brand(data: bytes) -> str:
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, size, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else "video"
