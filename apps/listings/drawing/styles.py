"""The six styles: type, ground and colours. They differ in ground, class of type, layout and line, not in shade alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from apps.listings.hexes import Rgb, from_hex
from apps.listings.imaging.colour import chroma, lab, legible, mixed, rgb_of

PREMIUM, MINIMAL, BOLD, LIFESTYLE, TECHY, COLORFUL = "premium", "minimal", "bold", "lifestyle", "techy", "colorful"
STYLES = (PREMIUM, MINIMAL, BOLD, LIFESTYLE, TECHY, COLORFUL)
_WHITE: Rgb = (255, 255, 255)


@dataclass(frozen=True)
class Look:
    """`ground` is the sheet, `plate` what lies on it, `ink` and `soft` its text, `accent` the one colour that leads."""

    style: str
    display: str
    text: str
    figure: str
    ground: Rgb
    plate: Rgb
    ink: Rgb
    soft: Rgb
    accent: Rgb
    others: tuple[Rgb, ...]
    line: int
    callouts: int
    capitals: bool = False


def look_of(style: str, *, product: Rgb, kit: Sequence[str] = ()) -> Look:
    """The style for a product of this mean colour. Colours of a brand kit win over the style's own: the first leads."""
    brand = [from_hex(colour) for colour in kit]
    return _LOOKS[style](product, brand)


def _premium(product: Rgb, brand: list[Rgb]) -> Look:
    light = lab(product)[0] > 62  # a light product shows best on a dark ground
    ground, ink = (from_hex("#15130F"), from_hex("#F3EDE1")) if light else (from_hex("#E6DAC4"), from_hex("#1C1914"))
    metal = brand[0] if brand else from_hex("#D8B67A" if light else "#8F6A34")
    return Look(
        PREMIUM,
        "fraunces",
        "figtree",
        "fraunces",
        ground,
        mixed(ground, ink, 0.05),
        ink,
        mixed(ink, ground, 0.32),
        legible(metal, ground, least=3),
        (),
        3,
        4,
    )


def _minimal(product: Rgb, brand: list[Rgb]) -> Look:
    light = lab(product)[0] > 88
    ground = from_hex("#ECECE9") if light else _WHITE
    accent = brand[0] if brand else from_hex("#111111")
    return Look(
        MINIMAL,
        "inter-light",
        "inter",
        "inter-light",
        ground,
        from_hex("#F6F6F4"),
        from_hex("#111111"),
        from_hex("#5E5E5C"),
        accent,
        (),
        3,
        3,
    )


def _bold(product: Rgb, brand: list[Rgb]) -> Look:
    main = brand[0] if brand else _opposite(product, lightness=40, strength=58)
    second = brand[1] if len(brand) > 1 else from_hex("#14110F")
    dark = lab(main)[0] < 58
    ink = _WHITE if dark else from_hex("#14110F")
    return Look(
        BOLD,
        "archivo-wide",
        "archivo",
        "archivo-wide",
        main,
        second,
        legible(ink, main, least=4.5),
        legible(ink, main, least=4.5),
        second,
        (mixed(main, second, 0.14),),
        10,
        4,
        True,
    )


def _lifestyle(product: Rgb, brand: list[Rgb]) -> Look:
    _, a, b = (float(each) for each in lab(product))
    strength = max((a * a + b * b) ** 0.5, 1)
    tint = rgb_of((80, a / strength * 16, b / strength * 16 + 2))
    accent = brand[0] if brand else rgb_of((42, a / strength * 26, b / strength * 26))
    return Look(
        LIFESTYLE,
        "lora",
        "dm-sans",
        "lora",
        tint,
        from_hex("#FFFDF8"),
        from_hex("#2B2620"),
        from_hex("#6B6256"),
        accent,
        (rgb_of((91, a / strength * 6, b / strength * 6 + 5)), rgb_of((72, a / strength * 17, b / strength * 17 + 3))),
        2,
        4,
    )


def _techy(product: Rgb, brand: list[Rgb]) -> Look:
    signal = brand[0] if brand and chroma(brand[0]) > 40 else from_hex("#3CE0C2")
    ground = from_hex("#0E1217")
    return Look(
        TECHY,
        "space-grotesk",
        "space-grotesk",
        "jetbrains-mono",
        ground,
        from_hex("#171D25"),
        from_hex("#F2F6FA"),
        from_hex("#A9B4C0"),
        legible(signal, ground, least=4.5),
        (from_hex("#2A3440"),),
        3,
        5,
    )


def _colorful(product: Rgb, brand: list[Rgb]) -> Look:
    base = _hue(brand[0]) if brand else _hue(product) + 180
    tints = tuple(_of_hue(base + turn, lightness, 27) for turn, lightness in ((0, 88), (55, 87), (-55, 86)))
    dark = _of_hue(base, 22, 26)
    return Look(
        COLORFUL,
        "fredoka",
        "nunito",
        "fredoka",
        tints[0],
        _WHITE,
        dark,
        dark,
        _of_hue(base + 180, 46, 58),
        (*tints[1:], _of_hue(base + 150, 86, 26)),
        8,
        5,
    )


_LOOKS = {
    PREMIUM: _premium,
    MINIMAL: _minimal,
    BOLD: _bold,
    LIFESTYLE: _lifestyle,
    TECHY: _techy,
    COLORFUL: _colorful,
}


def _hue(rgb: Rgb) -> float:
    _, a, b = (float(each) for each in lab(rgb))
    return math.degrees(math.atan2(b, a)) % 360


def _of_hue(hue: float, lightness: float, strength: float) -> Rgb:
    turn = math.radians(hue)
    return rgb_of((lightness, strength * math.cos(turn), strength * math.sin(turn)))


def _opposite(product: Rgb, *, lightness: float, strength: float) -> Rgb:
    """A full colour that the product stands out from; of a grey product a strong blue."""
    return _of_hue(_hue(product) + 165 if chroma(product) > 8 else 285, lightness, strength)
