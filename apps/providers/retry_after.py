"""The Retry-After header (RFC 9110 §10.2.3), read with suspicion: providers, proxies and gateways all write it."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_IN_WORDS = re.compile(r"(?i)(?:try again|retry) in ((?:[\d.]+(?:ms|h|m|s))+)")
_TERM = re.compile(r"([\d.]+)(ms|h|m|s)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST_WAIT = 86_400.0  # seconds; what asks for more than a day is a mistake: whoever runs the desk can release it


def parse(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait, 0 to LONGEST_WAIT, never less than the header says below that; None when it says nothing.

    `now` is the moment of the answer, best taken from its own Date header: their clock against their clock.
    """
    text = (value or "").strip()
    seconds = _number(text)
    if seconds is None:
        seconds = _until(text, now)
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def in_words(text: str) -> float | None:
    """Seconds of "try again in 6m0s" (OpenAI) or "retry in 34.07s" (Gemini), in the same bounds; None without any."""
    found = _IN_WORDS.search(text)
    if found is None:
        return None
    terms = [(_number(amount), _UNIT_SECONDS[unit]) for amount, unit in _TERM.findall(found[1])]
    seconds = sum(amount * unit for amount, unit in terms if amount is not None and not math.isnan(amount))
    return min(seconds, LONGEST_WAIT)


def date_of(value: str | None) -> datetime | None:
    """An HTTP-date as a moment in UTC; None for junk."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return None if seconds < 0 else seconds


def _until(text: str, now: datetime) -> float | None:
    moment = date_of(text)
    return None if moment is None else (moment - now).total_seconds()
