"""What a job that waits may be told: its position, how long, and why.

Position is the number of jobs the claim would take before this one if nothing new arrives: it is read in the claim's
own order, exactly to FAR and as FAR beyond. Wait is a range (p50–p90, seconds) from the durations of the last completed
attempts of the kind and the places its lane has; null, with a word why, when it cannot be known.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from apps.jobs.lanes import limits_of
from apps.jobs.models import Hold, Job, Worker
from apps.jobs.states import Reason, Status
from apps.providers import spending

FAR = 1000
WORKER_SILENT_SECONDS = 15.0
_SAMPLE = 200

_FIRST = """
SELECT id, row_number() OVER () - 1 FROM (
  SELECT id FROM jobs_job WHERE lane = %(lane)s AND status = 'queued' ORDER BY priority DESC, turn, seq LIMIT %(far)s) first
"""
_DURATIONS = """
SELECT kind.kind, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM a.finished_at - a.started_at))
FROM unnest(%(kinds)s::text[]) AS kind(kind),
  LATERAL (SELECT started_at, finished_at FROM jobs_attempt WHERE kind = kind.kind AND outcome = 'completed'
           ORDER BY finished_at DESC LIMIT %(sample)s) a
GROUP BY kind.kind HAVING count(*) >= 3
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
class Durations:
    p50: float
    p90: float


@dataclass(frozen=True)
class LaneState:
    """One look at a lane: who is ahead, how many run, what holds it, whether anybody works on it."""

    positions: dict[int, int]
    running: int
    running_of: dict[int, int]
    limit: int | None
    owner_limit: int | None
    holds: list[Hold]
    workers: int
    silent_since: datetime | None

    @property
    def places(self) -> int:
        """How many jobs can run at once."""
        return self.limit or max(self.workers, 1)


def describe(jobs: Sequence[Job]) -> dict[int, Outlook]:
    """The outlook of each live job, by id, in a number of queries that does not grow with the jobs."""
    ahead = _dependencies(jobs)
    waiting = [job for job in [*jobs, *ahead.values()] if job.status in (Status.QUEUED, Status.WAITING)]
    lanes = {lane: look_at(lane) for lane in {job.lane for job in waiting}}
    durations = durations_of({job.kind for job in waiting})
    told = {job.pk: _outlook(job, lanes, durations, ahead) for job in jobs if job.finished_at is None}
    return told | _short_of_money(told)


def _short_of_money(told: Mapping[int, Outlook]) -> dict[int, Outlook]:
    """With the budget that each of these waits for among its facts."""
    waiting = [job_id for job_id, outlook in told.items() if outlook.reason == Reason.BUDGET]
    budgets = spending.blocked(waiting) if waiting else {}
    return {job_id: replace(told[job_id], facts=told[job_id].facts | facts) for job_id, facts in budgets.items()}


def _dependencies(jobs: Iterable[Job]) -> dict[int, Job]:
    ids = {job.waits_for_id for job in jobs if job.status == Status.WAITING and job.waits_for_id}
    return Job.objects.in_bulk(ids) if ids else {}


def look_at(lane: str) -> LaneState:
    limits = limits_of(lane)
    counts = dict(
        Job.objects.processing()
        .filter(lane=lane)
        .values_list("owner_id")
        .annotate(n=Count("id"))
        .values_list("owner_id", "n")
    )
    seen = Worker.objects.filter(lanes__contains=[lane]).order_by("-alive_at").values_list("alive_at", flat=True)
    alive_after = timezone.now() - timedelta(seconds=WORKER_SILENT_SECONDS)
    last = seen[:20]
    return LaneState(
        positions=_positions(lane),
        running=sum(counts.values()),
        running_of=counts,
        limit=limits.lane,
        owner_limit=limits.owner,
        holds=list(Hold.objects.filter(Q(until=None) | Q(until__gt=timezone.now()))),
        workers=sum(1 for at in last if at > alive_after),
        silent_since=max(last, default=None),
    )


def _positions(lane: str) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, {"lane": lane, "far": FAR})
        return dict(cursor.fetchall())


