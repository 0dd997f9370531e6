"""How OpenRouter speaks the common wire: it tells the cost of each answer, an error may stand in a 200, and a parameter
that no endpoint takes is a 404 that sounds like a missing model."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.providers import errors
from apps.providers.openai_wire.dialect import Dialect, Rules

MOST_USD = 10_000  # one answer never costs that: it is a mistake, and would not fit the ledger

RULES: Rules = (
    ({402}, r"", errors.PaymentRequired),
    (None, r"insufficient credits|payment_required", errors.PaymentRequired),
    ({401}, r"", errors.AuthFailed),
    ({403}, r"permission_denied|region_restricted", errors.AuthFailed),
    ({403}, r"", errors.ContentRefused),
    ({400}, r"content_policy_violation|refusal|flagged", errors.ContentRefused),
    ({400, 404}, r"(context_length|max_tokens|token_limit)_exceeded|string_too_long|maximum context length", errors.RequestTooLarge),
    ({413}, r"", errors.RequestTooLarge),
    ({400, 404}, r"invalid_image|image_(too_large|too_small|not_found|download_failed)|unsupported_image_format",
     errors.InputUnreadable),
    ({400}, r"not a valid model|model_not_found", errors.ModelUnavailable),
    ({404}, r"", errors.ModelUnavailable),
    ({429}, r"", errors.RateLimited),
    ({408, 409, 425}, r"", errors.Overloaded),
)  # fmt: skip


def told_cost(usage: Mapping[str, Any]) -> Decimal | None:
    """Credits, one of which is one US dollar. With a key of the upstream's own (`is_byok`) the rest is billed there."""
    cost = usage.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < MOST_USD:
        return None
    upstream = usage.get("cost_details")
    extra = upstream.get("upstream_inference_cost") if usage.get("is_byok") and isinstance(upstream, Mapping) else None
    billed_there = extra if isinstance(extra, int | float) and 0 <= extra < MOST_USD else 0
    return Decimal(str(cost)) + Decimal(str(billed_there))


DIALECT = Dialect(
    provider="openrouter",
    rules=RULES,
    limit_field="max_tokens",
    told_cost=told_cost,
    searching={"tools": [{"type": "openrouter:web_search"}]},
    headers={"X-OpenRouter-Title": "Pressroom"},
)
