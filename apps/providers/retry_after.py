"""The Retry-After header (RFC 9110 §10.2.3), read with suspicion: providers, proxies and gateways all write it."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
