"""The soak's own work, once Django stands: feed jobs, spread the faults over them, wait for the end, judge."""

import argparse
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.db import DatabaseError, connection

from apps.jobs.models import Job
from apps.jobs.states import FINAL, LIVE
from apps.launch.testing import EmbeddedServers
from apps.providers.models import Call
from apps.studio.models import Row
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack
from tests.faults.strangers import Strangers
from tests.support.simulator import SimulatorProcess
from tests.support.stack import wait_until

T = TypeVar("T")
WORKERS = ("worker1", "worker2")
LANES = "prompts,images,listings,visibility"
CHILDREN = 5
ROWS = 200
FAMILY_EVERY, PARTS = 10, 6  # presses; parts of a family, besides the sibling that they share
AHEAD = 400  # jobs that may wait at once, so that the faults meet a working system and not one long queue


@dataclass
class Fault:
    """What was done, and when (database's clock and ours are one machine's)."""

    kind: str
    at: float


@dataclass
class Soak:
    asked: argparse.Namespace
    servers: EmbeddedServers
    directory: Path
    faults: list[Fault] = field(default_factory=list)
    acknowledged: list[UUID] = field(default_factory=list)
    refused: int = 0
    strangers: Strangers | None = None

    def __post_init__(self) -> None:
        self.stack = FaultStack(self.directory)
        self.stack.simulator.stop()
        self.stack.simulator = SimulatorProcess(latency_scale=self.asked.latency_scale)
        self.stack.simulator.start()
        self.stack.environment |= {
            "XAI_API_BASE": self.stack.simulator.xai_base,
            "WAVESPEED_API_BASE": self.stack.simulator.wavespeed_base,
        }
        self.ends = time.monotonic() + 60 * self.asked.minutes
        self.done = threading.Event()

    def run(self) -> None:
        self.stack.start_over()
        self.stack.simulator.skew(self.asked.provider_clock)
        self.stack.clock()
        for name in WORKERS:
            self._worker(name)
        owner = scene.person()
        if self.asked.strangers:
            self.strangers = Strangers(self.stack, owner, self.asked.strangers)
            self.strangers.start()
        rows = scene.rows_in(scene.workspace_of(owner), ROWS)
        feeder = threading.Thread(target=self._feed, args=(rows,), daemon=True)
        feeder.start()
        self._do_faults()
        self._until(lambda: not feeder.is_alive(), "every job is queued")
        self._until(lambda: self._count(LIVE) == 0, "every job has ended")
        if self.strangers:
            self.strangers.done.set()
        self._until(self._nothing_open, "every order is settled", seconds=120)

    # --- work --------------------------------------------------------------------------------------

    def _feed(self, rows: list[Row]) -> None:
        """Presses Generate and AI Generate until there are enough jobs; what the database refuses is pressed again."""
        pressed = 0
        while self._safely(lambda: Job.objects.count(), 0) < self.asked.jobs and not self.done.is_set():
            if self._count(LIVE) > AHEAD:
                time.sleep(0.05)
                continue
            row = rows[pressed % len(rows)]
            try:
                made = scene.generate(row, ai=pressed % 2 == 0, count=1 + pressed % 2)
                self.acknowledged += [job.uid for job in made.jobs]
                pressed += 1
                if pressed % FAMILY_EVERY == 0:
                    self.acknowledged.append(scene.family(row.workspace.owner, parts=PARTS))
            except DatabaseError:
                self.refused += 1
                connection.close()
                time.sleep(0.2)
        connection.close()

    def _worker(self, name: str) -> None:
        self.stack.worker(name, queues=LANES, concurrency=CHILDREN)

    # --- faults ------------------------------------------------------------------------------------

    def _do_faults(self) -> None:
        """Spread over the jobs, not over the time: the n-th of N when n/(N+1) of the jobs have ended."""
        for share, fault in self._plan():
            self._until(
                lambda share=share: self._count(FINAL) >= share * self.asked.jobs,  # type: ignore[misc]
                f"{share:.0%} of the jobs have ended",
            )
            self.faults.append(Fault(fault.__name__.strip("_").replace("_", " "), time.time()))
            fault()

    def _plan(self) -> list[tuple[float, Callable[[], None]]]:
        asked = self.asked
        wanted: list[tuple[int, list[Callable[[], None]]]] = [
            (asked.worker_kills, [self._child_killed, self._worker_killed]),
            (asked.redis_kills, [self._redis_killed]),
            (asked.postgres_restarts, [self._postgres_killed]),
            (asked.pauses, [self._child_paused]),
            (asked.clock_kills, [self._beat_killed, self._clock_killed]),
        ]
        return sorted(
            ((n / (count + 1), kinds[n % len(kinds)]) for count, kinds in wanted for n in range(1, count + 1)),
            key=lambda planned: planned[0],
        )

    def _children(self) -> list[int]:
        return [child for name in WORKERS for child in children_of(self.stack.processes[name].pid)]

    def _child_killed(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(random.choice(self._children()), signal.SIGKILL)

    def _worker_killed(self) -> None:
        name = random.choice(WORKERS)
        self.stack.kill(name)
        self._worker(name)

    def _child_paused(self) -> None:
        """Longer than a lease; it wakes up while another worker has its job."""
        child = random.choice(self._children())
        os.kill(child, signal.SIGSTOP)
        threading.Timer(9, lambda: _signal(child, signal.SIGCONT)).start()

    def _redis_killed(self) -> None:
        self.servers.redis.kill()
        for file in (self.directory / "redis").glob("appendonly*"):
            file.unlink()
        self.servers.redis.start()

    def _postgres_killed(self) -> None:
        self.servers.postgres.kill()
        connection.close()
        self.servers.postgres.start()

    def _beat_killed(self) -> None:
        self.stack.kill("beat")
        self.stack.start("beat", "celery", "-A", "config", "beat", "--pidfile=")

    def _clock_killed(self) -> None:
        self.stack.kill("clock")
        self.stack.worker("clock", queues="dispatch", concurrency=1)

    # --- the end -----------------------------------------------------------------------------------

    def report(self, *, seconds: float) -> int:
        """Prints the table; 0 when every invariant holds."""
        ledger = self.stack.simulator.ledger()
        lost = len(set(self.acknowledged) - set(Job.objects.values_list("uid", flat=True))) + self._count(LIVE)
        broken = ""
        try:
            invariants.check(ledger, tick_seconds=1)
        except AssertionError as error:
            broken = str(error)
        found = invariants.figures(ledger)
        if found.images_bought_twice or found.texts_bought_again > found.flagged:
            broken += "\nMore was bought again than is flagged."
        for name, value in self._lines(found, lost, seconds):
            print(f"{name:<58}{value:>22}")
        print(f"\n{broken or 'Every invariant holds.'}")
        return 1 if broken or lost else 0

    def _lines(self, found: invariants.Figures, lost: int, seconds: float) -> Iterator[tuple[str, str]]:
        yield "jobs", f"{found.jobs:,}"
        for status, count in sorted(found.by_status.items()):
            yield f"  {status}", f"{count:,}"
        families = Job.objects.filter(after_children="end")
        yield f"families of {PARTS} parts and one that they share", f"{families.count():,}"
        yield "  whose parts all completed", f"{families.filter(status='completed').count():,}"
        for kind in sorted({fault.kind for fault in self.faults}):
            times = [fault for fault in self.faults if fault.kind == kind]
            waits = [wait for fault in times if (wait := self._next_completion(fault)) is not None]
            yield f"{kind}", f"{len(times)}"
            yield "  the next job completed after, slowest", f"{max(waits, default=0):.1f} s"
        yield "lost", f"{lost}"
        yield "double completions", f"{found.double_completions}"
        yield "attempts that died with their worker", f"{found.crashes}"
        yield "slowest recovery of such a job, death to next claim", f"{found.slowest_recovery_seconds:.1f} s"
        yield "images bought (the provider's ledger)", f"{found.images_bought:,}"
        yield "images bought twice", f"{found.images_bought_twice}"
        yield "images kept, marked late", f"{found.images_kept_late}"
        yield "orders looked up and not there, sent again", f"{Call.objects.filter(state='lost').count()}"
        yield "texts bought (the provider's ledger)", f"{found.texts_bought:,}"
        yield "texts bought again, each after an answer nobody heard", f"{found.texts_bought_again}"
        yield "calls flagged as perhaps paid twice", f"{found.flagged}"
        yield "  of them of unknown outcome to this day", f"{found.unknown_flagged}"
        yield "  of those paid, as the provider's ledger shows", f"{found.ambiguous}"
        if self.strangers:
            yield from self.strangers.lines()
        yield "presses refused while PostgreSQL was away", f"{self.refused}"
        yield "the providers' clock ahead of ours", f"{self.asked.provider_clock:g} s"
        yield "time", f"{seconds / 60:.1f} min ({found.jobs / seconds:.1f} jobs/s)"

    def _next_completion(self, fault: Fault) -> float | None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM min(at)) FROM jobs_event WHERE new = 'completed' AND at > to_timestamp(%s)",
                [fault.at],
            )
            at = cursor.fetchone()[0]
        return float(at) - fault.at if at else None

    def _count(self, statuses: tuple[str, ...]) -> int:
        return self._safely(lambda: Job.objects.filter(status__in=statuses).count(), -1)

    def _nothing_open(self) -> bool:
        opened = Call.objects.filter(purpose="submit", state__in=("intent", "accepted", "unknown"))
        return self._safely(lambda: not opened.exists(), False)

    def _safely(self, ask: Callable[[], T], away: T) -> T:
        try:
            return ask()
        except DatabaseError:
            connection.close()
            return away

    def _until(self, condition: Callable[[], bool], what: str, *, seconds: float | None = None) -> None:
        left = self.ends - time.monotonic() if seconds is None else seconds
        try:
            wait_until(condition, seconds=left, what=what)
        except AssertionError as late:
            self.done.set()
            print(late)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
