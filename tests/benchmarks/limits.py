"""Limits under eight worker processes: what was allowed, and the most that was ever seen.

    python -m tests.benchmarks.limits

Lanes and owners are measured in the record of attempts (the most that overlapped), providers at the simulator, which
counts what really reaches it (`/__sim/stats`). tests/jobs/test_limits.py runs smaller ones of the same.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.ground import ground, table

if TYPE_CHECKING:
    from apps.jobs.models import Job
    from tests.support.stack import Stack

PROCESSES = 8
NONE: dict[str, int | None] = {"limit": None, "owner_limit": None}

_MOST_AT_ONCE = """
SELECT coalesce(max(running), 0) FROM (
  SELECT sum(step) OVER (PARTITION BY who ORDER BY at, step) AS running FROM (
    SELECT {who} AS who, a.started_at AS at, 1 AS step FROM jobs_attempt a JOIN jobs_job j ON j.id = a.job_id
    WHERE j.lane = %(lane)s
    UNION ALL
    SELECT {who}, a.finished_at, -1 FROM jobs_attempt a JOIN jobs_job j ON j.id = a.job_id WHERE j.lane = %(lane)s) steps) line
"""


@dataclass(frozen=True)
class Measured:
    """`most` is what was seen, `of` how many jobs or calls took part."""

    what: str
    where: str
    limit: int
    most: int
    of: int

    @property
    def held(self) -> bool:
        return self.most <= self.limit


@contextmanager
def workers(folder: Path, **environment: str) -> Iterator["Stack"]:
    """Eight processes over all lanes, and the tick."""
    from tests.support.stack import running

    folder.mkdir(exist_ok=True)
    with running(folder, **environment) as stack:
        stack.clock()
        stack.worker(concurrency=PROCESSES)
        yield stack


def lane_limits(lane: str, **limits: int | None) -> None:
    from apps.jobs import lanes
    from apps.jobs.models import Lane

    Lane.objects.update_or_create(name=lane, defaults=NONE | limits)
    lanes.forget_limits()
    time.sleep(lanes._REMEMBERED_SECONDS)


def rows_of(owners: int) -> list[Any]:
    """A row of a workspace for each of so many owners."""
    from apps.assets.urls import asset_url
    from tests.factories import AssetFactory, RowFactory, UserFactory, WorkspaceFactory

    rows = []
    for _ in range(owners):
        owner = UserFactory()
        workspace = WorkspaceFactory(owner=owner, default_prompt="A calm autumn poster in warm light.")
        rows.append(RowFactory(workspace=workspace, target_url=asset_url(AssetFactory(owner=owner)), ref_urls=[]))
    return rows


def prompts(rows: Sequence[Any], each: int) -> list["Job"]:
    from apps.studio.services import queue_prompt

    return [
        queue_prompt(user=row.workspace.owner, row_id=row.pk, target_url=row.target_url)
        for _ in range(each)
        for row in rows
    ]


def images(rows: Sequence[Any], each: int) -> list["Job"]:
    from apps.studio.services import generate_images

    made = [generate_images(user=row.workspace.owner, row_id=row.pk, use_ai_prompt=False, count=each) for row in rows]
    return [job for generated in made for job in generated.jobs]


def completed(jobs: Sequence["Job"], *, seconds: float = 180) -> None:
    from apps.jobs.models import Job
    from tests.support.stack import wait_until

    ids = [job.pk for job in jobs]
    done = Job.objects.filter(pk__in=ids, status="completed")
    wait_until(lambda: done.count() == len(ids), seconds=seconds, what=f"{len(ids)} jobs completed")


def most_at_once(lane: str, who: str = "1") -> int:
    """The most attempts of the lane that ran at once; with `who` j.owner_id, of any one owner."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_MOST_AT_ONCE.format(who=who), {"lane": lane})
        return int(cursor.fetchone()[0])


def lane_and_owner(folder: Path, *, each: int = 14, delay_ms: int = 250) -> list[Measured]:
    """Three owners, five places, two an owner; then the simulator's own count of calls at once."""
    with workers(folder) as stack:
        stack.simulator.scenario("xai", times=None, delay_ms=delay_ms)
        lane_limits("prompts", limit=5, owner_limit=2)
        jobs = prompts(rows_of(3), each)
        completed(jobs)
        at_once = stack.simulator.stats("xai")["concurrency_high_water"]
    return [
        Measured("lane limit", "attempts", 5, most_at_once("prompts"), len(jobs)),
        Measured("lane limit", "simulator", 5, at_once, len(jobs)),
        Measured("owner limit", "attempts", 2, most_at_once("prompts", "j.owner_id"), len(jobs)),
    ]


def provider_concurrency(folder: Path, *, each: int = 15, limit: int = 3, delay_ms: int = 250) -> list[Measured]:
    with workers(folder, XAI_MAX_CONCURRENT=str(limit)) as stack:
        stack.simulator.scenario("xai", times=None, delay_ms=delay_ms)
        lane_limits("prompts")
        jobs = prompts(rows_of(2), each)
        completed(jobs)
        stats = stack.simulator.stats("xai")
    return [Measured("provider, calls at once", "simulator", limit, stats["concurrency_high_water"], stats["total"])]


def provider_minute(folder: Path, *, jobs: int = 45, limit: int = 20) -> list[Measured]:
    """Runs until more than two minutes' worth has come through."""
    with workers(folder, XAI_REQUESTS_PER_MINUTE=str(limit)) as stack:
        lane_limits("prompts")
        completed(prompts(rows_of(1), jobs), seconds=60 * (jobs / limit + 1) + 60)
        stats = stack.simulator.stats("xai")
    return [Measured("provider, requests a minute", "simulator", limit, stats["most_in_any_minute"], stats["total"])]


def tasks_in_flight(folder: Path, *, each: int = 6, limit: int = 4, delay_ms: int = 1500) -> list[Measured]:
    """Images park while WaveSpeed works: they hold no process, and still count for the lane."""
    with workers(folder) as stack:
        stack.simulator.scenario("wavespeed", times=None, task_delay_ms=delay_ms)
        lane_limits("images", limit=limit)
        jobs = images(rows_of(3), each)
        completed(jobs)
        tasks = stack.simulator.stats("wavespeed")["tasks_high_water"]
    return [
        Measured("lane limit, parked jobs", "attempts", limit, most_at_once("images"), len(jobs)),
        Measured("tasks at WaveSpeed", "simulator", limit, tasks, len(jobs)),
    ]


def report(measured: Sequence[Measured]) -> str:
    rows = [[each.what, each.where, each.of, each.limit, each.most, "yes" if each.held else "NO"] for each in measured]
    return table(["limit", "measured in", "jobs or calls", "allowed", "most seen", "held"], rows)


def main() -> int:
    with ground(PRESSROOM_LOG="console") as folder:
        scenarios = [lane_and_owner, provider_concurrency, tasks_in_flight, provider_minute]
        measured = [each for scenario in scenarios for each in _alone(scenario, folder)]
    print(f"{PROCESSES} worker processes\n\n{report(measured)}")
    return 0 if all(each.held for each in measured) else 1


def _alone(scenario: Any, folder: Path) -> list[Measured]:
    """On empty tables."""
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    return scenario(folder / scenario.__name__)


if __name__ == "__main__":
    sys.exit(main())
