"""The xAI client."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from apps.providers import http
from apps.providers.openai_wire.client import WireClient
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.types import ModelInfo
from apps.providers.xai.dialect import DIALECT

_PRICE_UNITS = Decimal(10_000)  # listed in USD cents for 100 million tokens


@dataclass(frozen=True)
class XaiClient(WireClient):
    """`base` ends in /v1."""

    dialect: ClassVar[Dialect] = DIALECT
    health_path: ClassVar[str] = "/api-key"

    def models(self, *, seconds: float = 10) -> list[ModelInfo]:
        """What can be asked today, with prices."""
        return read_models(http.require_object("xai", self._ask("GET", "/language-models", seconds=seconds)))


def read_models(data: Any) -> list[ModelInfo]:
    """From /language-models ("models", with prices) or /models ("data")."""
    listed = (data.get("models") or data.get("data")) if isinstance(data, dict) else None
    return [_model(item) for item in _list(listed) if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _model(item: Mapping[str, Any]) -> ModelInfo:
    modalities = item.get("input_modalities")
    return ModelInfo(
        id=item["id"],
        aliases=tuple(alias for alias in _list(item.get("aliases")) if isinstance(alias, str)),
        images="image" in modalities if isinstance(modalities, list) else None,
        input_usd=_price(item.get("prompt_text_token_price")),
        cached_usd=_price(item.get("cached_prompt_text_token_price")),
        output_usd=_price(item.get("completion_text_token_price")),
    )


def _price(units: Any) -> Decimal | None:
    return Decimal(units) / _PRICE_UNITS if isinstance(units, int) and not isinstance(units, bool) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
