"""What an answer cost, exactly. A provider's own figure wins over our table; money is never a float."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from apps.providers.catalogue import TokenPrice, find_model, names_of
from apps.providers.types import Usage

TICKS_PER_USD = Decimal(10**10)  # docs.x.ai: cost_in_usd_ticks
MOST_TICKS = 10**14  # one answer never costs that: it is a mistake, and would not fit the ledger
_MILLION = Decimal(10**6)
LARGEST_PICTURE_TOKENS = 1792  # docs.x.ai, image understanding: at most 6 tiles and an overview of 256 tokens each
SHORTEST_TOKEN = 2  # characters; English has about 4 in a token
FRAME_TOKENS = 50  # the message's own structure


def from_ticks(ticks: object) -> Decimal | None:
    """USD of xAI's ticks; None for anything but a whole number of less than ten thousand dollars."""
    if isinstance(ticks, bool) or not isinstance(ticks, int) or not 0 <= ticks < MOST_TICKS:
        return None
    return Decimal(ticks) / TICKS_PER_USD


def price_on(provider: str, model: str, day: date) -> TokenPrice | None:
    """The newest price in force on a day."""
    known = find_model(provider, model)
    prices = [price for price in known.prices if price.since <= day] if known else []
    return max(prices, key=lambda price: price.since, default=None)


def for_output(provider: str, model: str, *, day: date | None = None) -> Decimal | None:
    """USD of one picture by our dated table; None for a model without a price."""
    known, today = find_model(provider, model), day or datetime.now(UTC).date()
    prices = [price for price in known.output_prices if price.since <= today] if known else []
    return max(prices, key=lambda price: price.since).usd if prices else None


def dearest_output(provider: str) -> Decimal | None:
    """USD of one picture of the dearest model we know of a provider: what an unknown one is taken for."""
    prices = [price for name in names_of(provider) if (price := for_output(provider, name)) is not None]
    return max(prices, default=None)


def at_most(provider: str, model: str, *, pictures: int, characters: int, max_tokens: int) -> Decimal | None:
    """USD that one answer can cost by our table: every picture at its largest, every allowed token written.

    A model without a price is taken for the dearest we know of its provider; None when we know none.
    """
    prompt = pictures * LARGEST_PICTURE_TOKENS + math.ceil(characters / SHORTEST_TOKEN) + FRAME_TOKENS
    usage = Usage(prompt=prompt, completion=max_tokens)
    names = [model] if price_on(provider, model, datetime.now(UTC).date()) else names_of(provider)
    costs = [cost for name in names if (cost := from_tokens(provider, name, usage)) is not None]
    return max(costs, default=None)


def from_tokens(provider: str, model: str, usage: Usage, *, day: date | None = None) -> Decimal | None:
    """USD by our table; None for a model without a price, or counts that no answer has.

    Reasoning is billed as output, cached prompt tokens apart.
    """
    price = price_on(provider, model, day or datetime.now(UTC).date())
    if price is None:
        return None
    fresh = max(usage.prompt - usage.cached, 0)
    amount = fresh * price.input + usage.cached * price.cached + usage.billed_output * price.output
    cost = price.factor(usage.prompt) * amount / _MILLION
    return cost if cost < MOST_TICKS / TICKS_PER_USD else None
