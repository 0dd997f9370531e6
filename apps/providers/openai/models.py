"""OpenAI's models for chat and pictures. Sources: the docstrings of its Python library 3.54.0, its deprecations page and, of prices, its
price page and third parties, read 22 Nov 2026. A model without a price is estimated as the dearest that has one.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from apps.providers.catalogue import Model, PicturePrice, TokenPrice, Web, tokens

_SEARCH_USD = Decimal("0.01")  # of one web search, besides its tokens
_END_OF_5 = date(2026, 12, 11)
_END_OF_4 = date(2027, 1, 14)
_END_OF_OLD = date(2026, 10, 23)
_REASONING = ("low", "medium", "high")
_SINCE_5_1 = ("none", "low", "medium", "high", "xhigh")


def _gpt(name: str, *prices: TokenPrice, efforts: tuple[str, ...] = _SINCE_5_1, **more: Any) -> Model:
    """One that reasons: it takes no temperature, and searches by the Responses interface only."""
    return Model(
        name,
        "openai",
        efforts=efforts,
        reasons=True,
        temperature=False,
        web=Web.RESPONSES,
        search_usd=_SEARCH_USD,
        prices=prices,
        **more,
    )


def _plain(name: str, *prices: TokenPrice, **more: Any) -> Model:
    return Model(name, "openai", web=Web.RESPONSES, search_usd=_SEARCH_USD, prices=prices, **more)


def _paints(name: str) -> Model:
    """One that makes pictures."""
    price = PicturePrice(date(2026, 4, 21), Decimal(5), Decimal(8), Decimal(30))
    return Model(name, "openai", max_images=16, schema=False, temperature=False, picture_prices=(price,))


def _gone(name: str, successor: str) -> Model:
    return Model(name, "openai", retired=_END_OF_OLD, successor=successor)


MODELS: tuple[Model, ...] = (
    _gpt("gpt-6.2-sol"),
    _gpt("gpt-6.2-astra"),
    _gpt("gpt-6.1-sol"),
    _gpt("gpt-6.1-terra"),
    _gpt("gpt-6-sol"),
    _gpt("gpt-6-astra"),
    _gpt("gpt-6-luna", tokens(date(2026, 9, 1), "0.10", "0.01", "0.50")),
    _gpt("gpt-5.6-sol"),
    _gpt("gpt-5.6-terra"),
    _gpt("gpt-5.6-luna"),
    _gpt("gpt-5.5"),
    _gpt("gpt-5.4"),
    _gpt("gpt-5.4-mini"),
    _gpt("gpt-5.4-nano", retired=date(2027, 4, 1), successor="gpt-6-luna"),
    _gpt("gpt-5.1", tokens(date(2025, 11, 13), "1.25", "0.125", "10"), retired=date(2027, 4, 1), successor="gpt-5.5"),
    _gpt("gpt-5", tokens(date(2025, 8, 7), "1.25", "0.125", "10"), efforts=_REASONING, retired=_END_OF_5, successor="gpt-5.5"),
    _gpt("gpt-5-mini", tokens(date(2025, 8, 7), "0.25", "0.025", "2"), efforts=_REASONING, retired=_END_OF_5,
         successor="gpt-5.4-mini"),
    _gpt("gpt-5-nano", tokens(date(2025, 8, 7), "0.05", "0.005", "0.40"), efforts=_REASONING, retired=_END_OF_5,
         successor="gpt-6-luna"),
    _gpt("o3", tokens(date(2025, 6, 10), "2", "0.50", "8"), efforts=_REASONING, retired=_END_OF_5, successor="gpt-5.5"),
    _plain("gpt-4.1", tokens(date(2025, 4, 14), "2", "0.50", "8"), retired=_END_OF_4, successor="gpt-5.4"),
    _plain("gpt-4.1-mini", tokens(date(2025, 4, 14), "0.40", "0.10", "1.60"), retired=_END_OF_4, successor="gpt-5.4-mini"),
    _plain("gpt-4o", tokens(date(2024, 10, 2), "2.50", "1.25", "10"), retired=_END_OF_4, successor="gpt-5.4"),
    _plain("gpt-4o-mini", tokens(date(2024, 7, 18), "0.15", "0.075", "0.60"), retired=_END_OF_4, successor="gpt-5.4-mini"),
    Model("gpt-5-search-api", "openai", images=False, temperature=False, schema_with_web=False, web=Web.ALWAYS,
          search_usd=_SEARCH_USD, prices=(tokens(date(2025, 10, 14), "1.25", "0.125", "10"),)),
    _paints("gpt-image-2"),
    _paints("gpt-image-2.5-sunburst"),
    _paints("gpt-image-2.5-flare"),
    _paints("gpt-image-2.6-sunburst"),
    _paints("gpt-image-2.6-flare"),
    Model("gpt-image-1-mini", "openai", max_images=16, retired=date(2026, 12, 1), successor="gpt-image-2.6-flare",
          picture_prices=(PicturePrice(date(2025, 10, 6), Decimal(2), Decimal("2.50"), Decimal(8)),)),
    Model("gpt-image-1.5", "openai", max_images=16, retired=date(2026, 12, 1), successor="gpt-image-2.6-sunburst"),
    Model("gpt-image-1", "openai", max_images=16, retired=_END_OF_OLD, successor="gpt-image-2.6-sunburst"),
    Model("dall-e-3", "openai", images=False, retired=date(2026, 5, 12), successor="gpt-image-2.6-sunburst"),
    _gone("gpt-4", "gpt-5.4"),
    _gone("gpt-4-turbo", "gpt-5.4"),
    _gone("gpt-3.5-turbo", "gpt-5.4-mini"),
    _gone("o1", "gpt-5.5"),
    _gone("o3-mini", "gpt-5.4-mini"),
    _gone("o4-mini", "gpt-5.4-mini"),
    _gone("gpt-4.1-nano", "gpt-6-luna"),
)  # fmt: skip
