"""The OpenRouter client."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from apps.providers import http
from apps.providers.openai_wire.client import WireClient
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.openrouter.dialect import DIALECT
from apps.providers.types import ModelInfo

_MILLION = 10**6


@dataclass(frozen=True)
class OpenRouterClient(WireClient):
    """`base` ends in /api/v1."""

    dialect: ClassVar[Dialect] = DIALECT
    health_path: ClassVar[str] = "/key"

    def models(self, *, seconds: float = 20) -> list[ModelInfo]:
        """What can be asked today, with prices."""
        return read_models(http.require_object("openrouter", self._ask("GET", "/models", seconds=seconds)))


def read_models(data: Any) -> list[ModelInfo]:
    listed = data.get("data") if isinstance(data, dict) else None
    items = listed if isinstance(listed, list) else []
    return [_model(item) for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _model(item: Mapping[str, Any]) -> ModelInfo:
    pricing, architecture = _object(item.get("pricing")), _object(item.get("architecture"))
    modalities = architecture.get("input_modalities")
    return ModelInfo(
        id=item["id"],
        images="image" in modalities if isinstance(modalities, list) else None,
        input_usd=_price(pricing.get("prompt")),
        cached_usd=_price(pricing.get("input_cache_read")),
        output_usd=_price(pricing.get("completion")),
    )


def _price(text: Any) -> Decimal | None:
    """Listed as words, in USD for one token; minus one where it depends."""
    try:
        usd = Decimal(text) * _MILLION
    except (TypeError, ValueError, InvalidOperation):
        return None
    return usd if usd.is_finite() and usd >= 0 else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
