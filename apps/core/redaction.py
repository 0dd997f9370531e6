"""Keeps secrets out of logs: keys of providers, tokens, signatures, whatever came with them."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from structlog.typing import EventDict, WrappedLogger

_SECRET = re.compile(
    r"(?i)(authorization|api[_-]?key|token|signature|secret|password|cookie)([\"']?\s*[:=]\s*[\"']?)(bearer\s+)?[^\s\"',;&}]+"
)
_SHAPES = re.compile(r"\b(xai-|sk-|whsec_|pr_live_)[A-Za-z0-9_\-=+/]{6,}|(?i:bearer)\s+[A-Za-z0-9._\-]{8,}")
_NAMES = re.compile(r"(?i)^(authorization|.*api[_-]?key|.*token|.*signature|.*secret|password|cookie)$")
# Settings that are secrets, or lists or tables of them; and addresses that may hold a password.
_SETTINGS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "CRON_SECRETS", "PROVIDER_KEYS", "WAVESPEED_WEBHOOK_SECRET")
_ADDRESSES = ("DATABASE_URL", "REDIS_URL")
_SHORTEST = 8  # anything shorter is also a word of a sentence
_NO_SECRET = {"simulator"}  # what stands for a key where a provider is simulated


def redact(text: str) -> str:
    """The text with every secret replaced by [redacted]: those of this installation wherever they stand, and what
    looks like one."""
    known = _known_values(tuple(_configured()))
    text = known.sub("[redacted]", text) if known else text
    return _SHAPES.sub("[redacted]", _SECRET.sub(r"\1\2[redacted]", text))


def _configured() -> Iterator[str]:
    if not settings.configured:  # a line that is logged while the settings are read
        return
    for name in _SETTINGS:
        value = getattr(settings, name, "")
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    for name in _ADDRESSES:
        yield unquote(urlsplit(getattr(settings, name, "")).password or "")


@lru_cache(maxsize=4)
def _known_values(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """The longest first: one secret may begin with another."""
    wanted = {secret for secret in secrets if len(secret) >= _SHORTEST and secret not in _NO_SECRET}
    written = {form for secret in wanted for form in (secret, quote(secret, safe=""))}
    return re.compile("|".join(re.escape(form) for form in sorted(written, key=len, reverse=True))) if written else None


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if _NAMES.match(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = redact(value)
    return event
