"""The wire shapes of WaveSpeed: the envelope, predictions, lists and prices."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.http import Reply
from apps.providers import http
from apps.providers.errors import MalformedOutput
from apps.providers.types import Prediction
from apps.providers.wavespeed import errors

MOST_USD = 10**7
LONGEST_ID = 100  # what the ledger holds; theirs have 32 characters


def open_envelope(reply: Reply, *, submitting: bool = False) -> Any:
    """The `data` of an answer. Raises for any HTTP status or envelope code that is no success.

    Some answers come bare: then the object itself is the data, and its `code` is the task's, not the envelope's.
    """
    fault = http.read_fault(reply)
    if not 200 <= reply.status < 300:
        raise errors.classify(fault, submitting=submitting)
    body = http.require_object("wavespeed", reply)
    if "data" not in body and "id" in body:
        return body
    code = _whole(body.get("code")) if body.get("code") is not None else 200
    if code != 200:
        status = 400 if code is None else code
        raise errors.classify(
            http.Fault(status, fault.code, fault.text, fault.retry_after, True), submitting=submitting
        )
    return body.get("data", body)


def read_prediction(data: Any, *, reply: Reply | None = None) -> Prediction:
    """Raises MalformedOutput, outcome unknown, when there is no id."""
    task_id = data.get("id") if isinstance(data, Mapping) else None
    if not isinstance(task_id, str) or not 0 < len(task_id) <= LONGEST_ID:
        status = reply.status if reply else None
        raise MalformedOutput("wavespeed", detail="The answer names no task.", http_status=status, sent=None)
    flags = _list(data.get("has_nsfw_contents"))
    listed = [
        (_output(item), flags[place : place + 1] == [True]) for place, item in enumerate(_list(data.get("outputs")))
    ]
    outputs = [(address, flagged) for address, flagged in listed if address]
    return Prediction(
        id=task_id,
        model=str(data.get("model") or ""),
        status=str(data.get("status") or "").lower(),
        outputs=tuple(address for address, _ in outputs),
        error_code=_whole(data.get("code")),
        error=str(data.get("error") or ""),
        inputs=_mapping(data.get("input")) or _mapping(data.get("inputs")),
        created_at=read_time(data.get("created_at")),
        inference_ms=_whole(_mapping(data.get("timings")).get("inference")),
        flagged=frozenset(place for place, (_, flagged) in enumerate(outputs) if flagged),
    )


def read_page(data: Any) -> tuple[list[Prediction], int | None]:
    """The predictions of one page and the total when it is told."""
    if isinstance(data, Mapping) and isinstance(data.get("items"), list):
        return [read_prediction(item) for item in data["items"]], _whole(data.get("total"))
    raise MalformedOutput("wavespeed", detail="The list of tasks has no items.")


def read_money(data: Any, *names: str) -> Decimal:
    """The first of the named amounts, exact. Raises MalformedOutput."""
    value = next((data[name] for name in names if data.get(name) is not None), None) if isinstance(data, Mapping) else 0
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            amount = Decimal(str(value))
            if amount.is_finite() and abs(amount) < MOST_USD:
                return amount
    except InvalidOperation:
        pass
    raise MalformedOutput("wavespeed", detail="The answer names no amount.")


def read_time(value: Any) -> datetime | None:
    """RFC 3339 with up to nanoseconds; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _output(value: Any) -> str:
    """An address; objects hold one in `url`; naked base64 becomes a data URI."""
    if isinstance(value, Mapping):
        value = value.get("url")
    if not isinstance(value, str) or not value:
        return ""
    is_address = value.startswith(("http://", "https://", "data:"))
    return value if is_address else f"data:application/octet-stream;base64,{value}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    """A whole number, also one that came as text."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
