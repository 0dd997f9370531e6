"""How a queue stands, in milliseconds however many jobs there are.

What waits is counted up to CAP. What is over is counted in a tally (apps/jobs/tally.py); what ended since the last fold is added live, so
the totals are exact, and stay so when old jobs are pruned.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from apps.desk.capacity import FAR, durations_of, look_at, wait_range
from apps.jobs.models import Job

CAP = 10_000
_DEFAULT_PRIORITY = 5
_LAST = {"owner": 1000, "kind": 200}

_COUNTS = """
SELECT
  (SELECT count(*) FROM (SELECT 1 FROM jobs_job WHERE kind = %(kind)s AND status IN ('queued', 'waiting', 'scheduled') {mine}
                         LIMIT %(cap)s) q),
  (SELECT count(*) FROM (SELECT 1 FROM jobs_job WHERE lane = %(lane)s AND status = 'processing' AND kind = %(kind)s {mine}
                         LIMIT %(cap)s) p),
  coalesce((SELECT sum(count) FROM jobs_tally WHERE kind = %(kind)s AND status = 'completed' {mine}), 0) + ({since_completed}),
  coalesce((SELECT sum(count) FROM jobs_tally WHERE kind = %(kind)s AND status = 'failed' {mine}), 0) + ({since_failed}),
  ({waited})
"""
_SINCE = """
SELECT count(*) FROM jobs_job WHERE status = '{status}' AND kind = %(kind)s {{mine}}
  AND finished_at >= %(folded)s
"""
_FOLDED = "SELECT coalesce(max(upto), '0001-01-01') FROM jobs_tally_mark"
_WAITED = """
SELECT avg(extract(epoch FROM started_at - queued_at))::float FROM (
  SELECT started_at, queued_at FROM jobs_attempt WHERE kind = %(kind)s AND outcome = 'completed'
  ORDER BY finished_at DESC LIMIT %(last)s) a
"""
_WAITED_MINE = """
SELECT avg(extract(epoch FROM started_at - queued_at))::float FROM (
  SELECT kind, started_at, queued_at FROM jobs_job WHERE owner_id = %(owner)s ORDER BY id DESC LIMIT %(last)s) j
WHERE kind = %(kind)s AND started_at IS NOT NULL
"""


@dataclass(frozen=True)
class Statistics:
    """How a queue stands, for one owner or for all. Times in seconds; None when nothing was measured yet.

    `total_queued` and `total_processing` end at CAP: that many or more. The others are of all time.
    """

    total_queued: int
    total_processing: int
    total_completed: int
    total_failed: int
    average_wait_seconds: float | None
    estimated_wait_seconds: float | None


def statistics(*, kind: str, lane: str, owner_id: int | None) -> Statistics:
    """Counts and waits of one kind; of everybody when `owner_id` is None."""
    queued, processing, completed, failed, waited = _counts(kind, lane, owner_id)
    return Statistics(
        total_queued=queued,
        total_processing=processing,
        total_completed=int(completed),
        total_failed=int(failed),
        average_wait_seconds=None if waited is None else round(waited, 1),
        estimated_wait_seconds=_wait_of_a_new_one(kind, lane, owner_id or 0),
    )


def _counts(kind: str, lane: str, owner_id: int | None) -> tuple[Any, ...]:
    mine = "" if owner_id is None else "AND owner_id = %(owner)s"
    statement = _COUNTS.format(
        mine=mine,
        since_completed=_SINCE.format(status="completed").format(mine=mine),
        since_failed=_SINCE.format(status="failed").format(mine=mine),
        waited=_WAITED if owner_id is None else _WAITED_MINE,
    )
    asked = {"kind": kind, "lane": lane, "owner": owner_id, "cap": CAP, "last": _LAST["owner" if owner_id else "kind"]}
    with connection.cursor() as cursor:
        # By itself and first: with the value at hand the planner knows how little ended since; and what is folded in
        # between counts twice rather than never, for one answer.
        cursor.execute(_FOLDED)
        cursor.execute(statement, asked | {"folded": cursor.fetchone()[0]})
        return cursor.fetchone()


def _wait_of_a_new_one(kind: str, lane: str, owner_id: int) -> float | None:
    took = durations_of({kind}).get(kind)
    if took is None:
        return None
    state, provider = look_at(lane), settings.KINDS[kind].provider
    place = state.newcomer(Job(owner_id=owner_id, priority=_DEFAULT_PRIORITY))
    if place.ahead >= FAR:
        return None
    return round(wait_range(place, state, kind=kind, provider=provider, took=took)[0], 1)
