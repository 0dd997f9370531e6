"""What a model says of brands: invented ones, each named more or less often, so that counting them has something to find.

The same question asked again is answered anew, as by a real model: `asked_before` is part of the dice.
"""

from dataclasses import dataclass
from typing import Any

from apps.simulator.chance import chance


@dataclass(frozen=True)
class Brand:
    """`presence`: how likely an answer names it. `site` is cited by answers that searched."""

    name: str
    presence: float
    praise: str
    site: str


BRANDS = (
    Brand("Ember & Oak", 0.55, "a warm, honest finish and parts that can be repaired", "emberandoak.example"),
    Brand("Northvale", 0.72, "the widest choice and quick delivery", "northvale.example"),
    Brand("Kestrel Home", 0.46, "clever details at a fair price", "kestrelhome.example"),
    Brand("Aldine", 0.38, "materials that age well", "aldine.example"),
    Brand("Lumen Studio", 0.30, "quiet design and good light", "lumenstudio.example"),
    Brand("Harbor Goods", 0.24, "a long guarantee", "harborgoods.example"),
    Brand("Fenwick & Daughters", 0.16, "small runs made by hand", "fenwick.example"),
    Brand("Mirabel", 0.10, "colours that nobody else has", "mirabel.example"),
)
_PRESS = ("homeweekly.example", "thebench.example", "buyersguide.example", "en.wikipedia.example")
_STANCES = ("recommended", "named", "alternative")
WEB_OFFSET = 0.08  # what is found on the web names the small ones a little more often


@dataclass(frozen=True)
class Opinion:
    """An answer about brands: its words, the brands in the order they are named, the pages it leans on."""

    text: str
    brands: tuple[Brand, ...]
    sources: tuple[tuple[str, str], ...]

    def structured(self) -> dict[str, Any]:
        """As the schema of an answer about brands has it."""
        entities = [
            {
                "name": brand.name,
                "quote": brand.praise,
                "stance": _STANCES[min(place, 2)],
                "sentiment": "very_positive" if place == 0 else "positive",
                "recommendation": "first_choice" if place == 0 else "recommended" if place < 3 else "option",
            }
            for place, brand in enumerate(self.brands)
        ]
        return {
            "answer": self.text,
            "entities": entities,
            "sources": [{"url": url, "title": title} for url, title in self.sources],
        }


def opinion_on(question: str, *, model: str, searches: bool, asked_before: int, seed: int) -> Opinion:
    dice = chance(seed, question, model, searches, asked_before)
    offset = WEB_OFFSET if searches else 0.0
    named = [brand for brand in BRANDS if dice.random() < brand.presence + offset * (1 - brand.presence)]
    named.sort(key=lambda brand: dice.random() ** (1 / brand.presence), reverse=True)
    if not named:
        return Opinion("It depends on what matters to you: price, material, or how long it should last.", (), ())
    lines = [f"{place}. **{brand.name}** – {brand.praise}." for place, brand in enumerate(named, start=1)]
    text = "\n".join(["A few are named again and again:", "", *lines, "", f"If in doubt, begin with {named[0].name}."])
    return Opinion(text, tuple(named), tuple(_sources(named, dice)) if searches else ())


def _sources(named: list[Brand], dice: Any) -> list[tuple[str, str]]:
    own = [(f"https://www.{brand.site}/", brand.name) for brand in named if dice.random() < 0.4]
    press = [(f"https://{site}/best-of-2026", site) for site in dice.sample(_PRESS, 2)]
    return [*own, *press]


def is_about_brands(schema: dict[str, Any] | None) -> bool:
    return {"answer", "entities"} <= set((schema or {}).get("properties", {}))
