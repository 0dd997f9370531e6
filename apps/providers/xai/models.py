"""xAI's language models. Sources: docs.x.ai, models and migration pages, read 22 Nov 2026."""

from datetime import date
from decimal import Decimal
from typing import Any

from apps.providers.catalogue import Model, TokenPrice, Web, tokens

_FLAGSHIP = (tokens(date(2026, 7, 1), "2.00", "0.50", "6.00", 200_000),)
_SMALL = (tokens(date(2026, 4, 1), "1.25", "0.20", "2.50", 200_000),)
_GROK_4_3 = (tokens(date(2026, 4, 1), "1.25", "0.20", "2.50", None),)
_XAI_RETIREMENT = date(2026, 5, 15)
_SEARCH_USD = Decimal("0.005")  # a web search; a third party's figure, unverified


def _grok(name: str, efforts: tuple[str, ...], prices: tuple[TokenPrice, ...], **more: Any) -> Model:
    return Model(name, "xai", efforts=efforts, prices=prices, web=Web.RESPONSES, search_usd=_SEARCH_USD, **more)


def _retired(name: str, *aliases: str) -> Model:
    return Model(
        name, "xai", aliases=aliases, retired=_XAI_RETIREMENT, redirects_to="grok-4.3", successor="grok-4.3",
        prices=_GROK_4_3,
    )  # fmt: skip


MODELS: tuple[Model, ...] = (
    _grok("grok-4.7", ("low", "medium", "high", "xhigh"), _FLAGSHIP, reasons=True),
    _grok("grok-4.6", ("low", "medium", "high", "xhigh"), _FLAGSHIP, reasons=True),
    _grok("grok-4.5", ("low", "medium", "high"), _FLAGSHIP, reasons=True),
    _grok("grok-4.3", ("none", "low", "medium", "high"), _GROK_4_3, reasons=True),
    _grok("grok-4.20-0309-reasoning", (), _SMALL, reasons=True, aliases=("grok-4.20", "grok-4.20-reasoning")),
    _grok("grok-4.20-0309-non-reasoning", (), _SMALL, aliases=("grok-4.20-non-reasoning",)),
    _retired("grok-4-0709", "grok-4", "grok-4-latest"),
    _retired("grok-4-fast-reasoning", "grok-4-fast"),
    _retired("grok-4-fast-non-reasoning"),
    _retired("grok-4-1-fast-reasoning", "grok-4-1-fast"),
    _retired("grok-4-1-fast-non-reasoning"),
    _retired("grok-3", "grok-3-latest"),
    _retired("grok-code-fast-1"),
    Model("grok-2-vision-1212", "xai", aliases=("grok-2-vision", "grok-2-vision-latest"), retired=date(2026, 3, 1),
          successor="grok-4.3"),
    Model("grok-2-image-1212", "xai", images=False, aliases=("grok-2-image",), retired=date(2026, 3, 1),
          successor="grok-imagine-image-2.0"),
)  # fmt: skip
