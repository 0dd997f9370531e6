"""Colour as eyes see it: CIE Lab, its difference CIEDE2000, and the contrast of text (WCAG 2.2).

Sources: sRGB transfer and matrix, IEC 61966-2-1; CIEDE2000, Sharma, Wu and Dalal 2005, whose pairs are the unit test.
"""

import numpy as np
import numpy.typing as npt

from apps.listings.hexes import Rgb

Array = npt.NDArray[np.float64]

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def linear(rgb: npt.ArrayLike) -> Array:
    """sRGB of 0 to 255 as light of 0 to 1."""
    value = np.asarray(rgb, dtype=np.float64) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encoded(light: npt.ArrayLike) -> Array:
    """Light of 0 to 1 as sRGB of 0 to 255."""
    value = np.clip(np.asarray(light, dtype=np.float64), 0.0, 1.0)
    return 255.0 * np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def lab(rgb: npt.ArrayLike) -> Array:
    """CIE Lab (D65) of sRGB of 0 to 255; the last axis is the colour."""
    xyz = linear(rgb) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def rgb_of(value: npt.ArrayLike) -> Rgb:
    """The sRGB colour nearest to one of CIE Lab."""
    lightness, a, b = (float(each) for each in np.asarray(value, dtype=np.float64))
    fy = (lightness + 16) / 116
    f = np.array([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f**3 > _EPSILON, f**3, (116 * f - 16) / _KAPPA) * _WHITE
    red, green, blue = (round(float(each)) for each in encoded(np.linalg.inv(_TO_XYZ) @ xyz))
    return red, green, blue


def difference(first: npt.ArrayLike, second: npt.ArrayLike) -> Array:
    """CIEDE2000 between colours of CIE Lab: 1 is hardly seen, 5 is another colour."""
    l1, a1, b1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    far = np.abs(h1 - h2) > 180
    mh = np.where(grey, h1 + h2, np.where(far, ((h1 + h2 + 360) / 2) % 360, (h1 + h2) / 2))
    t = (
        1
        - 0.17 * np.cos(np.radians(mh - 30))
        + 0.24 * np.cos(np.radians(2 * mh))
        + 0.32 * np.cos(np.radians(3 * mh + 6))
        - 0.20 * np.cos(np.radians(4 * mh - 63))
    )
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    turned = 60 * np.exp(-(((mh - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(mc**7 / (mc**7 + 25.0**7)) * np.sin(np.radians(turned))
    parts = (dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh)
    return np.asarray(np.sqrt(np.maximum(parts, 0.0)))


def luminance(rgb: npt.ArrayLike) -> Array:
    """Relative luminance, 0 to 1."""
    return linear(rgb) @ _TO_XYZ[1]


def contrast(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """1 to 21 between two colours."""
    low, high = sorted((float(luminance(first)), float(luminance(second))))
    return (high + 0.05) / (low + 0.05)


def legible(colour: Rgb, ground: Rgb, *, least: float) -> Rgb:
    """The colour, as much darker or lighter as it must be to stand out from the ground by `least`; its hue stays."""
    if contrast(colour, ground) >= least:
        return colour
    lightness, a, b = (float(each) for each in lab(colour))
    darker = float(luminance(ground)) > 0.18
    steps = range(int(lightness), -1, -1) if darker else range(int(lightness) + 1, 101)
    for step in steps:
        fade = 1.0 if 8 < step < 92 else 0.4  # near black and white no screen holds much colour
        tried = rgb_of((step, a * fade, b * fade))
        if contrast(tried, ground) >= least:
            return tried
    return (0, 0, 0) if darker else (255, 255, 255)


def chroma(rgb: Rgb) -> float:
    _, a, b = lab(rgb)
    return float(np.hypot(a, b))


def mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    """`share` of the second in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
