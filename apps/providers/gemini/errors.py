"""Gemini's failures: a wrong key is a 400, and a 429 may be of the minute or of the day."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apps.core.http import Reply
from apps.providers import errors, retry_after
from apps.providers.http import Fault, read_fault, read_json, scrub

# First match wins; status None means any.
RULES: tuple[tuple[set[int] | None, str, type[errors.ProviderError]], ...] = (
    ({429}, r"PerDay", errors.QuotaExhausted),
    ({402}, r"", errors.PaymentRequired),
    ({429}, r"prepay|credits? (are )?depleted|billing.{0,20}(disabled|closed)", errors.PaymentRequired),
    ({429}, r"", errors.RateLimited),
    (
        {400, 401, 403},
        r"API_KEY_INVALID|api key (not valid|expired|not found)|location is not supported",
        errors.AuthFailed,
    ),
    ({401, 403}, r"", errors.AuthFailed),
    ({400}, r"FAILED_PRECONDITION", errors.AuthFailed),
    ({404}, r"", errors.ModelUnavailable),
    ({413}, r"", errors.RequestTooLarge),
    ({400}, r"exceeds the maximum number of tokens|payload size exceeds|too large", errors.RequestTooLarge),
    ({400}, r"(unable to process|unsupported|invalid|provided).{0,30}image|mime ?type", errors.InputUnreadable),
    ({408, 409, 425, 499}, r"", errors.Overloaded),
)


def check(reply: Reply) -> None:
    """Raises what the reply says is wrong, in a 200 too."""
    data = read_json(reply.body)
    first = data[0] if isinstance(data, list) and data else data
    if 200 <= reply.status < 300 and not (isinstance(first, dict) and first.get("error")):
        return
    raise classify(read_fault(reply), first)


def classify(fault: Fault, body: object = None) -> errors.ProviderError:
    """The error of a fault. One that failed is not charged."""
    details = _details(body)
    kind = _kind(fault, f"{fault.code} {fault.text} {_status(body)} {_words(details)}")
    return kind(
        "gemini",
        detail="" if kind is errors.AuthFailed else scrub(fault.text),
        http_status=fault.status,
        retry_after=_delay(details) if _delay(details) is not None else fault.retry_after,
        provider_code=scrub(_status(body) or fault.code)[:80],
        charged=False,
    )


def _kind(fault: Fault, text: str) -> type[errors.ProviderError]:
    for statuses, pattern, kind in RULES:
        if (statuses is None or fault.status in statuses) and re.search(pattern, text, re.IGNORECASE):
            return kind
    unsaid = fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR or fault.status == HTTPStatus.OK
    return errors.Overloaded if unsaid else errors.InvalidRequest


def _error(body: object) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _status(body: object) -> str:
    return str(_error(body).get("status") or "")


def _details(body: object) -> list[Mapping[str, Any]]:
    details = _error(body).get("details")
    return [entry for entry in details if isinstance(entry, Mapping)] if isinstance(details, list) else []


def _words(details: list[Mapping[str, Any]]) -> str:
    """Why, in their codes: the reason of a refused key, the names of the quotas that are used up."""
    reasons = [str(entry.get("reason") or "") for entry in details]
    listed = [entry.get("violations") for entry in details]
    violations = [each for entry in listed if isinstance(entry, list) for each in entry if isinstance(each, Mapping)]
    return " ".join([*reasons, *(str(each.get("quotaId") or "") for each in violations)])


def _delay(details: list[Mapping[str, Any]]) -> float | None:
    """Seconds of RetryInfo's "34s"."""
    told = next((entry["retryDelay"] for entry in details if isinstance(entry.get("retryDelay"), str)), "")
    return retry_after.in_words(f"retry in {told}") if told else None
