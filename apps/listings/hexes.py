"""Colours as people write them."""

Rgb = tuple[int, int, int]


def from_hex(text: str) -> Rgb:
    """`#A5814B`. ValueError for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"{text!r} is no colour like #A5814B.")
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def to_hex(rgb: Rgb) -> str:
    return "#{:02X}{:02X}{:02X}".format(*rgb)
