"""A busy day on a virtual clock: what people were told about their waits, and how long they really waited.

    python -m tests.benchmarks.busy_day [--hours 8] [--seed 1]

A discrete-event simulation. The queue is the real one: real enqueue, claim, complete, reschedule, promote, age and hold
statements against a real PostgreSQL, and the real estimates. Only the time is simulated: the database's clock_timestamp()
is shadowed by one that this program sets, and jobs last as long as it draws. Arrivals follow the hours of an office
day, with people at the page (priority 8), programs (5) and background work (2), bulk uploads, providers that ask to slow
down, tries that fail and are tried again, and rush hours in which more comes in than can be done.
"""

import argparse
import heapq
import itertools
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

from tests.benchmarks.ground import ground, table

OWNERS = 12
RATES = [0.3, 0.6, 0.95, 1.25, 0.8, 1.1, 0.7, 0.3]  # share of what the image lane can do, hour by hour
PRIORITIES = [8, 8, 8, 8, 8, 5, 5, 2]
IMAGES = [1, 2, 2, 3, 4]
# Median seconds and sigma of the lognormal durations; places.
DURATIONS = {"prompt": (11.0, 0.45), "image": (32.0, 0.4), "noop": (20.0, 0.7)}
PLACES = {"prompts": 3, "images": 6, "listings": 2}
RETRIED, FAILED = 0.04, 0.01
STARTS = datetime(2026, 3, 2, 9, tzinfo=UTC)
DISPATCH_SECONDS, AGE_SECONDS = 2.0, 30.0

_CLOCK = """
CREATE SCHEMA simulated;
CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
  AS $$ SELECT current_setting('simulated.now')::timestamptz $$;
CREATE FUNCTION simulated.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
  AS $$ SELECT current_setting('simulated.now')::timestamptz $$;
SET search_path = simulated, public, pg_catalog;
"""


@dataclass
class Told:
    """What was said about one job when it was queued, and what came of it. Seconds."""

    kind: str
    at: float
    p50: float | None
    p90: float | None
    unknown: str
    waited: float | None = None


