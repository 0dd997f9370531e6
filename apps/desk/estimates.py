"""What a job that waits may be told: its position, how long, and why.

Position is the number of jobs the claim would take before this one if nothing new arrives: it is read in the claim's
own order, exactly to FAR and as FAR beyond; jobs that are held do not count for those that are not. Wait is a range
(p50–p90, seconds) from capacity.py; null, with a word why, when it cannot be known: nothing was measured yet
(no_history), FAR or more are ahead (far_back), or the reason has no end that anybody knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import connection

from apps.core.broker import hints
from apps.desk.capacity import (
    FAR,
    WORKER_SILENT_SECONDS,
    Durations,
    LaneState,
    Place,
    durations_of,
    look_at,
    wait_range,
)
from apps.desk.figures import Statistics, statistics
from apps.jobs.models import Hold, Job
from apps.jobs.states import Reason, Status
from apps.providers import breakers, spending
from apps.providers.causes import cause_of
from apps.providers.models import Breaker, BreakerState

__all__ = ["FAR", "WORKER_SILENT_SECONDS", "Outlook", "Statistics", "describe", "statistics"]

# Nobody can say when these end, nor when those of the second line do that have no "until".
_OPEN_ENDED = (Reason.LANE_PAUSED, Reason.NO_WORKER, Reason.BUDGET)
_ENDED_BY_SOMEBODY = (Reason.PROVIDER_HELD, Reason.OWNER_HELD, Reason.BREAKER_OPEN)
_BY_PROVIDER = (Reason.RATE_LIMITED, Reason.BREAKER_OPEN)
_EARLIER = """
SELECT id, count FROM (
  SELECT id, row_number() OVER (PARTITION BY lane, owner_id, priority ORDER BY id) - 1 AS count FROM jobs_job
  WHERE status = 'waiting' AND waits_for_id IS NOT NULL AND owner_id = ANY(%(owners)s)) earlier
WHERE id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Outlook:
    """What can be said about a job's start. `wait_unknown` says why p50 and p90 are None; empty when they are known."""

    position: int | None = None
    p50: float | None = None
    p90: float | None = None
    wait_unknown: str = ""
    reason: str = ""
    until: datetime | None = None
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class _View:
    """What all outlooks of one answer are made from."""

    lanes: dict[str, LaneState]
    durations: dict[str, Durations]
    ahead: dict[int, Job]
    earlier: dict[int, int]
    breakers: list[Breaker]
    is_woken: bool


def describe(jobs: Sequence[Job]) -> dict[int, Outlook]:
    """The outlook of each live job, by id, in a number of queries that does not grow with the jobs."""
    live = [job for job in jobs if job.finished_at is None and job.status != Status.PROCESSING]
    ahead = _dependencies(live)
    everybody = [*live, *ahead.values()]
    view = _View(
        lanes={lane: look_at(lane) for lane in {job.lane for job in everybody}},
        durations=durations_of({job.kind for job in everybody}) if everybody else {},
        ahead=ahead,
        earlier=_earlier([job for job in live if job.waits_for_id in ahead]),
        breakers=breakers.standing() if any(job.provider for job in everybody) else [],
        is_woken=not live or hints.answers(),
    )
    told = {job.pk: _outlook(job, view) for job in jobs if job.finished_at is None}
    return told | _short_of_money(told)


def _short_of_money(told: Mapping[int, Outlook]) -> dict[int, Outlook]:
    """With the budget that each of these waits for among its facts."""
    waiting = [job_id for job_id, outlook in told.items() if outlook.reason == Reason.BUDGET]
    budgets = spending.blocked(waiting) if waiting else {}
    return {job_id: replace(told[job_id], facts=told[job_id].facts | facts) for job_id, facts in budgets.items()}


def _dependencies(jobs: Iterable[Job]) -> dict[int, Job]:
    ids = {job.waits_for_id for job in jobs if job.status == Status.WAITING and job.waits_for_id}
    return Job.objects.in_bulk(ids) if ids else {}


def _earlier(jobs: Sequence[Job]) -> dict[int, int]:
    """Of each of these jobs, which wait for another: how many of its owner's will join the same line before it."""
    if not jobs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, {"ids": [job.pk for job in jobs], "owners": list({job.owner_id for job in jobs})})
        return dict(cursor.fetchall())


def _outlook(job: Job, view: _View) -> Outlook:
    if job.status == Status.QUEUED:
        return _queued(job, view)
    if job.status == Status.SCHEDULED:
        return _scheduled(job, view)
    if job.status == Status.WAITING:
        return _waiting(job, view)
    return Outlook()


def _queued(job: Job, view: _View) -> Outlook:
    lane = view.lanes[job.lane]
    position = lane.ahead_of(job)
    reason, until, facts = _why(job, lane, view)
    place = lane.line.get(job.pk) or Place(position, job.owner_id, job.priority, job.turn)
    return _told(job, view, place, Outlook(position, reason=reason, until=until, facts=facts))


