"""xAI's failures by body and not by status alone: a wrong key is 400, no credits 403 or 429, moderation 400 or 403."""

import re
from decimal import Decimal

from apps.core.http import Reply
from apps.providers import errors
from apps.providers.http import Fault, read_fault, read_json, scrub
from apps.providers.types import ChatAnswer
from apps.providers.xai import payloads

PROVIDER = "xai"

# First match wins; status None means any. Texts as captured from live answers.
RULES: tuple[tuple[set[int] | None, str, type[errors.ProviderError]], ...] = (
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


def check(reply: Reply) -> None:
    """Raises what the reply says is wrong, in a 200 too. An answer that has choices is an answer."""
    data = read_json(reply.body)
    is_fault = isinstance(data, dict) and bool(data.get("error")) and not data.get("choices")
    if 200 <= reply.status < 300 and not is_fault:
        return
    raise classify(read_fault(reply), data)


def shortcoming(answer: ChatAnswer) -> errors.ProviderError | None:
    """What is wrong with an answer that did arrive, and was paid for; None when it can be used."""
    return shortcoming_of(
        text=answer.text, refusal=answer.refusal, finish_reason=answer.finish_reason, cost_usd=answer.cost_usd
    )


def shortcoming_of(
    *, text: str, refusal: str, finish_reason: str, cost_usd: Decimal | None
) -> errors.ProviderError | None:
    """The same of an answer that was kept in the ledger."""
    if refusal or finish_reason == "content_filter":
        return errors.ContentRefused(PROVIDER, detail=scrub(refusal), charged=True, cost_usd=cost_usd)
    if finish_reason == "length":
        return errors.Truncated(PROVIDER, charged=True, cost_usd=cost_usd)
    if not text.strip():
        return errors.MalformedOutput(PROVIDER, detail="The answer is empty.", charged=True, cost_usd=cost_usd)
    return None


def classify(fault: Fault, body: object = None) -> errors.ProviderError:
    """The error of a fault; `body` may say what it cost, as that of moderated content does.

    A 5xx reached xAI but its outcome is told: a chat that failed is not charged, unless it says that it was.
    """
    kind = _kind(fault)
    cost_usd, source = payloads.stated_cost(body)
    # The words of a refused key echo parts of it: nothing of them is kept.
    detail = "" if kind is errors.AuthFailed else scrub(fault.text)
    return kind(
        PROVIDER,
        detail=detail,
        http_status=fault.status,
        retry_after=fault.retry_after,
        provider_code=scrub(fault.code)[:80],
        charged=True if cost_usd else None if kind is errors.ContentRefused else False,
        cost_usd=cost_usd,
        cost_source=source,
    )


def _kind(fault: Fault) -> type[errors.ProviderError]:
    text = f"{fault.code} {fault.text}"
    for statuses, pattern, kind in RULES:
        if (statuses is None or fault.status in statuses) and re.search(pattern, text, re.IGNORECASE):
            return kind
    return errors.Overloaded if fault.status >= 500 or fault.status == 200 else errors.InvalidRequest
