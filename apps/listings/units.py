"""Amounts with their units, exact, and shown as a locale writes them."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MILLIMETRES = {"mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000), "in": Decimal("25.4"), "ft": Decimal("304.8")}
GRAMS = {
    "mg": Decimal("0.001"),
    "g": Decimal(1),
    "kg": Decimal(1000),
    "oz": Decimal("28.349523125"),
    "lb": Decimal("453.59237"),
}
MILLILITRES = {"ml": Decimal(1), "cl": Decimal(10), "l": Decimal(1000), "fl oz": Decimal("29.5735295625")}
OTHERS = ("°C", "°F", "W", "kW", "V", "A", "mAh", "Wh", "Hz", "h", "min", "s", "%", "bar", "dB", "pcs")
KINDS = (MILLIMETRES, GRAMS, MILLILITRES)
UNITS = (*(unit for kind in KINDS for unit in kind), *OTHERS)
_SPELT = {"″": "in", '"': "in", "inch": "in", "inches": "in", "litre": "l", "liter": "l", "gram": "g", "grams": "g",
          "zoll": "in", "mililitres": "ml", "millilitre": "ml", "hours": "h", "minutes": "min", "lbs": "lb", "L": "l"}  # fmt: skip
_AMOUNT = re.compile(r"([-+]?\d[\d.,\u00a0\u202f' ]*)\s*(.*)", re.DOTALL)
_IMPERIAL = {"en-US"}
_COMMA = {"de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi", "nb", "cs", "tr", "ru", "uk", "el", "ro", "hu"}
_SPACED = {"fr", "sv", "fi", "nb", "cs", "pl", "ru", "uk", "hu"}


@dataclass(frozen=True)
class Amount:
    """`value` has the precision it was given in. `unit` is one of UNITS, or empty."""

    value: Decimal
    unit: str

    def in_unit(self, unit: str) -> "Amount | None":
        """The same in another unit of its kind, with as many figures as were given and one more; None for another kind."""
        kind = next((kind for kind in KINDS if self.unit in kind and unit in kind), None)
        if kind is None:
            return None
        exact = self.value * kind[self.unit] / kind[unit]
        figures = len(self.value.normalize().as_tuple().digits)
        places = max(0, min(2, max(figures, 2) - 1 - exact.adjusted()))
        return Amount(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), unit)

    @property
    def millimetres(self) -> Decimal | None:
        return self.value * MILLIMETRES[self.unit] if self.unit in MILLIMETRES else None

    @property
    def base(self) -> tuple[Decimal, str]:
        """In the smallest whole of its kind, by which amounts are compared."""
        for kind, name in ((MILLIMETRES, "mm"), (GRAMS, "g"), (MILLILITRES, "ml")):
            if self.unit in kind:
                return self.value * kind[self.unit], name
        return self.value, self.unit


def amount_of(text: str, locale: str = "en-US") -> Amount | None:
    """`80 ml`, `1.280 °C` (German), `4,7 in`: what the text says when it is nothing but an amount; None otherwise."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    value = number_of(match[1], locale)
    unit = unit_of(match[2])
    return None if value is None or unit is None else Amount(value, unit)


def unit_of(text: str) -> str | None:
    """As UNITS writes it; empty for none, None for what is no unit."""
    given = " ".join(text.split())
    if not given:
        return ""
    known = {unit.lower(): unit for unit in UNITS} | {name.lower(): unit for name, unit in _SPELT.items()}
    return given if given in UNITS else known.get(given.lower().rstrip("."))


def number_of(text: str, locale: str) -> Decimal | None:
    """A number as the locale writes it: which of , and . parts the decimals follows from it where it is not plain."""
    digits = re.sub(r"[\u00a0\u202f' ]", "", text)
    comma = locale.partition("-")[0].lower() in _COMMA
    group, point = (".", ",") if comma else (",", ".")
    last = max(digits.rfind(","), digits.rfind("."))
    if last >= 0 and digits.count(digits[last]) == 1 and not re.fullmatch(r"[-+]?\d{1,3}[.,]\d{3}", digits):
        group, point = ("," if digits[last] == "." else "."), digits[last]
    if point in digits and not re.fullmatch(rf"[-+]?[\d{re.escape(group)}]*{re.escape(point)}\d+", digits):
        return None
    try:
        return Decimal(digits.replace(group, "").replace(point, "."))
    except InvalidOperation:
        return None


def shown(amount: Amount, locale: str) -> str:
    """`1.280 °C` in German, `1,280 °C` in English; figure and unit parted by a space that does not break."""
    language = locale.partition("-")[0].lower()
    comma = language in _COMMA
    text = f"{amount.value.normalize():,f}" if amount.value == amount.value.to_integral() else f"{amount.value:,f}"
    group = "\u202f" if language in _SPACED else ("." if comma else ",")
    text = text.replace(",", "\0").replace(".", "," if comma else ".").replace("\0", group)
    return f"{text}\u00a0{amount.unit}" if amount.unit else text


def in_both(amount: Amount, locale: str) -> str:
    """A measure in centimetres and inches, the locale's own first."""
    metric = amount if amount.unit in ("mm", "cm", "m") else amount.in_unit("cm")
    imperial = amount if amount.unit in ("in", "ft") else amount.in_unit("in")
    if metric is None or imperial is None:
        return shown(amount, locale)
    first, second = (imperial, metric) if locale in _IMPERIAL else (metric, imperial)
    return f"{shown(first, locale)} · {shown(second, locale)}"