def _scheduled(job: Job, view: _View) -> Outlook:
    """It comes back to the front of its line, or joins it then."""
    facts: dict[str, object] = {"attempt": job.failures + 1, "of": job.max_retries + 1, "provider": job.provider}
    lane = view.lanes[job.lane]
    if job.reason in _BY_PROVIDER:
        hold = next((hold for hold in lane.holds if hold.reason == job.reason and _holds(hold, job)), None)
        facts |= _cause(job, view, hold.cause if hold else "")
    place = lane.newcomer(job) if job.queued_at is None else Place(0, job.owner_id, job.priority, job.turn)
    return _told(job, view, place, Outlook(reason=job.reason, until=job.run_after, facts=facts))


def _told(job: Job, view: _View, place: Place, outlook: Outlook) -> Outlook:
    """The outlook with its wait."""
    if outlook.reason in _OPEN_ENDED or (outlook.reason in _ENDED_BY_SOMEBODY and outlook.until is None):
        return replace(outlook, wait_unknown=outlook.reason)
    took, lane = view.durations.get(job.kind), view.lanes[job.lane]
    if took is None:
        return replace(outlook, wait_unknown="no_history")
    if place.ahead >= FAR:
        return replace(outlook, wait_unknown="far_back")
    p50, p90 = wait_range(place, lane, kind=job.kind, provider=job.provider, took=took)
    held = max((outlook.until - lane.now).total_seconds(), 0.0) if outlook.until else 0.0
    return replace(outlook, p50=p50 + held, p90=p90 + held)


def _waiting(job: Job, view: _View) -> Outlook:
    first = view.ahead.get(job.waits_for_id or 0)
    if first is None:
        return Outlook(reason=job.reason or Reason.DEPENDENCY, wait_unknown=job.reason or Reason.DEPENDENCY)
    before = _outlook(first, view)
    facts = {"kind": first.kind, "status": first.status, "waits": before.reason, "until": before.until} | before.facts
    outlook = Outlook(before.position, reason=Reason.DEPENDENCY, facts=facts)
    if first.status == Status.PROCESSING:
        before = replace(before, p50=0.0, p90=0.0)
    took = view.durations.get(first.kind)
    if before.p50 is None or before.p90 is None or took is None:
        return replace(outlook, wait_unknown=before.wait_unknown or "no_history")
    lane = view.lanes[job.lane]
    place = lane.newcomer(job, behind=view.earlier.get(job.pk, 0))
    own = _told(job, view, replace(place, ahead=place.ahead + lane.expected_before(place)), outlook)
    if own.p50 is None or own.p90 is None:
        return own
    # The line it will join moves while it waits for the prompt; nobody knows how far.
    return replace(outlook, p50=max(before.p50 + took.p50, own.p50), p90=before.p90 + took.p90 + own.p90)


def _why(job: Job, lane: LaneState, view: _View) -> tuple[str, datetime | None, dict[str, object]]:
    """Why it does not run now: the first of these that is so; nothing when it is about to start."""
    for hold in lane.holds:
        if _holds(hold, job):
            by = {"by": hold.set_by, "since": hold.set_at, "note": hold.note, "provider": job.provider}
            theirs = hold.cause or hold.reason in _BY_PROVIDER
            return hold.reason, hold.until, by | (_cause(job, view, hold.cause) if theirs else {})
    if not view.is_woken:  # before the workers: without Redis they are not heard of for long
        return Reason.NO_WORKER, None, {"cause": str(hints.trouble)}
    if not lane.processes:
        return Reason.NO_WORKER, None, {"since": lane.silent_since}
    if _breaker(job, view):
        return Reason.BREAKER_OPEN, None, {"provider": job.provider} | _cause(job, view, "")
    own = lane.running_of.get(job.owner_id, 0)
    if lane.owner_limit is not None and own >= lane.owner_limit:
        return Reason.OWNER_LIMIT, None, {"limit": lane.owner_limit, "running": own}
    if lane.limit is not None and lane.running >= lane.limit:
        return Reason.LANE_LIMIT, None, {"limit": lane.limit, "running": lane.running}
    return "", None, {}


def _breaker(job: Job, view: _View) -> Breaker | None:
    """The breaker that its next call meets: the whole provider's; a model's only when it was tried, for then it met that one."""
    met = (one for one in view.breakers if one.provider == job.provider and (not one.model or job.attempt))
    return next(met, None)


def _cause(job: Job, view: _View, cause: str) -> dict[str, object]:
    """What is the matter with the provider, in a code and in words; `trial`: another call tries it right now."""
    breaker = _breaker(job, view)
    code = cause or (breaker.reason if breaker else "")
    words = cause_of(code, job.provider)
    probe = breaker.probe_until if breaker and breaker.state == BreakerState.HALF_OPEN else None
    trial = probe is not None and probe > view.lanes[job.lane].now
    return {"cause": code, "message": words.said, "action": words.yours, "trial": trial}


def _holds(hold: Hold, job: Job) -> bool:
    key = {Hold.Scope.LANE: job.lane, Hold.Scope.PROVIDER: job.provider, Hold.Scope.OWNER: str(job.owner_id)}
    return key[Hold.Scope(hold.scope)] == hold.key
