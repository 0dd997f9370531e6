"""Prices as WaveSpeed tells them, kept by each process for some minutes."""

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

KEPT_SECONDS = 300
MOST_KEPT = 500
_WORDS = {"prompt", "negative_prompt", "seed"}  # what never sets a price

_prices: dict[str, tuple[float, Decimal]] = {}


def key_of(base: str, model: str, inputs: Mapping[str, Any]) -> str:
    """Inputs of one price: of pictures only their number counts, of a prompt nothing."""
    facts = {
        name: len(value) if isinstance(value, list) else value
        for name, value in inputs.items()
        if name not in _WORDS and not str(value).startswith(("http", "data:"))
    }
    return json.dumps([base, model, facts], sort_keys=True, default=str)


def recall(key: str) -> Decimal | None:
    kept = _prices.get(key)
    return kept[1] if kept and kept[0] > time.monotonic() else None


def keep(key: str, price: Decimal) -> Decimal:
    if len(_prices) >= MOST_KEPT:
        _prices.clear()
    _prices[key] = (time.monotonic() + KEPT_SECONDS, price)
    return price
