"""How xAI speaks the common wire: its failures, by body (a wrong key is 400, no credits 403 or 429, moderation 400 or
403), and what its usage says of the cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.providers import errors, pricing
from apps.providers.openai_wire.dialect import Dialect, Rules

# Texts as captured from live answers.
RULES: Rules = (
    (None, r"used all available credits|monthly spending limit|any credits or licen[sc]es", errors.PaymentRequired),
    ({402}, r"", errors.PaymentRequired),
    ({200, 400, 403}, r"content moderation|violates usage guidelines|SAFETY_CHECK", errors.ContentRefused),
    ({400, 401, 403}, r"incorrect api key|invalid api key|api key.*(missing|required|not found)", errors.AuthFailed),
    ({401}, r"", errors.AuthFailed),
    ({403}, r"", errors.AuthFailed),
    ({400, 404}, r"model not found|model .*(does not exist|not available)", errors.ModelUnavailable),
    ({404}, r"", errors.ModelUnavailable),
    ({413}, r"", errors.RequestTooLarge),
    ({400, 422}, r"maximum (prompt|context) length|too large|exceeds? .*(size|limit)|20 ?MiB", errors.RequestTooLarge),
    ({400, 422}, r"(fetch|download|decod|read|unsupported|invalid).{0,40}\bimage|image.{0,40}(fetch|decod|unsupported)",
     errors.InputUnreadable),
    ({429}, r"", errors.RateLimited),
    ({408, 409, 425}, r"", errors.Overloaded),
)  # fmt: skip


def _told_cost(usage: Mapping[str, Any]) -> Decimal | None:
    return pricing.from_ticks(usage.get("cost_in_usd_ticks"))


DIALECT = Dialect(provider="xai", rules=RULES, reasoning_is_extra=True, told_cost=_told_cost)
