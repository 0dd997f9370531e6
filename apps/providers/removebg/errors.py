"""remove.bg's failures: `{"errors": [{title, code, detail}]}`. None of them is charged."""

import re
from http import HTTPStatus

from apps.core.http import Reply
from apps.providers import errors
from apps.providers.http import Fault, read_fault, scrub


class NothingToCut(errors.InvalidRequest):
    code = "foreground_not_found"
    words = "{provider} found no product in this photograph."
    advice = "Use another photograph, or bring a cut-out of your own."


# First match wins; status None means any.
RULES: tuple[tuple[set[int] | None, str, type[errors.ProviderError]], ...] = (
    ({400}, r"unknown_foreground|could not identify foreground", NothingToCut),
    ({402}, r"", errors.PaymentRequired),
    ({401, 403}, r"", errors.AuthFailed),
    ({400}, r"file_too_large|resolution_too_high", errors.RequestTooLarge),
    ({413}, r"", errors.RequestTooLarge),
    ({400}, r"failed_to_read_image|failed_image_download|invalid_file_type|failed to download", errors.InputUnreadable),
    ({429}, r"", errors.RateLimited),
    ({408, 409, 425}, r"", errors.Overloaded),
)


def check(reply: Reply) -> None:
    """Raises what the reply says is wrong. A picture is an answer."""
    if not 200 <= reply.status < 300:
        raise classify(read_fault(reply))


def classify(fault: Fault) -> errors.ProviderError:
    kind = _kind(fault)
    return kind(
        "removebg",
        detail="" if kind is errors.AuthFailed else scrub(fault.text),
        http_status=fault.status,
        retry_after=fault.retry_after,
        provider_code=scrub(fault.code)[:80],
        charged=False,
    )


def _kind(fault: Fault) -> type[errors.ProviderError]:
    text = f"{fault.code} {fault.text}"
    for statuses, pattern, kind in RULES:
        if (statuses is None or fault.status in statuses) and re.search(pattern, text, re.IGNORECASE):
            return kind
    return errors.Overloaded if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR else errors.InvalidRequest