def durations_of(kinds: Iterable[str]) -> dict[str, Durations]:
    """Measured seconds from claim to finish of the last 200 completed attempts; kinds with fewer than 3 are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_DURATIONS, {"kinds": sorted(kinds), "sample": _SAMPLE})
        return {kind: Durations(*percentiles) for kind, percentiles in cursor.fetchall()}


def _outlook(job: Job, lanes: dict[str, LaneState], durations: dict[str, Durations], ahead: dict[int, Job]) -> Outlook:
    if job.status == Status.QUEUED:
        return _queued(job, lanes[job.lane], durations.get(job.kind))
    if job.status == Status.SCHEDULED:
        facts = {"attempt": job.attempt + 1, "of": job.max_retries + 1, "provider": job.provider}
        return Outlook(reason=job.reason, until=job.run_after, facts=facts, wait_unknown=job.reason)
    if job.status == Status.WAITING:
        return _waiting(job, lanes, durations, ahead)
    return Outlook()


def _waiting(job: Job, lanes: dict[str, LaneState], durations: dict[str, Durations], ahead: dict[int, Job]) -> Outlook:
    first = ahead.get(job.waits_for_id or 0)
    if first is None:
        return Outlook(reason=job.reason or Reason.DEPENDENCY, wait_unknown=job.reason)
    before = _outlook(first, lanes, durations, ahead)
    took = durations.get(first.kind)
    facts = {"kind": first.kind, "status": first.status, "waits": before.reason, "until": before.until} | before.facts
    if before.p50 is None or took is None or before.p90 is None:
        return Outlook(before.position, None, None, before.wait_unknown or "no_history", Reason.DEPENDENCY, None, facts)
    return Outlook(before.position, before.p50 + took.p50, before.p90 + took.p90, "", Reason.DEPENDENCY, None, facts)


def _queued(job: Job, lane: LaneState, took: Durations | None) -> Outlook:
    position = lane.positions.get(job.pk, FAR)
    reason, until, facts = _why(job, lane)
    open_ended = reason in (Reason.LANE_PAUSED, Reason.NO_WORKER, Reason.BUDGET)
    if open_ended or took is None:
        return Outlook(position, None, None, reason if open_ended else "no_history", reason, until, facts)
    p50, p90 = wait_range(position, lane, took)
    held = max((until - timezone.now()).total_seconds(), 0.0) if until else 0.0
    return Outlook(position, p50 + held, p90 + held, "", reason, until, facts)


def wait_range(position: int, lane: LaneState, took: Durations) -> tuple[float, float]:
    """Seconds until the job at `position` starts: so many finishes must come first, `places` at a time."""
    finishes = max(position + 1 - max(lane.places - lane.running, 0), 0)
    return finishes / lane.places * took.p50, math.ceil(finishes / lane.places) * took.p90


def _why(job: Job, lane: LaneState) -> tuple[str, datetime | None, dict[str, object]]:
    """Why it does not run now: the first of these that is so; nothing when it is about to start."""
    for hold in lane.holds:
        if _holds(hold, job):
            return (
                hold.reason,
                hold.until,
                {"by": hold.set_by, "since": hold.set_at, "note": hold.note, "provider": job.provider},
            )
    if not lane.workers:
        return Reason.NO_WORKER, None, {"since": lane.silent_since}
    own = lane.running_of.get(job.owner_id, 0)
    if lane.owner_limit is not None and own >= lane.owner_limit:
        return Reason.OWNER_LIMIT, None, {"limit": lane.owner_limit, "running": own}
    if lane.limit is not None and lane.running >= lane.limit:
        return Reason.LANE_LIMIT, None, {"limit": lane.limit, "running": lane.running}
    return "", None, {}


def _holds(hold: Hold, job: Job) -> bool:
    key = {Hold.Scope.LANE: job.lane, Hold.Scope.PROVIDER: job.provider, Hold.Scope.OWNER: str(job.owner_id)}
    return key[Hold.Scope(hold.scope)] == hold.key


@dataclass(frozen=True)
class Statistics:
    """How a queue stands, for one owner or for all. Times in seconds; None when nothing was measured yet."""

    total_queued: int
    total_processing: int
    total_completed: int
    total_failed: int
    average_wait_seconds: float | None
    estimated_wait_seconds: float | None


def statistics(*, kind: str, lane: str, owner_id: int | None) -> Statistics:
    """Counts and waits of one kind; of everybody when `owner_id` is None."""
    jobs = Job.objects.filter(kind=kind)
    jobs = jobs if owner_id is None else jobs.filter(owner_id=owner_id)
    counts = jobs.aggregate(
        queued=Count("id", filter=Q(status__in=[Status.QUEUED, Status.WAITING, Status.SCHEDULED])),
        processing=Count("id", filter=Q(status=Status.PROCESSING)),
        completed=Count("id", filter=Q(status=Status.COMPLETED)),
        failed=Count("id", filter=Q(status=Status.FAILED)),
    )
    return Statistics(
        total_queued=counts["queued"],
        total_processing=counts["processing"],
        total_completed=counts["completed"],
        total_failed=counts["failed"],
        average_wait_seconds=_average_wait(jobs),
        estimated_wait_seconds=_wait_of_a_new_one(kind, lane),
    )


def _average_wait(jobs: "object") -> float | None:
    recent = jobs.filter(started_at__isnull=False, queued_at__isnull=False).order_by("-id")[:_SAMPLE]  # type: ignore[attr-defined]
    waits = [(job.started_at - job.queued_at).total_seconds() for job in recent]
    return round(sum(waits) / len(waits), 1) if waits else None


def _wait_of_a_new_one(kind: str, lane: str) -> float | None:
    took = durations_of({kind}).get(kind)
    if took is None:
        return None
    state = look_at(lane)
    return round(wait_range(len(state.positions), state, took)[0], 1)
