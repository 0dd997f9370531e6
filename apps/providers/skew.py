"""How far a provider's clock is ahead of the database's: read from the times in its answers, kept where all workers see it.

One row for each provider and hour holds the least and the most that was read. Whoever compares a provider's time with
ours uses the whole range of the last day: a clock that was put right between two answers is then found on either side.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import DatabaseError, connection
from django.db.models import Max, Min

from apps.core.clock import ClockTimestamp, database_now
from apps.core.reply import Reply
from apps.providers import retry_after
from apps.providers.models import ClockSkew

log = structlog.get_logger(__name__)

SLOWEST_SECONDS = 10.0  # a slower answer says too little of when it was written
LARGEST_ERROR = SLOWEST_SECONDS / 2 + 0.5  # seconds, of one reading
MOST_SECONDS = 86_400.0  # a clock that is further off is no clock
LOOKED_BACK = timedelta(days=1)
KEPT_FOR = timedelta(days=8)  # WaveSpeed lists its tasks for seven
FRESH = timedelta(seconds=60)

# A reading that the last 20 seconds know already is not written again: a hundred polls a second are one row's business.
_NOTE = """
WITH seen AS (SELECT clock_timestamp() AS at),
reading AS (SELECT at, %(told)s - extract(epoch FROM at)::float8 + %(age)s AS ahead FROM seen)
INSERT INTO providers_clock_skew AS known (provider, hour, least, most, first_at, last_at)
SELECT %(provider)s, date_trunc('hour', at, 'UTC'), ahead - %(error)s, ahead + %(error)s, at, at FROM reading
WHERE abs(ahead) < %(limit)s AND NOT EXISTS (
  SELECT 1 FROM providers_clock_skew k WHERE k.provider = %(provider)s AND k.hour = date_trunc('hour', at, 'UTC')
    AND k.last_at BETWEEN at - interval '20 seconds' AND at AND ahead BETWEEN k.least - 1 AND k.most + 1)
ON CONFLICT (provider, hour) DO UPDATE SET
  least = least(known.least, EXCLUDED.least), most = greatest(known.most, EXCLUDED.most),
  first_at = least(known.first_at, EXCLUDED.first_at), last_at = greatest(known.last_at, EXCLUDED.last_at)
"""


@dataclass(frozen=True)
class Ahead:
    """Seconds, at least and at most, that a clock was ahead of ours (negative: behind) from `first_at` to `last_at`."""

    least: float
    most: float
    first_at: datetime
    last_at: datetime

    def was_known_at(self, moment: datetime) -> bool:
        """Whether a reading is from before this moment and another is fresh: a change in between is in the range."""
        return self.first_at <= moment and self.last_at >= database_now() - FRESH

    @property
    def certain(self) -> tuple[float, float]:
        """The range without what may be an error of reading: a clock that may be right counts as right."""
        return min(0.0, self.least + LARGEST_ERROR), max(0.0, self.most - LARGEST_ERROR)


def note_date(provider: str, reply: Reply, *, asked: float, answered: float) -> None:
    """Reads the Date of an answer that was asked for and came at these moments (time.monotonic()).

    One that a cache kept tells when it was made, not what time it is: an `Age` makes it worthless.
    """
    told = retry_after.date_of(reply.headers.get("date"))
    if told and reply.headers.get("age", "0").strip() in {"", "0"}:
        note(provider, told + timedelta(seconds=0.5), asked=asked, answered=answered, error=0.5)  # whole seconds


def note(provider: str, told: datetime, *, asked: float, answered: float, error: float = 0.0) -> None:
    """The provider said that it was `told`, give or take `error` seconds, when it wrote this answer. Never raises."""
    if answered - asked > SLOWEST_SECONDS:
        return
    half = (answered - asked) / 2
    values: dict[str, str | float] = {
        "provider": provider,
        "told": told.astimezone(UTC).timestamp(),
        "age": time.monotonic() - answered + half,
        "error": error + half,
        "limit": MOST_SECONDS,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, values)
    except DatabaseError as problem:  # a paid answer is in hand: it is worth more than this
        log.warning("skew_not_noted", provider=provider, error=str(problem))


def ahead_of(provider: str, *, since: datetime) -> Ahead | None:
    """What was read from a day before `since` until now; None when nothing was."""
    readings = ClockSkew.objects.filter(provider=provider, last_at__gte=since - LOOKED_BACK)
    found = readings.aggregate(least=Min("least"), most=Max("most"), first_at=Min("first_at"), last_at=Max("last_at"))
    return None if found["least"] is None else Ahead(**found)


def prune_skews() -> int:
    return ClockSkew.objects.filter(last_at__lte=ClockTimestamp() - KEPT_FOR).delete()[0]
