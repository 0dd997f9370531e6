"""Failures are told by their body and not by their status alone, and some come with a 200."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from apps.core.http import Reply
from apps.providers import errors
from apps.providers.http import Fault, read_fault, read_json, scrub
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.openai_wire.usage import stated_cost


def check(dialect: Dialect, reply: Reply) -> None:
    """Raises what the reply says is wrong, in a 200 too. An answer that has choices is an answer, unless its choice says
    that it broke off."""
    data = read_json(reply.body)
    if 200 <= reply.status < 300 and not is_fault(data):
        return
    raise classify(dialect, fault_of(reply, data), data)


def is_fault(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    return bool(broken_choice(data)) or (bool(data.get("error")) and not data.get("choices"))


def broken_choice(data: Mapping[str, Any]) -> Any:
    """The error of an answer that broke off after it had begun (OpenRouter); None for any other."""
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    if choice.get("finish_reason") == "error":
        return choice.get("error") or data.get("error") or {"message": "The answer broke off."}
    return choice.get("error")


def fault_of(reply: Reply, data: Any) -> Fault:
    """In a 200 the error's own code is the status, where it is one."""
    broken = broken_choice(data) if isinstance(data, dict) else None
    fault = read_fault(Reply(reply.status, reply.headers, _as_error(broken)) if broken else reply)
    if reply.status == HTTPStatus.OK and fault.code.isdigit() and 400 <= int(fault.code) < 600:
        return Fault(int(fault.code), fault.code, fault.text, fault.retry_after, fault.is_json)
    return fault


def classify(dialect: Dialect, fault: Fault, body: object = None) -> errors.ProviderError:
    """The error of a fault; `body` may say what it cost, as that of moderated content does.

    A 5xx reached the provider but its outcome is told: an answer that failed is not charged, unless it says that it was.
    """
    kind = _kind(dialect, fault, body)
    cost_usd, source = stated_cost(dialect, body)
    # The words of a refused key echo parts of it: nothing of them is kept.
    detail = "" if kind is errors.AuthFailed else scrub(fault.text)
    return kind(
        dialect.provider,
        detail=detail,
        http_status=fault.status,
        retry_after=fault.retry_after,
        provider_code=scrub(fault.code)[:80],
        charged=True if cost_usd else None if kind is errors.ContentRefused else False,
        cost_usd=cost_usd,
        cost_source=source,
    )


def _kind(dialect: Dialect, fault: Fault, body: object) -> type[errors.ProviderError]:
    text = f"{fault.code} {fault.text} {_finer_code(body)}"
    for statuses, pattern, kind in dialect.rules:
        if (statuses is None or fault.status in statuses) and re.search(pattern, text, re.IGNORECASE):
            return kind
    unsaid = fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR or fault.status == HTTPStatus.OK
    return errors.Overloaded if unsaid else errors.InvalidRequest


def _finer_code(body: object) -> str:
    """OpenRouter's own kind of error, which its words do not tell."""
    error = body.get("error") if isinstance(body, Mapping) else None
    metadata = error.get("metadata") if isinstance(error, Mapping) else None
    return str(metadata.get("error_type") or "") if isinstance(metadata, Mapping) else ""


def _as_error(said: Any) -> bytes:
    return orjson.dumps({"error": said})
