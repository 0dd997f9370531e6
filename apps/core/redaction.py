"""Keeps secrets out of logs: keys of providers, tokens, signatures, whatever came with them."""

import re

from structlog.typing import EventDict, WrappedLogger

_SECRET = re.compile(
    r"(?i)(authorization|api[_-]?key|token|signature|secret|password|cookie)([\"']?\s*[:=]\s*[\"']?)(bearer\s+)?[^\s\"',;&}]+"
)
_SHAPES = re.compile(r"\b(xai-|sk-|whsec_|pr_live_)[A-Za-z0-9_\-=+/]{6,}|(?i:bearer)\s+[A-Za-z0-9._\-]{8,}")
_NAMES = re.compile(r"(?i)^(authorization|.*api[_-]?key|.*token|.*signature|.*secret|password|cookie)$")


def redact(text: str) -> str:
    """The text with every secret replaced by [redacted]."""
    return _SHAPES.sub("[redacted]", _SECRET.sub(r"\1\2[redacted]", text))


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if _NAMES.match(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = redact(value)
    return event
