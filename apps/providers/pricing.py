"""What an answer cost, exactly. A provider's own figure wins over our table; money is never a float."""

from datetime import UTC, date, datetime
from decimal import Decimal

from apps.providers.catalogue import TokenPrice, find_model
from apps.providers.types import Usage

TICKS_PER_USD = Decimal(10**10)  # docs.x.ai: cost_in_usd_ticks
MOST_TICKS = 10**14  # one answer never costs that: it is a mistake, and would not fit the ledger
_MILLION = Decimal(10**6)


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


def from_tokens(provider: str, model: str, usage: Usage, *, day: date | None = None) -> Decimal | None:
    """USD by our table; None for a model without a price. Reasoning is billed as output, cached prompt tokens apart."""
    price = price_on(provider, model, day or datetime.now(UTC).date())
    if price is None:
        return None
    fresh = max(usage.prompt - usage.cached, 0)
    amount = fresh * price.input + usage.cached * price.cached + usage.billed_output * price.output
    return price.factor(usage.prompt) * amount / _MILLION
