"""What a lane can do and how long it takes: the figures behind every wait that is told.

A lane works as many jobs at once as the tightest of these allows: its own limit, the calls that the provider takes at
once, the processes that listen to it. Kinds that park hold no process while their provider works, so for them the
processes do not count. Durations are measured: of the last 200 completed attempts of the kind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from math import sqrt
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q

from apps.jobs.lanes import limits_of
from apps.jobs.models import Hold, Job
from apps.providers import places
from apps.providers.governor import limit_of
from apps.providers.models import PlaceKind

FAR = 1000
WORKER_SILENT_SECONDS = 15.0
FEWEST_MEASURED = 3
_MEASURED = 200
_ARRIVALS = 1000
_ARRIVALS_SECONDS = 1800.0
_SHORTEST_WINDOW_SECONDS = 300.0
# Nine of ten waits lie below the mean and so many standard deviations.
_NINE_OF_TEN = 1.2816
# Above this share of overtakers no wait can be told apart from never.
_MOST_OVERTAKEN = 0.85

_FIRST = """
SELECT id, owner_id, priority, turn FROM jobs_job j WHERE lane = %(lane)s AND status = 'queued' {open}
ORDER BY priority DESC, turn, seq LIMIT %(far)s
"""
_OPEN = """
AND NOT EXISTS (SELECT 1 FROM jobs_hold h WHERE (h.until IS NULL OR h.until > clock_timestamp())
                AND ((h.scope = 'provider' AND h.key = j.provider) OR (h.scope = 'owner' AND h.key = j.owner_id::text)))
"""
_WORKERS = """
SELECT clock_timestamp(), max(alive_at),
  coalesce(sum(processes) FILTER (WHERE alive_at > clock_timestamp() - %(silent)s * interval '1 second'
                                    AND alive_at < clock_timestamp() + %(silent)s * interval '1 second'), 0)
FROM jobs_worker WHERE lanes ? %(lane)s
"""
_DURATIONS = """
SELECT kind.kind, avg(d.seconds), coalesce(stddev_samp(d.seconds), 0),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY d.seconds), percentile_cont(0.9) WITHIN GROUP (ORDER BY d.seconds)
FROM unnest(%(kinds)s::text[]) AS kind(kind),
  LATERAL (SELECT extract(epoch FROM finished_at - started_at)::float AS seconds FROM jobs_attempt
           WHERE kind = kind.kind AND outcome = 'completed' ORDER BY finished_at DESC LIMIT %(sample)s) d
GROUP BY kind.kind HAVING count(*) >= %(fewest)s
"""
_EXPECTED = """
SELECT owner_id, priority, count(*) FROM (
  SELECT owner_id, priority FROM jobs_job WHERE lane = %(lane)s AND status = 'waiting' AND waits_for_id IS NOT NULL
  LIMIT %(far)s) waiting GROUP BY 1, 2
"""
_RECENT = """
WITH recent AS MATERIALIZED (SELECT lane, priority, owner_id, created_at FROM jobs_job ORDER BY id DESC LIMIT %(sample)s)
SELECT priority, owner_id, count(*), (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float FROM recent)
FROM recent WHERE lane = %(lane)s AND created_at > (SELECT clock_timestamp() - %(seconds)s * interval '1 second')
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Durations:
    """Measured seconds from claim to finish."""

    mean: float
    spread: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Place:
    """A job's place in its line. `ahead` jobs start before it if nothing new arrives."""

    ahead: int
    owner_id: int
    priority: int
    turn: int


@dataclass(frozen=True)
class Arrivals:
    """Jobs a second that lately came to the lane, by priority and owner."""

    rates: dict[tuple[int, int], float] = field(default_factory=dict)

    def above(self, priority: int) -> float:
        return sum(rate for (other, _), rate in self.rates.items() if other > priority)

    def beside(self, priority: int, owner_id: int) -> dict[int, float]:
        """Of the other owners at the same priority, by owner."""
        return {who: rate for (other, who), rate in self.rates.items() if other == priority and who != owner_id}


@dataclass(frozen=True)
class LaneState:
    """One look at a lane: who is ahead, how many run, what holds it, whether anybody works on it."""

    now: datetime
    line: dict[int, Place]
    expected: list[tuple[int, int, int]]  # owner, priority, how many wait for another job and join the line after it
    running_of: dict[int, int]
    limit: int | None
    owner_limit: int | None
    holds: list[Hold]
    processes: int
    silent_since: datetime | None
    arrivals: Arrivals
    taken: dict[tuple[str, str], int]

    @cached_property
    def running(self) -> int:
        return sum(self.running_of.values())

    def ahead_of(self, job: Job) -> int:
        """FAR means that many or more. One that is not in a line seen whole was taken since it was read: it is next."""
        if job.pk in self.line:
            return self.line[job.pk].ahead
        return FAR if len(self.line) >= FAR else 0

    def at_once(self, kind: str, provider: str) -> int:
        """How many jobs of the kind can run at once."""
        limits = [self.limit, None if settings.KINDS[kind].parks else max(self.processes, 1)]
        limits.append(limit_of(provider, "concurrent") or None if provider else None)
        return max(min((limit for limit in limits if limit is not None), default=FAR), 1)

    def newcomer(self, job: Job, *, behind: int = 0) -> Place:
        """The place of a job that will join its line: after what is there, and `behind` others of its owner."""
        same = [place for place in self.line.values() if place.priority == job.priority]
        head = min((place.turn for place in same), default=0)
        after = {place.owner_id: place.turn + 1 for place in same}
        turn = after.get(job.owner_id, head) + behind
        ahead = sum(place.priority > job.priority for place in self.line.values())
        return Place(ahead + sum(place.turn <= turn for place in same) + behind, job.owner_id, job.priority, turn)

    def expected_before(self, place: Place) -> int:
        """Of those that wait for another job too: how many may go before this one."""
        same = [other for other in self.line.values() if other.priority == place.priority]
        head = min((other.turn for other in same), default=0)
        after = {other.owner_id: other.turn + 1 for other in same}
        count = 0
        for owner_id, priority, waiting in self.expected:
            if priority > place.priority:
                count += waiting
            elif priority == place.priority and owner_id != place.owner_id:
                count += min(waiting, max(place.turn - after.get(owner_id, head) + 1, 0))
        return count


