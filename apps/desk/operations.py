"""What operators do to the queue: look, pause, drain, stop, hold, and try again what failed.

For `manage.py queue`, celery's remote control, the admin and the desk alike. Holds are rows: they outlive every process
and are seen by all of them at the next claim.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.desk.capacity import FAR, durations_of, look_at, wait_range
from apps.jobs import endings, holds, lanes, services
from apps.jobs.models import Hold, Job
from apps.jobs.states import Reason, Status
from apps.providers import breakers
from apps.providers.causes import cause_of
from apps.providers.models import Breaker

CAP = 10_000
DRAIN_LOOKS_EVERY = 0.25
# Each part walks an index of its own and stops at the cap.
_DEPTH = """
SELECT l.lane, 'queued', (SELECT count(*) FROM (
  SELECT 1 FROM jobs_job j WHERE j.lane = l.lane AND j.status = 'queued' LIMIT %(cap)s) q)
FROM unnest(%(lanes)s::text[]) AS l(lane)
UNION ALL
SELECT lane, 'waiting', count(*) FROM (SELECT lane FROM jobs_job WHERE status = 'waiting' LIMIT %(cap)s) w GROUP BY 1
UNION ALL
SELECT lane, 'scheduled', count(*) FROM (SELECT lane FROM jobs_job WHERE status = 'scheduled' LIMIT %(cap)s) s GROUP BY 1
"""
_OLDEST = """
SELECT min(queued_at) FROM (
  SELECT queued_at FROM jobs_job WHERE lane = %(lane)s AND status = 'queued' ORDER BY priority DESC, turn, seq LIMIT 1000) q
"""
_USUAL_COST = """
SELECT avg(cost) FROM (
  SELECT sum(c.cost_usd) AS cost FROM (
    SELECT job_id FROM jobs_attempt WHERE kind = %(kind)s AND outcome = 'completed' ORDER BY finished_at DESC LIMIT 200) a
  JOIN providers_call c USING (job_id) GROUP BY a.job_id) costs
