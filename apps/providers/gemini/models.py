"""Gemini's models. Sources: ai.google.dev, models, prices and deprecations, read 22 Nov 2026."""

from datetime import date
from decimal import Decimal
from typing import Any

from apps.providers.catalogue import Model, TokenPrice, Web, tokens

_SEARCH_USD = Decimal("0.014")  # of one search query of the third generation
_END_OF_2_5 = date(2026, 12, 1)
_END_OF_2 = date(2026, 6, 1)


def _third(name: str, *prices: TokenPrice, efforts: tuple[str, ...] = ("low", "medium", "high")) -> Model:
    """Of the third generation: thinks by levels, and takes a schema together with a search."""
    return Model(
        name,
        "gemini",
        efforts=efforts,
        reasons=True,
        web=Web.IN_THE_CALL,
        search_usd=_SEARCH_USD,
        prices=prices,
    )


def _second(name: str, *prices: TokenPrice, **more: Any) -> Model:
    return Model(name, "gemini", reasons=True, web=Web.IN_THE_CALL, schema_with_web=False, prices=prices, **more)


MODELS: tuple[Model, ...] = (
    _third("gemini-3.8-flash", tokens(date(2026, 9, 1), "0.75", "0.075", "3.75"),
           tokens(date(2027, 1, 1), "1.50", "0.15", "7.50")),
    _third("gemini-3.7-flash"),
    _third("gemini-3.6-flash"),
    _third("gemini-3.5-flash", tokens(date(2026, 5, 1), "1.50", "0.15", "9.00")),
    _third("gemini-3.5-flash-lite"),
    _third("gemini-3.1-flash-lite", tokens(date(2026, 3, 1), "0.25", "0.025", "1.50"),
           efforts=("minimal", "low", "medium", "high")),
    _third("gemini-3.1-pro-preview", tokens(date(2026, 2, 1), "2", "0.20", "12", 200_000)),
    _second("gemini-2.5-pro", retired=_END_OF_2_5, redirects_to="gemini-3.8-flash", successor="gemini-3.8-flash"),
    _second("gemini-2.5-flash", retired=_END_OF_2_5, redirects_to="gemini-3.5-flash-lite",
            successor="gemini-3.5-flash-lite"),
    _second("gemini-2.5-flash-lite", tokens(date(2025, 7, 22), "0.10", "0.01", "0.40")),
    Model("gemini-2.0-flash", "gemini", retired=_END_OF_2, successor="gemini-3.8-flash"),
    Model("gemini-2.0-flash-lite", "gemini", retired=_END_OF_2, successor="gemini-3.5-flash-lite"),
)  # fmt: skip
