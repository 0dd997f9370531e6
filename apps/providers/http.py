"""What every provider client shares: one bounded request, and the reading of its answer in a fixed order.

transport error → status → JSON → the provider's error shape, even on 200 → the client's own domain shape.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.core.http import HttpFailure, NotAStream, Reply, TooLarge, send
from apps.core.redaction import redact
from apps.providers import retry_after
from apps.providers.errors import MalformedOutput, ProviderError, TransientNetwork

MAX_JSON_BYTES = 8_000_000
DETAIL_CHARACTERS = 400

_KEY_ECHO = re.compile(r"(?i)(key provided: )\S+")
_TEAM = re.compile(r"(?i)\b(team|key|organi[sz]ation|project) (id )?[0-9a-f][0-9a-f-]{7,}\b|console\.x\.ai/\S*")
_LONG = re.compile(r"[A-Za-z0-9+/=_-]{80,}")
_UNSTORABLE = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\xed")
_TAGS = re.compile(r"(?s)<(script|style).*?</\1>|<[^>]*>")


@dataclass(frozen=True)
class Fault:
    """What a provider said of a failure, in whatever shape it said it."""

    status: int
    code: str = ""
    text: str = ""
    retry_after: float | None = None
    is_json: bool = False


def exchange(
    provider: str,
    method: str,
    url: str,
    *,
    key: str = "",
    headers: Mapping[str, str] | None = None,
    seconds: float,
    json: Any = None,
    files: Any = None,
    max_bytes: int = MAX_JSON_BYTES,
    paid: bool = False,
    leaves_by: float | None = None,
) -> Reply:
    """One request within `seconds` in all, never repeated.

    `headers` where the key is no bearer's. Raises TransientNetwork, whose `sent` is False or None; a paid request uses a new
    connection to keep that exact.
    """
    sent = {"Accept": "application/json", **(bearer(key) if headers is None else headers)}
    try:
        return send(
            method, url, headers=sent, json=json, files=files, seconds=seconds, max_bytes=max_bytes, fresh=paid,
            leaves_by=leaves_by,
        )  # fmt: skip
    except HttpFailure as failure:
        raise network_error(provider, failure) from failure


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def network_error(provider: str, failure: HttpFailure) -> ProviderError:
    """Too large an answer tells nothing of what the provider did: its outcome is unknown too."""
    if isinstance(failure, TooLarge | NotAStream):
        return MalformedOutput(provider, detail=failure.detail, sent=None)
    return TransientNetwork(provider, detail=failure.detail, sent=failure.sent)


def read_json(body: bytes) -> Any:
    """The JSON value of a body, fit for the database; None when it is empty, HTML, cut or no JSON at all."""
    try:
        data = json.loads(body, parse_constant=lambda _: None, parse_float=_finite)
        return _storable(data) if _UNSTORABLE.search(body) else data
    except (ValueError, RecursionError):
        return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _storable(value: Any) -> Any:
    """PostgreSQL takes neither NUL nor half a surrogate pair, and a paid answer must not be lost for one."""
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    return value


def require_object(provider: str, reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer that is no fault. Raises MalformedOutput; its outcome is unknown to us."""
    data = read_json(reply.body)
    if isinstance(data, dict):
        return data
    raise MalformedOutput(provider, detail=_plain(reply.body), http_status=reply.status, sent=None)


def read_fault(reply: Reply) -> Fault:
    """Accepts `error` as text or object, `code` as text or number, `errors[]`, one error in an array, HTML, nothing."""
    data = read_json(reply.body)
    entry = _entry(data)
    text = _first_text(entry, "message", "error", "detail", "title", "msg") if entry else _plain(reply.body)
    code = next((str(entry[name]) for name in ("error_code", "code", "type") if entry.get(name) not in (None, "")), "")
    hint = hint_of(reply.headers)
    hint = retry_after.in_words(text) if hint is None else hint
    return Fault(reply.status, code, text or code, hint, isinstance(data, dict | list))


def hint_of(headers: Mapping[str, str]) -> float | None:
    """Seconds; the finer header first."""
    now = retry_after.date_of(headers.get("date")) or datetime.now(UTC)
    milliseconds = retry_after.parse(headers.get("retry-after-ms"), now=now)
    return milliseconds / 1000 if milliseconds is not None else retry_after.parse(headers.get("retry-after"), now=now)


def scrub(text: str) -> str:
    """A provider's words, fit to be kept: no key, team or base64, one line, short."""
    text = redact(_TEAM.sub("[redacted]", _KEY_ECHO.sub(r"\1[redacted]", text)))
    return " ".join(_LONG.sub("[data]", text.replace("\0", "")).split())[:DETAIL_CHARACTERS]


def _entry(data: Any, depth: int = 4) -> dict[str, Any]:
    """The object that holds the words, wherever it is wrapped."""
    if isinstance(data, list):
        return _entry(data[0], depth - 1) if data and depth else {}
    if not isinstance(data, dict):
        return {"message": data} if isinstance(data, str) else {}
    for name in ("error", "errors"):
        if isinstance(data.get(name), dict | list) and data[name] and depth:
            inner = _entry(data[name], depth - 1)
            return {**{k: v for k, v in data.items() if not isinstance(v, dict | list)}, **inner}
    return data


def _first_text(entry: Mapping[str, Any], *names: str) -> str:
    return next((entry[name] for name in names if isinstance(entry.get(name), str) and entry[name]), "")


def _plain(body: bytes) -> str:
    return scrub(_TAGS.sub(" ", body[:4000].decode("utf-8", "replace")))