"""


@dataclass(frozen=True)
class HoldFacts:
    """What holds something, by whom, until when (None: until somebody lifts it).

    `cause`, `said` and `action`: what is the matter with a provider, as a code, in words, and what to do about it.
    """

    scope: str
    key: str
    reason: str
    until: datetime | None
    by: str
    note: str
    cause: str = ""
    said: str = ""
    action: str = ""


@dataclass(frozen=True)
class LaneFacts:
    """How a lane stands. Counts end at CAP; waits are seconds of a job that joins now, None when not known."""

    lane: str
    queued: int
    waiting: int
    scheduled: int
    running: int
    limit: int | None
    owner_limit: int | None
    processes: int
    oldest_queued_at: datetime | None
    wait_p50: float | None
    wait_p90: float | None
    holds: list[HoldFacts]


@dataclass(frozen=True)
class Redrive:
    """`count` failed jobs fit; `cost_usd` is what as many jobs of their kinds usually cost, None when not known.

    `made` are the new jobs, none in a dry run; `left` could not be tried again (somebody else did, or no room).
    """

    count: int
    by_code: dict[str, int]
    cost_usd: Decimal | None
    made: int = 0
    left: int = 0


@dataclass
class Drained:
    """`running` jobs still run; 0: the lane is empty-handed."""

    lane: str
    running: int = 0
    waited_seconds: float = 0.0


def stats() -> list[LaneFacts]:
    """Every lane, at a cost that does not grow with its jobs."""
    depth, standing = _depth(), breakers.standing()
    return [_lane_facts(lane, depth, standing) for lane in settings.LANES]


def drain(lane: str, *, by: str = "", note: str = "", seconds: float = 0.0) -> Drained:
    """Starts nothing more and waits, at most so long, until what runs has ended. The lane stays paused."""
    lanes.pause(lane, by=by, note=note or "draining")
    started, drained = time.monotonic(), Drained(lane)
    while True:
        drained.running = Job.objects.processing().filter(lane=lane).count()
        drained.waited_seconds = time.monotonic() - started
        if not drained.running or drained.waited_seconds >= seconds:
            return drained
        time.sleep(DRAIN_LOOKS_EVERY)


def stop(*, by: str = "", note: str = "") -> int:
    """No job starts until its lane is resumed; what runs is asked to stop. Answers how many were asked.

    What a provider was paid for already is still fetched and kept; what waits keeps its place.
    """
    with transaction.atomic():
        for lane in settings.LANES:
            lanes.pause(lane, by=by, note=note or "everything was stopped")
    running = list(Job.objects.processing().order_by("id").values_list("pk", flat=True))
    return sum(change.new == Status.PROCESSING for change in endings.cancel(running, reason="stopped"))


def hold_provider(provider: str, *, by: str = "", note: str = "", until: datetime | None = None) -> None:
    """Nothing that needs the provider starts. Raises ValueError for one that no kind of job uses."""
    lanes.hold(
        Hold.Scope.PROVIDER, _known_provider(provider), reason=Reason.PROVIDER_HELD, until=until, by=by, note=note
    )


def release_provider(provider: str) -> None:
    """It may be called at once: every hold on it is lifted, also those that it asked for itself, and its breakers close.

    Raises ValueError for one that no kind of job uses.
    """
    call_again(_known_provider(provider))


def hold_owner(username: str, *, by: str = "", note: str = "", until: datetime | None = None) -> None:
    """Nothing of this person starts. Raises ValueError when there is no such person."""
    lanes.hold(Hold.Scope.OWNER, _owner_key(username), reason=Reason.OWNER_HELD, until=until, by=by, note=note)


def release_owner(username: str) -> None:
    """What this person queued may start. Raises ValueError when there is no such person."""
    lanes.lift(Hold.Scope.OWNER, _owner_key(username))


def lift(hold: Hold) -> None:
    """What held this lane, provider or person holds it no more."""
    if hold.scope == Hold.Scope.PROVIDER:
        call_again(hold.key)
    else:
        lanes.lift(hold.scope, hold.key)


def call_again(provider: str) -> None:
    """By a person who has put things right: no hold of any kind, no breaker, and nobody waits for either."""
    with transaction.atomic():
        breakers.close(provider=provider)
        holds.let_go(provider, list(Reason))


def failed_jobs(*, code: str = "", lane: str = "", owner: str = "", since: datetime | None = None) -> QuerySet[Job]:
    """What failed and was not tried again, newest first."""
    retried = Job.objects.filter(retry_of=OuterRef("pk"))
    wanted = Q(status=Status.FAILED)
    for name, value in {"error_code": code, "lane": lane, "owner__username": owner, "finished_at__gte": since}.items():
        wanted &= Q(**{name: value}) if value else Q()
    return Job.objects.filter(wanted, ~Exists(retried)).order_by("-finished_at")


def redrive(jobs: Iterable[Job], *, dry_run: bool) -> Redrive:
    """Tries each again as its owner would. Each in a transaction of its own, so that one does not hold up the others."""
    found = list(jobs)
    by_code: dict[str, int] = {}
    for job in found:
        by_code[job.error_code] = by_code.get(job.error_code, 0) + 1
    plan = Redrive(len(found), by_code, _usual_cost(found))
    if dry_run:
        return plan
    made = sum(_redrive_one(job) for job in found)
    return Redrive(plan.count, plan.by_code, plan.cost_usd, made, plan.count - made)


def _redrive_one(job: Job) -> bool:
    try:
        services.retry_job(user=job.owner, uid=job.uid)
    except Problem:
        return False
    return True


def _usual_cost(jobs: list[Job]) -> Decimal | None:
    """None when no completed job of one of the kinds has a known cost."""
    total = Decimal(0)
    with connection.cursor() as cursor:
        for kind in {job.kind for job in jobs if settings.KINDS[job.kind].provider}:
            cursor.execute(_USUAL_COST, {"kind": kind})
            usual = cursor.fetchone()[0]
            if usual is None:
                return None
            total += usual * sum(job.kind == kind for job in jobs)
    return total


def _depth() -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(_DEPTH, {"lanes": list(settings.LANES), "cap": CAP})
        return {(lane, status): count for lane, status, count in cursor.fetchall()}


def _lane_facts(lane: str, depth: dict[tuple[str, str], int], standing: list[Breaker]) -> LaneFacts:
    state = look_at(lane)
    kind = next((name for name, each in settings.KINDS.items() if each.lane == lane), "")
    took = durations_of({kind}).get(kind) if kind else None
    wait: tuple[float | None, float | None] = (None, None)
    if took:
        place = state.newcomer(Job(owner_id=0, priority=5))
        wait = (
            (None, None)
            if place.ahead >= FAR
            else wait_range(place, state, kind=kind, provider=settings.KINDS[kind].provider, took=took)
        )
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, {"lane": lane})
        oldest = cursor.fetchone()[0]
    providers = {each.provider for each in settings.KINDS.values() if each.lane == lane}
    return LaneFacts(
        lane=lane,
        queued=depth.get((lane, Status.QUEUED), 0),
        waiting=depth.get((lane, Status.WAITING), 0),
        scheduled=depth.get((lane, Status.SCHEDULED), 0),
        running=state.running,
        limit=state.limit,
        owner_limit=state.owner_limit,
        processes=state.processes,
        oldest_queued_at=oldest,
        wait_p50=wait[0],
        wait_p90=wait[1],
        holds=[_hold_facts(hold) for hold in state.holds if _concerns(hold, lane, providers)]
        + [_breaker_facts(breaker) for breaker in standing if breaker.provider in providers],
    )


def _concerns(hold: Hold, lane: str, providers: set[str]) -> bool:
    return hold.scope == Hold.Scope.OWNER or hold.key == lane or hold.key in providers


def _hold_facts(hold: Hold) -> HoldFacts:
    told = HoldFacts(hold.scope, hold.key, hold.reason, hold.until, hold.set_by, hold.note)
    if not hold.cause:
        return told
    cause = cause_of(hold.cause, hold.key)
    return replace(told, cause=hold.cause, said=cause.said, action=cause.desk)


def _breaker_facts(breaker: Breaker) -> HoldFacts:
    """Of an open one, or one on trial; `until` is when it is tried next."""
    cause = cause_of(breaker.reason, breaker.provider)
    return HoldFacts(
        scope="breaker",
        key=f"{breaker.provider} {breaker.model}".strip(),
        reason=Reason.BREAKER_OPEN,
        until=breaker.open_until,
        by="",
        note=breaker.get_state_display(),
        cause=breaker.reason,
        said=cause.said,
        action=cause.desk,
    )


def _known_provider(provider: str) -> str:
    known = sorted({kind.provider for kind in settings.KINDS.values()} - {""})
    if provider not in known:
        raise ValueError(f"There is no provider {provider!r}; there are {', '.join(known)}.")
    return provider


def _owner_key(username: str) -> str:
    owner = User.objects.filter(username=username).values_list("pk", flat=True).first()
    if owner is None:
        raise ValueError(f"There is nobody called {username!r}.")
    return str(owner)