@dataclass
class Day:
    """The simulation: `agenda` is a heap of (seconds, order, what to do)."""

    random: random.Random
    seconds: float
    owners: list[int]
    now: float = 0.0
    agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    told: dict[int, Told] = field(default_factory=dict)
    order: Any = field(default_factory=itertools.count)

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (when, next(self.order), what))

    def run(self) -> None:
        while self.agenda:
            self.now, _, what = heapq.heappop(self.agenda)
            self.set_clock()
            what()

    def set_clock(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('simulated.now', %s, false)", [self.moment().isoformat()])

    def moment(self, ahead: float = 0.0) -> datetime:
        return STARTS + timedelta(seconds=self.now + ahead)

    # --- what comes in ---

    def plan(self) -> None:
        capacity = PLACES["images"] / _mean("image") / (sum(IMAGES) / len(IMAGES))
        for person in range(len(self.owners)):
            self._plan_arrivals(capacity / len(self.owners), lambda person=person: self.generate(self.owners[person]))
        self._plan_arrivals(0.75 * PLACES["listings"] / _mean("noop"), self.listing)
        for _ in range(int(self.seconds / 3600 * 2)):
            self.at(self.random.uniform(0, self.seconds), self.bulk)
            self.at(self.random.uniform(0, self.seconds), self.slow_down)
        for tick in range(int(self.seconds / AGE_SECONDS)):
            self.at(tick * AGE_SECONDS, self.age)

    def _plan_arrivals(self, rate: float, what: Callable[[], None]) -> None:
        """Poisson, thinned to the hour's share."""
        when = 0.0
        while (when := when + self.random.expovariate(rate * max(RATES))) < self.seconds:
            if self.random.random() < RATES[int(when / self.seconds * len(RATES))] / max(RATES):
                self.at(when, what)

    def generate(self, owner: int, priority: int | None = None) -> None:
        """AI Generate: a prompt, and images that wait for it."""
        from apps.jobs.values import NewJob

        priority = priority or self.random.choice(PRIORITIES)
        (prompt,) = self.queue([NewJob(kind="prompt", owner_id=owner, priority=priority)])
        count = self.random.choice(IMAGES)
        self.queue([NewJob(kind="image", owner_id=owner, priority=priority, waits_for_id=prompt)] * count)

    def listing(self) -> None:
        from apps.jobs.values import NewJob

        priority = self.random.choice(PRIORITIES)
        self.queue([NewJob(kind="noop", owner_id=self.random.choice(self.owners), priority=priority)])

    def bulk(self) -> None:
        owner = self.random.choice(self.owners)
        for _ in range(self.random.randint(5, 20)):
            self.generate(owner, priority=5)

    def queue(self, jobs: list[Any]) -> list[int]:
        from dataclasses import replace
        from uuid import uuid4

        from apps.desk.estimates import describe
        from apps.jobs import lifecycle
        from apps.jobs.models import Job

        ids = list(lifecycle.enqueue([replace(job, uid=uuid4()) for job in jobs]).values())
        made = list(Job.objects.filter(pk__in=ids))
        outlooks = describe(made)
        for job in made:
            outlook = outlooks[job.pk]
            self.told[job.pk] = Told(job.kind, self.now, outlook.p50, outlook.p90, outlook.wait_unknown)
        self.work(made[0].lane)
        return ids

    # --- what is done ---

    def work(self, lane: str) -> None:
        """The workers take what the claim gives them."""
        from apps.jobs import lifecycle

        while lease := lifecycle.claim(lane=lane, worker="simulated"):
            told = self.told[lease.job_id]
            if told.waited is None:
                told.waited = self.now - told.at
            self.at(self.now + self.duration(lease.kind), lambda lease=lease: self.finish(lease))

    def duration(self, kind: str) -> float:
        median, sigma = DURATIONS[kind]
        return median * self.random.lognormvariate(0, sigma)

    def finish(self, lease: Any) -> None:
        from apps.jobs import endings, lifecycle
        from apps.jobs.values import Failure

        chance, failure = self.random.random(), Failure("simulated", "It failed.")
        if chance < FAILED:
            lifecycle.fail(lease, failure)
            endings.fail_dependants([lease.job_id])
        elif chance < FAILED + RETRIED and lease.failures < lease.max_retries:
            self.again(lease, seconds=2.0 ** (1 + lease.failures), reason="backoff_until", counts=True)
        else:
            lifecycle.complete(lease)
        for lane in PLACES:
            self.work(lane)

    def again(self, lease: Any, *, seconds: float, reason: str, counts: bool) -> None:
        from apps.jobs import lifecycle
        from apps.jobs.values import Failure

        failure = Failure("simulated", "It failed.")
        lifecycle.reschedule(lease, seconds=seconds, reason=reason, outcome="retry", failure=failure, counts=counts)
        due = (self.now + seconds) // DISPATCH_SECONDS * DISPATCH_SECONDS + DISPATCH_SECONDS
        self.at(due, lambda: (lifecycle.promote(), self.work(lease.lane)))

    def slow_down(self) -> None:
        """A provider asks for half a minute's rest."""
        from apps.jobs import lanes

        provider, lane = self.random.choice([("xai", "prompts"), ("wavespeed", "images")])
        seconds = self.random.uniform(10, 60)
        lanes.hold("provider", provider, reason="rate_limited_until", until=self.moment(seconds))
        self.at(self.now + seconds + 0.1, lambda: self.work(lane))

    def age(self) -> None:
        from apps.jobs import lifecycle

        lifecycle.age()


def _mean(kind: str) -> float:
    from math import exp

    median, sigma = DURATIONS[kind]
    return median * exp(sigma**2 / 2)


def furnish() -> list[int]:
    """Owners, lanes with their places, a worker that stays alive."""
    from django.db import connection

    from apps.accounts.models import User
    from apps.jobs import lanes
    from apps.jobs.models import Lane, Worker

    for lane, places in PLACES.items():
        Lane.objects.update_or_create(name=lane, defaults={"limit": places})
    lanes.forget_limits()
    alive = datetime(2100, 1, 1, tzinfo=UTC)
    Worker.objects.create(name="simulated", lanes=list(PLACES), processes=8, started_at=STARTS, alive_at=alive)
    with connection.cursor() as cursor:
        cursor.execute(_CLOCK)
    return [User.objects.create(username=f"person{number}").pk for number in range(OWNERS)]


def report(told: list[Told]) -> tuple[str, bool]:
    kinds: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        kinds[each.kind].append(each)
        kinds["all"].append(each)
    rows, good = [], True
    for kind in (*DURATIONS, "all"):
        cells, share = _row(kinds[kind])
        rows.append([kind, len(kinds[kind]), *cells])
        good &= share >= 0.8
    head = ["kind", "jobs", "told", "waited p50 s", "p90 s", "told p90, median s", "≤ p50 told", "≤ p90 told"]
    return table(head, rows), good


def _row(told: list[Told]) -> tuple[list[str], float]:
    started = [each for each in told if each.waited is not None]
    known = [each for each in started if each.p90 is not None]
    waits = quantiles([each.waited or 0.0 for each in started], n=10)
    middle = quantiles([each.p90 or 0.0 for each in known], n=2)[0]
    # A second is what a person sees.
    under = [sum((each.waited or 0) <= (bound or 0) + 1 for each, bound in pairs) / len(known) for pairs in (
        [(each, each.p50) for each in known], [(each, each.p90) for each in known])]  # fmt: skip
    figures = [f"{waits[4]:.0f}", f"{waits[8]:.0f}", f"{middle:.0f}", f"{under[0]:.0%}", f"{under[1]:.1%}"]
    return [f"{len(known) / len(started):.1%}", *figures], under[1]


def main() -> int:
    parser = argparse.ArgumentParser(description="How far the waits that people are told can be trusted")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with ground():
        day = Day(random.Random(asked.seed), asked.hours * 3600, furnish())
        day.set_clock()
        day.plan()
        day.run()
        text, good = report(list(day.told.values()))
    print(f"A day of {asked.hours:g} hours, seed {asked.seed}: {len(day.told)} jobs of {OWNERS} people\n\n{text}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
