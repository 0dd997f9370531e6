"""Text fitted into boxes: the largest size of its role at which it fits, in lines of about one length."""

import re
from functools import cache

import budoux
import pyphen

from apps.core.errors import Problem
from apps.listings.drawing.faces import is_right_to_left, width_of
from apps.listings.drawing.plans import Box, Role, Words
from apps.listings.hexes import Rgb
from apps.listings.imaging.colour import contrast, legible

SOFT = "\u00ad"
SHORTEST_DIVIDED = 9  # letters
LARGE = 96  # pixels: from here on a contrast of 3 is enough
_UNITS = re.compile(r"(?<=\d) (?=[^\W\d_]{1,3}\b|[°%])")
_NO_SPACES = {"ja", "zh", "th"}


def set_in(
    text: str,
    role: Role,
    box: Box,
    *,
    face: str,
    locale: str,
    colour: Rgb,
    ground: Rgb,
    align: str = "left",
    anchor: str = "top",
    largest: int | None = None,
) -> Words:
    """The words as large as they fit. `anchor`: where in the box they stand, top, middle or bottom.

    Problem 422 `text_too_long` says how many characters must go; `glyph_missing` as of faces.runs_of.
    """
    text = glued(text)
    if len(text) > role.characters * 2:
        raise too_long(text, role, len(text) - role.characters)
    found = _largest(text, role, box, face, locale, largest or role.largest)
    if found is None:
        raise too_long(text, role, _surplus(text, role, box, face, locale))
    size, lines = found
    height = round(size * role.leading * (len(lines) - 1) + size * 1.16)
    top = {"top": box.top, "middle": box.top + (box.height - height) // 2, "bottom": box.bottom - height}[anchor]
    width = round(max(width_of(line, face, locale, size) for line in lines))
    left = {"left": box.left, "centre": round(box.centre[0] - width / 2), "right": box.right - width}[align]
    shown = legible(colour, ground, least=3.0 if size >= LARGE else 4.5)
    return Words(
        text=text,
        role=role.name,
        face=face,
        size=size,
        lines=tuple(lines),
        box=Box(left, top, left + width, top + height),
        colour=shown,
        align=align,
        leading=role.leading,
        ground=ground,
    )


def glued(text: str) -> str:
    """A figure and its unit stay on one line."""
    return _UNITS.sub("\u00a0", " ".join(text.split()))


def _largest(text: str, role: Role, box: Box, face: str, locale: str, largest: int) -> tuple[int, list[str]] | None:
    low, high, best = role.smallest, max(role.smallest, min(largest, role.largest)), None
    for divided in (False, True):  # words are divided only where the text does not fit otherwise
        while low <= high:
            size = (low + high) // 2
            lines = broken(text, face, locale, size, box.width, role.lines, divided=divided)
            if lines and size * role.leading * (len(lines) - 1) + size * 1.16 <= box.height:
                best, low = (size, lines), size + 1
            else:
                high = size - 1
        if best or role.lines == 1:
            return best
        low, high = role.smallest, max(role.smallest, min(largest, role.largest))
    return best


def broken(
    text: str, face: str, locale: str, size: int, width: float, most: int, *, divided: bool = False
) -> list[str] | None:
    """At most so many lines of at most that width, as even as they can be; None when there are not enough of them.

    `divided`: long words may be divided at their syllables.
    """
    parts = pieces(text, locale, divided=divided)
    hyphen = width_of("-", face, locale, size) if divided else 0.0
    widths = [width_of(part.rstrip(f" {SOFT}"), face, locale, size) for part in parts]
    if max(widths) > width:
        return None
    space = width_of(" ", face, locale, size)

    def long(first: int, end: int) -> float:
        spaces = sum(1 for part in parts[first : end - 1] if part.endswith(" "))
        return sum(widths[first:end]) + spaces * space + (hyphen if parts[end - 1].endswith(SOFT) else 0)

    @cache
    def best(first: int, lines: int) -> tuple[float, tuple[int, ...]] | None:
        """The least raggedness of what begins at `first` in exactly so many lines, and where those begin."""
        if lines == 1:
            here = long(first, len(parts))
            return ((width - here) ** 2, (first,)) if here <= width else None
        found: tuple[float, tuple[int, ...]] | None = None
        for end in range(first + 1, len(parts) - lines + 2):
            here = long(first, end)
            if here > width:
                break
            rest = best(end, lines - 1)
            if rest and (found is None or (width - here) ** 2 + rest[0] < found[0]):
                found = ((width - here) ** 2 + rest[0], (first, *rest[1]))
        return found

    for lines in range(1, min(most, len(parts)) + 1):
        told = best(0, lines)
        if told:
            ends = [*told[1][1:], len(parts)]
            return [_line(parts[a:b]) for a, b in zip(told[1], ends, strict=True)]
    return None


def _line(parts: list[str]) -> str:
    joined = "".join(parts).strip(" ")
    return joined.removesuffix(SOFT).replace(SOFT, "") + ("-" if joined.endswith(SOFT) else "")


def pieces(text: str, locale: str, *, divided: bool = False) -> list[str]:
    """Where a line may end: after spaces, and in Japanese, Chinese and Thai between phrases."""
    language = locale.partition("-")[0].lower()
    if language in _NO_SPACES and not text.isascii():
        return [part for phrase in _parser(language).parse(text) for part in re.findall(r"\S+ ?|\s", phrase) if part]
    words = text.split(" ")
    spaced = [f"{word} " for word in words[:-1]] + [words[-1]]
    return [part for word in spaced for part in _syllables(word, language)] if divided else spaced


def _syllables(word: str, language: str) -> list[str]:
    if len(word) < SHORTEST_DIVIDED or language not in pyphen.LANGUAGES:
        return [word]
    parts = _dictionary(language).inserted(word, SOFT).split(SOFT)
    return [f"{part}{SOFT}" for part in parts[:-1]] + [parts[-1]]


@cache
def _dictionary(language: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=language, left=4, right=4)


@cache
def _parser(language: str) -> budoux.Parser:
    load = {
        "ja": budoux.load_default_japanese_parser,
        "zh": budoux.load_default_simplified_chinese_parser,
        "th": budoux.load_default_thai_parser,
    }
    return load[language]()


def reads_from_right(text: str) -> bool:
    return is_right_to_left(text)


def contrast_of(words: Words) -> float | None:
    """As planned; None where the ground is a picture."""
    return contrast(words.colour, words.ground) if words.ground else None


def _surplus(text: str, role: Role, box: Box, face: str, locale: str) -> int:
    """How many characters must go at the smallest size, about."""
    fits = box.width * role.lines
    return max(1, round(len(text) * (1 - fits / max(width_of(text, face, locale, role.smallest), 1.0))))


def too_long(text: str, role: Role, surplus: int) -> Problem:
    return Problem(
        422,
        "text_too_long",
        f"“{text}” is too long for a {role.name}: at a size that a phone shows legibly, {surplus} characters are too many.",
        f"Shorten it by {surplus} characters.",
        {"text": text, "surplus": surplus},
    )
