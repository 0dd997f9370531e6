"""Whether what a text says stands among the facts: every figure with a unit, and properties that buyers rely on.

It finds figures and the listed properties. It cannot find a false adjective: the page says so.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from apps.listings.aplus.linting import BLOCK, Finding
from apps.listings.aplus.pages import Page, texts_of
from apps.listings.units import UNITS, Amount, amount_of, number_of

TOLERANCE = Decimal("0.02")  # of a figure: what rounding into another unit may change
_EXTRA = {"minutes": "min", "minute": "min", "hours": "h", "hour": "h", "days": "d", "day": "d", "years": "y", "year": "y",
          "inches": "in", "inch": "in", "ounces": "oz", "grams": "g", "millilitres": "ml", "milliliters": "ml",
          "litres": "l", "liters": "l", "pieces": "pcs", "degrees": "°C", "percent": "%", "prozent": "%", "minuten": "min",
          "stunden": "h", "jahre": "y", "heures": "h", "ans": "y", "horas": "h", "años": "y", "ore": "h", "anni": "y",
          "分": "min", "時間": "h", "年": "y", "millimetres": "mm", "millimeters": "mm", "centimetres": "cm",
          "centimeters": "cm"}  # fmt: skip
_UNIT = "|".join(sorted((re.escape(unit) for unit in (*UNITS, *_EXTRA)), key=len, reverse=True))
_FIGURE = re.compile(rf"(\d[\d.,\u202f\u00a0']*)[\s\u00a0-]?({_UNIT})(?![A-Za-zÀ-ÿ])", re.IGNORECASE)
_SPELT = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
         "hundred": 100}  # fmt: skip
# A word of the text → words of which one must stand in a fact.
_PROPERTIES = {
    "dishwasher": ("dishwasher", "spülmaschine", "lave-vaisselle", "lavavajillas", "lavastoviglie", "食洗機"),
    "microwave": ("microwave", "mikrowelle", "micro-ondes", "microondas", "電子レンジ"),
    "oven": ("oven", "ofen", "four", "horno", "forno", "オーブン"),
    "waterproof": ("waterproof", "wasserdicht", "étanche", "impermeable", "impermeabile", "防水"),
    "stainless": ("stainless", "edelstahl", "inoxydable", "inoxidable", "inossidabile", "ステンレス"),
    "handmade": ("handmade", "by hand", "handgefertigt", "fait main", "hecho a mano", "fatto a mano", "手作り"),
    "vegan": ("vegan", "végan", "vegano", "ヴィーガン"),
    "organic": ("organic", "biologique", "orgánico", "biologico", "オーガニック"),
    "made in": ("made in", "hergestellt in", "fabriqué en", "hecho en", "prodotto in", "日本製"),
    "bpa": ("bpa",),
    "leakproof": ("leakproof", "leak-proof", "auslaufsicher", "anti-fuite", "antigoteo", "漏れない"),
}


def unproven(page: Page, *, locale: str, facts: Sequence[tuple[str, str, str]]) -> list[Finding]:
    """`facts`: (key, label, value) of each, as the seller confirmed them."""
    known = list(_amounts(" ; ".join(f"{label} {value}" for _, label, value in facts), locale))
    known += [told for _, _, value in facts if (told := amount_of(value, locale))]
    words = " ".join(f"{key} {label} {value}" for key, label, value in facts).lower()
    found = []
    for pointer, text in texts_of(page):
        if pointer.endswith(".altText"):
            continue
        for said, told in _told(text, locale):
            if not any(_same(told, other) for other in known):
                found.append(Finding(pointer, "claim", BLOCK, said, f"No fact says {said}."))
        found += [
            Finding(pointer, "claim", BLOCK, word, f"No fact says {word}.")
            for word in _properties(text.lower())
            if not any(each in words for each in _PROPERTIES[word])
        ]
    return found


def _told(text: str, locale: str) -> Iterator[tuple[str, Amount]]:
    """Every figure with its unit, in digits or in words."""
    for match in _FIGURE.finditer(text):
        value = number_of(match[1].rstrip(".,"), locale)
        if value is not None:
            yield match[0].strip(), Amount(value, _unit(match[2]))
    words = re.findall(r"[a-z]+", text.lower())
    for place, unit in enumerate(words):
        if unit in _EXTRA and (counted := _spelt(words[max(0, place - 2) : place])):
            number, said = counted
            yield f"{said} {unit}", Amount(Decimal(number), _EXTRA[unit])


def _amounts(text: str, locale: str) -> Iterator[Amount]:
    for _, told in _told(text, locale):
        yield told


def _spelt(words: Sequence[str]) -> tuple[int, str] | None:
    """A number in words at the end of these: forty, forty five."""
    if not words:
        return None
    *before, last = words
    ones = _SPELT.index(last) if last in _SPELT else None
    if ones is not None and before and before[-1] in _TENS and 0 < ones < 10:
        return _TENS[before[-1]] + ones, f"{before[-1]} {last}"
    value = ones if ones is not None else _TENS.get(last)
    return None if value is None else (value, last)


def _unit(text: str) -> str:
    known = {unit.lower(): unit for unit in UNITS}
    return _EXTRA.get(text.lower(), known.get(text.lower(), text))


def _same(first: Amount, second: Amount) -> bool:
    (a, unit), (b, other) = first.base, second.base
    return unit == other and abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def _properties(text: str) -> Iterator[str]:
    for word, names in _PROPERTIES.items():
        if any(
            re.search(rf"(?<!\w){re.escape(name)}", text) for name in names if name.isascii() and len(name) > 3
        ) or any(name in text for name in names if not name.isascii()):
            yield word


def facts_told(facts: Sequence[Any]) -> list[tuple[str, str, str]]:
    """Of fact rows."""
    return [(fact.key, fact.label, fact.value) for fact in facts]