def look_at(lane: str) -> LaneState:
    limits = limits_of(lane)
    counts = Job.objects.processing().filter(lane=lane).values_list("owner_id").annotate(n=Count("id"))
    now, last, processes = _rows(_WORKERS, {"lane": lane, "silent": WORKER_SILENT_SECONDS})[0]
    standing = Hold.objects.filter(Q(until=None) | Q(until__gt=now))
    holds = list(standing.order_by(F("until").desc(nulls_first=True), "pk"))  # whatever ends last is the reason
    return LaneState(
        now=now,
        line=_line(lane, holds),
        expected=_rows(_EXPECTED, {"lane": lane, "far": FAR}),
        running_of=dict(counts.values_list("owner_id", "n")),
        limit=limits.lane,
        owner_limit=limits.owner,
        holds=holds,
        processes=processes,
        silent_since=last,
        arrivals=_arrivals(lane),
        taken=places.taken_counts(),
    )


def durations_of(kinds: Iterable[str]) -> dict[str, Durations]:
    """Of the last 200 completed attempts of each kind; kinds with fewer than three are left out."""
    rows = _rows(_DURATIONS, {"kinds": sorted(kinds), "sample": _MEASURED, "fewest": FEWEST_MEASURED})
    return {kind: Durations(*figures) for kind, *figures in rows}


def wait_range(place: Place, lane: LaneState, *, kind: str, provider: str, took: Durations) -> tuple[float, float]:
    """Seconds until the job at `place` starts, p50 and p90: until so many others have finished.

    Those who come later and go first count as well, as often as such came lately: whoever has a higher priority, and
    at the same priority each other owner once for each turn that lies before the job's own.
    """
    at_once = lane.at_once(kind, provider)
    finishes: float = place.ahead + 1 - max(at_once - lane.running, 0)
    if finishes <= 0:
        return _paced(place, lane, provider, 0.0, 0.0)
    each = took.mean / at_once
    finishes += _comers_beside(place, lane, finishes * each)
    stretch = 1 / (1 - min(lane.arrivals.above(place.priority) * each, _MOST_OVERTAKEN))
    mean = finishes * each * stretch
    # Each finish spreads by its own duration; each overtaker, who comes by chance, by a whole one.
    spread = sqrt(finishes * stretch) * sqrt(took.spread**2 + (stretch - 1) * took.mean**2) / at_once * sqrt(stretch)
    return _paced(place, lane, provider, mean, max(mean + _NINE_OF_TEN * spread, took.p90 if at_once == 1 else 0.0))


def _comers_beside(place: Place, lane: LaneState, seconds: float) -> float:
    """How many others of the same priority will be taken in between: none goes twice in a turn."""
    same = [other.turn for other in lane.line.values() if other.priority == place.priority]
    turns = max(place.turn - min(same, default=place.turn), 0)
    rates = lane.arrivals.beside(place.priority, place.owner_id)
    return sum(min(rate * seconds, turns) for rate in rates.values())


def _paced(place: Place, lane: LaneState, provider: str, p50: float, p90: float) -> tuple[float, float]:
    """No sooner than the provider's requests a minute allow."""
    a_minute = limit_of(provider, "per_minute") if provider else 0
    if not a_minute:
        return p50, p90
    left = a_minute - lane.taken.get((provider, PlaceKind.REQUEST), 0)
    paced = max(place.ahead + 1 - left, 0) / a_minute * places.MINUTE_SECONDS
    return max(p50, paced), max(p90, paced)


def _line(lane: str, holds: Sequence[Hold]) -> dict[int, Place]:
    """The first FAR of the line in the claim's own order. What is held does not stand before what is not."""
    line = _first(lane, "")
    if any(hold.scope != Hold.Scope.LANE for hold in holds):
        line |= _first(lane, _OPEN)
    return line


def _first(lane: str, condition: str) -> dict[int, Place]:
    rows = _rows(_FIRST.format(open=condition), {"lane": lane, "far": FAR})
    return {pk: Place(ahead, *rest) for ahead, (pk, *rest) in enumerate(rows)}


def _arrivals(lane: str) -> Arrivals:
    """From the newest thousand jobs of all lanes, so that it costs the same however many there are."""
    rows = _rows(_RECENT, {"lane": lane, "sample": _ARRIVALS, "seconds": _ARRIVALS_SECONDS})
    rates = {}
    for priority, owner_id, count, spanned in rows:
        window = min(max(spanned, _SHORTEST_WINDOW_SECONDS), _ARRIVALS_SECONDS)
        rates[priority, owner_id] = count / window
    return Arrivals(rates)


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
