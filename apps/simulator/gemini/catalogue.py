"""Gemini's models, how they think, and when they are routed to others."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from apps.simulator.chat.answer import INVENTED, Price

NEVER = date.max
_END_OF_2_5 = date(2026, 12, 1)


@dataclass(frozen=True, kw_only=True)
class Model:
    """`levels`: the thinking levels it takes, none where it takes a budget. From `ends` on `goes_to` answers, if any does."""

    id: str
    levels: tuple[str, ...] = ("low", "medium", "high")
    schema_with_search: bool = True
    ends: date = NEVER
    goes_to: str = ""
    price: Price = INVENTED

    def as_json(self) -> dict[str, Any]:
        return {
            "name": f"models/{self.id}",
            "version": "001",
            "displayName": self.id,
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
            "thinking": True,
        }


def _price(input_usd: str, output_usd: str) -> Price:
    return Price(
        input=Decimal(input_usd),
        cached=Decimal(input_usd) / 10,
        output=Decimal(output_usd),
        search=Decimal("0.014"),
    )


def _old(name: str, **more: Any) -> Model:
    return Model(id=name, levels=(), schema_with_search=False, **more)


MODELS = (
    Model(id="gemini-3.8-flash", price=_price("0.75", "3.75")),
    Model(id="gemini-3.7-flash"),
    Model(id="gemini-3.6-flash"),
    Model(id="gemini-3.5-flash", price=_price("1.50", "9.00")),
    Model(id="gemini-3.5-flash-lite"),
    Model(id="gemini-3.1-flash-lite", levels=("minimal", "low", "medium", "high"), price=_price("0.25", "1.50")),
    Model(id="gemini-3.1-pro-preview", price=_price("2", "12")),
    _old("gemini-2.5-pro", ends=_END_OF_2_5, goes_to="gemini-3.8-flash", price=_price("1.25", "10")),
    _old("gemini-2.5-flash", ends=_END_OF_2_5, goes_to="gemini-3.5-flash-lite", price=_price("0.30", "2.50")),
    _old("gemini-2.5-flash-lite", price=_price("0.10", "0.40")),
    _old("gemini-2.0-flash", ends=date(2026, 6, 1)),
)
_BY_NAME = {model.id: model for model in MODELS}


def find(name: str, now: float) -> Model | None:
    """The model that answers: from its last day on, the one that it is routed to."""
    model = _BY_NAME.get(name)
    if model and datetime.fromtimestamp(now, UTC).date() >= model.ends:
        return _BY_NAME.get(model.goes_to)
    return model
