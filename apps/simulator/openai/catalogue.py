"""OpenAI's chat models, which of them reason, and when they end."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from apps.simulator.chat.answer import INVENTED, Price

NEVER = date.max


@dataclass(frozen=True, kw_only=True)
class Model:
    """`snapshot`: the dated name that answers carry. `ends`: from that day on there is no such model."""

    id: str
    reasons: bool = True
    always_searches: bool = False
    snapshot: str = ""
    ends: date = NEVER
    price: Price = INVENTED
    efforts: tuple[str, ...] = ("none", "low", "medium", "high", "xhigh")

    def is_there(self, now: float) -> bool:
        return datetime.fromtimestamp(now, UTC).date() < self.ends

    def as_json(self) -> dict[str, Any]:
        ends = None if self.ends == NEVER else self.ends.isoformat()
        return {"id": self.id, "object": "model", "created": 1780000000, "owned_by": "openai", "shutdown_date": ends}


def _price(input_usd: str, cached_usd: str, output_usd: str) -> Price:
    return Price(input=Decimal(input_usd), cached=Decimal(cached_usd), output=Decimal(output_usd))


_OLD = ("low", "medium", "high")
MODELS = (
    *(Model(id=name) for name in ("gpt-6.2-sol", "gpt-6.2-astra", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-sol", "gpt-6-astra")),
    Model(id="gpt-6-luna", price=_price("0.10", "0.01", "0.50")),
    *(Model(id=name) for name in ("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5", "gpt-5.4")),
    Model(id="gpt-5.4-mini", snapshot="gpt-5.4-mini-2026-03-17"),
    Model(id="gpt-5.4-nano", ends=date(2027, 4, 1)),
    Model(id="gpt-5.1", ends=date(2027, 4, 1), price=_price("1.25", "0.125", "10")),
    Model(id="gpt-5", ends=date(2026, 12, 11), price=_price("1.25", "0.125", "10"), efforts=_OLD),
    Model(id="gpt-5-mini", ends=date(2026, 12, 11), price=_price("0.25", "0.025", "2"), efforts=_OLD),
    Model(id="gpt-5-nano", ends=date(2026, 12, 11), price=_price("0.05", "0.005", "0.40"), efforts=_OLD),
    Model(id="o3", ends=date(2026, 12, 11), price=_price("2", "0.50", "8"), efforts=_OLD),
    Model(id="gpt-4.1", reasons=False, ends=date(2027, 1, 14), price=_price("2", "0.50", "8")),
    Model(id="gpt-4.1-mini", reasons=False, ends=date(2027, 1, 14), price=_price("0.40", "0.10", "1.60")),
    Model(id="gpt-4o", reasons=False, ends=date(2027, 1, 14), price=_price("2.50", "1.25", "10")),
    Model(id="gpt-4o-mini", reasons=False, snapshot="gpt-4o-mini-2024-07-18", ends=date(2027, 1, 14),
          price=_price("0.15", "0.075", "0.60")),
    Model(id="gpt-5-search-api", reasons=False, always_searches=True, price=_price("1.25", "0.125", "10")),
)  # fmt: skip
_BY_NAME = {name: model for model in MODELS for name in (model.id, model.snapshot) if name}


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A model that makes pictures. USD for a million tokens: words in, pictures in, pictures out."""

    id: str
    ends: date = NEVER
    text: Decimal = Decimal(5)
    picture: Decimal = Decimal(8)
    output: Decimal = Decimal(30)


_END_OF_1 = date(2026, 12, 1)
PAINTERS = (
    *(Painter(id=f"gpt-image-{name}") for name in ("2", "2.5-sunburst", "2.5-flare", "2.6-sunburst", "2.6-flare")),
    Painter(id="gpt-image-1-mini", ends=_END_OF_1, text=Decimal(2), picture=Decimal("2.50"), output=Decimal(8)),
    Painter(id="gpt-image-1.5", ends=_END_OF_1),
)


def find_painter(name: str, now: float) -> Painter | None:
    day = datetime.fromtimestamp(now, UTC).date()
    return next((one for one in PAINTERS if one.id == name and day < one.ends), None)


def find(name: str, now: float) -> Model | None:
    model = _BY_NAME.get(name)
    return model if model and model.is_there(now) else None
