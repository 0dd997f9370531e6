"""The typefaces of the styles, which letters they have, and text as runs of one face and one direction.

Files in ../fonts, unchanged, all under the SIL Open Font License 1.1. Pillow draws one font a call and shows a box for
what it lacks, so a text is split by what each font covers; what none covers is refused by its name.
"""

import json
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont, features

from apps.core.errors import Problem

FONTS = Path(__file__).resolve().parent.parent / "fonts"
REFERENCE = 200  # pixels at which lengths are measured; they grow with the size
_KEPT = 120  # sizes of fonts a thread keeps open
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_IGNORED = {"\u200c", "\u200d", "\u200e", "\u200f", "\u00ad", "\ufe0f"}


@dataclass(frozen=True)
class Face:
    """Files that together are one typeface, and the values of its axes in their order."""

    files: tuple[str, ...]
    axes: tuple[float, ...] = ()
    spacing: float = 0.0  # of the size, between letters


def _latin(name: str, kind: str, *axes: float, spacing: float = 0.0) -> Face:
    return Face(tuple(f"{name}-{script}-{kind}.woff2" for script in ("latin", "latin-ext")), axes, spacing)


FACES = {
    "fraunces": _latin("fraunces", "wght-normal", 380),
    "figtree": _latin("figtree", "wght-normal", 450),
    "figtree-bold": _latin("figtree", "wght-normal", 620),
    "inter-light": _latin("inter", "wght-normal", 300),
    "inter": _latin("inter", "wght-normal", 450),
    "archivo-wide": _latin("archivo", "wdth-normal", 850, 115),
    "archivo": _latin("archivo", "wdth-normal", 600, 100),
    "lora": _latin("lora", "wght-italic", 500),
    "dm-sans": _latin("dm-sans", "wght-normal", 500),
    "space-grotesk": _latin("space-grotesk", "wght-normal", 600),
    "jetbrains-mono": _latin("jetbrains-mono", "wght-normal", 500),
    "fredoka": _latin("fredoka", "wght-normal", 600),
    "nunito": _latin("nunito", "wght-normal", 700),
}

_SCRIPTS = (
    "noto-sans-{script}-{weight}-normal.woff2",
    ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "vietnamese"),
)
_OTHERS = {
    "ar": "noto-sans-arabic-arabic", "he": "noto-sans-hebrew-hebrew", "th": "noto-sans-thai-thai",
    "hi": "noto-sans-devanagari-devanagari", "ja": "noto-sans-jp-japanese", "ko": "noto-sans-kr-korean",
    "zh": "noto-sans-sc-chinese-simplified",
}  # fmt: skip
HEAVY = {"archivo-wide", "archivo", "fredoka", "nunito", "figtree-bold", "space-grotesk"}


@dataclass(frozen=True)
class Run:
    """Letters of one font in one direction, in their logical order."""

    text: str
    file: str
    axes: tuple[float, ...]
    right_to_left: bool


@cache
def _coverage() -> dict[str, frozenset[int]]:
    """Which code points each file has: written by `python -m apps.listings.drawing.coverage`."""
    told: dict[str, str] = json.loads((FONTS / "coverage.json").read_text())
    covered = {}
    for file, ranges in told.items():
        points: set[int] = set()
        for part in ranges.split():
            first, _, last = part.partition("-")
            points.update(range(int(first, 16), int(last or first, 16) + 1))
        covered[file] = frozenset(points)
    return covered


def files_for(face: str, locale: str) -> list[str]:
    """The face's own files, then those that other scripts are looked for in: the locale's script first."""
    weight = "700" if face in HEAVY else "500"
    pattern, scripts = _SCRIPTS
    language = locale.partition("-")[0].lower()
    others = sorted(_OTHERS.items(), key=lambda entry: entry[0] != language)
    return [
        *FACES[face].files,
        *(pattern.format(script=script, weight=weight) for script in scripts),
        *(f"{name}-{weight}-normal.woff2" for _, name in others),
    ]


def runs_of(text: str, face: str, locale: str) -> list[Run]:
    """The text in pieces that are each drawn in one go. Problem 422 `glyph_missing` names what no font has."""
    covered, own = _coverage(), FACES[face]
    files = files_for(face, locale)
    pieces: list[tuple[str, str, bool]] = []
    for letter in text:
        turned = unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT
        last = pieces[-1] if pieces else None
        neutral = letter.isspace() or letter in _IGNORED or unicodedata.bidirectional(letter) in {"NSM", "CS", "ON"}
        if last and neutral and (letter in _IGNORED or ord(letter) in covered[last[1]]):
            file, turned = last[1], last[2]
        else:
            file = next((name for name in files if ord(letter) in covered[name]), "")
        if not file:
            raise _missing(letter)
        if last and last[1] == file and last[2] == turned:
            pieces[-1] = (last[0] + letter, file, turned)
        else:
            pieces.append((letter, file, turned))
    return [Run(words, file, own.axes if file in own.files else (), turned) for words, file, turned in _apart(pieces)]


def _apart(pieces: list[tuple[str, str, bool]]) -> list[tuple[str, str, bool]]:
    """A space between two directions belongs to neither: it stays between them when the line is read from the right."""
    parts: list[tuple[str, str, bool]] = []
    for (words, file, turned), following in zip(pieces, [*pieces[1:], None], strict=True):
        bare = words.rstrip()
        if following and following[2] != turned and bare and bare != words:
            parts += [(bare, file, turned), (words[len(bare) :], file, turned)]
        else:
            parts.append((words, file, turned))
    return parts


def is_right_to_left(text: str) -> bool:
    """Whether its first strong letter runs from right to left."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


_open = threading.local()  # a font belongs to the thread that opened it: FreeType shares none


def font(file: str, size: int, axes: tuple[float, ...]) -> ImageFont.FreeTypeFont:
    kept: dict[tuple[str, int, tuple[float, ...]], ImageFont.FreeTypeFont] = getattr(_open, "fonts", None) or {}
    _open.fonts = kept
    key = (file, size, axes)
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        made = ImageFont.truetype(str(FONTS / file), size, layout_engine=ImageFont.Layout.RAQM)
        if axes:
            made.set_variation_by_axes(list(axes))
        kept[key] = made
    return kept[key]


def length(run: Run, size: int, locale: str, *, spacing: float = 0.0) -> float:
    """Pixels that the run takes."""
    drawn = font(run.file, size, run.axes)
    told = drawn.getlength(run.text, direction=_direction(run), language=locale, features=feature_list())
    return float(told) + spacing * size * len(run.text)


def _direction(run: Run) -> str:
    return "rtl" if run.right_to_left else "ltr"


def feature_list() -> list[str]:
    """Figures of one width, so that columns stand."""
    return ["kern", "tnum"]


def width_of(text: str, face: str, locale: str, size: float) -> float:
    """Pixels that a line takes at a size."""
    spacing = FACES[face].spacing
    return (
        sum(length(run, REFERENCE, locale, spacing=spacing) for run in runs_of(text, face, locale)) * size / REFERENCE
    )


def can_shape() -> bool:
    """Whether letters are joined and ordered as Arabic, Hebrew, Thai and Devanagari need it."""
    return bool(features.check("raqm"))


def _missing(letter: str) -> Problem:
    name = unicodedata.name(letter, f"U+{ord(letter):04X}").lower()
    return Problem(
        422,
        "glyph_missing",
        f"No typeface here has “{letter}” ({name}).",
        "Write it in another way, or take it out.",
        {"letter": letter},
    )
