"""WaveSpeed's failures: of the request (HTTP or envelope code) and of a task (`data.code`)."""

import re

from apps.providers import errors
from apps.providers.http import Fault, scrub
from apps.providers.types import Prediction

PROVIDER = "wavespeed"

TASK_CODES: dict[int, type[errors.ProviderError]] = {
    1200: errors.ContentRefused,
    1400: errors.InvalidRequest,
    1401: errors.InvalidRequest,
    1402: errors.InputUnreadable,
    1403: errors.TaskFailed,
    1405: errors.TaskFailed,
    5000: errors.Overloaded,
    5003: errors.Overloaded,
    5004: errors.Overloaded,
}
TASK_TEXTS: tuple[tuple[str, type[errors.ProviderError]], ...] = (
    (r"moderat|nsfw|flagged|blocked|sensitive|safety|policy", errors.ContentRefused),
    (r"(download|fetch|read|decode|open).{0,40}(image|media|file|url)", errors.InputUnreadable),
    (r"unavailable|timed?[ _]?out|timeout|overload|internal error|capacity", errors.Overloaded),
    (r"missing|required|invalid|must be", errors.InvalidRequest),
)
STATUSES: dict[int, type[errors.ProviderError]] = {
    401: errors.AuthFailed,
    402: errors.PaymentRequired,
    403: errors.AuthFailed,
    404: errors.ModelUnavailable,
    408: errors.Overloaded,
    413: errors.RequestTooLarge,
    429: errors.RateLimited,
}


def classify(fault: Fault, *, submitting: bool = False) -> errors.ProviderError:
    """The error of a refused request; `fault.status` is the envelope's code when that is not 200.

    A submit that ended in 408 or 5xx, but for WaveSpeed's own 503, may have made a task all the same.
    """
    kind = _kind(fault)
    broken = fault.status == 408 or 500 <= fault.status < 600 or fault.status >= 5000
    unclear = submitting and broken and not (fault.status == 503 and fault.is_json)
    return kind(
        PROVIDER,
        detail="" if kind is errors.AuthFailed else scrub(fault.text),
        http_status=fault.status,
        retry_after=fault.retry_after,
        provider_code=scrub(fault.code)[:80],
        sent=None if unclear else True,
        charged=None if unclear else False,
    )


def task_error(prediction: Prediction) -> errors.ProviderError:
    """Why a finished task has no result: by its code, else by its words. Failed tasks are refunded."""
    text = prediction.error or prediction.status
    kind = TASK_CODES.get(prediction.error_code or 0) or _by_text(f"{prediction.status} {prediction.error}")
    return kind(PROVIDER, detail=scrub(text), provider_code=str(prediction.error_code or ""), charged=False)


def _kind(fault: Fault) -> type[errors.ProviderError]:
    if re.search(r"insufficient credits?|top up|balance.{0,20}(low|insufficient)", fault.text, re.IGNORECASE):
        return errors.PaymentRequired
    if fault.status in STATUSES:
        return STATUSES[fault.status]
    if fault.status >= 1000:
        return TASK_CODES.get(fault.status, errors.Overloaded if fault.status >= 5000 else errors.InvalidRequest)
    if fault.status < 500 and re.search(r"model.{0,60}(not found|does not exist|unknown)", fault.text, re.IGNORECASE):
        return errors.ModelUnavailable
    return errors.Overloaded if fault.status >= 500 else errors.InvalidRequest


def _by_text(text: str) -> type[errors.ProviderError]:
    matches = (kind for pattern, kind in TASK_TEXTS if re.search(pattern, text, re.IGNORECASE))
    return next(matches, errors.TaskFailed)
