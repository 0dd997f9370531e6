"""What kept connections and prepared statements are worth, and whether one plan for all parameters is a good one.

    python -m tests.benchmarks.statements [--jobs 600] [--deep 100000]

Both ways take turns in blocks of 50 on one machine and in one process, so that whatever else runs there meets both alike.
CPU is that of this process and of its PostgreSQL session; commits wait for no disk.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.ground import ground, table

BLOCK = 50
LANE = "listings"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def spread(times: list[float]) -> list[str]:
    ordered = sorted(times)
    return [f"{statistics.median(ordered) * 1000:.2f}", f"{ordered[int(len(ordered) * 0.9)] * 1000:.2f}"]


def fused(jobs: int) -> None:
    """Finishing a job and claiming the next, with and without prepared statements."""
    from django.db import connection

    from apps.jobs import lifecycle

    prepared = lifecycle.prepared_cursor
    ways: dict[str, Callable[[], Any]] = {"planned each time": connection.cursor, "prepared": prepared}
    for limit in (None, 3):
        furnish(limit, jobs=4 * jobs)
        lease = lifecycle.claim(lane=LANE, worker="w")
        took: dict[str, list[float]] = {name: [] for name in ways}
        used: dict[str, list[float]] = {name: [0.0, 0.0] for name in ways}
        backend = connection.connection.info.backend_pid
        for _ in range(jobs // BLOCK):
            for name, cursor in ways.items():
                lifecycle.prepared_cursor = cursor  # type: ignore[assignment]
                own, its = time.process_time(), cpu_of(backend)
                for _ in range(BLOCK):
                    began = time.perf_counter()
                    _, lease = lifecycle.complete_and_claim(lease, worker="w")  # type: ignore[arg-type]
                    took[name].append(time.perf_counter() - began)
                used[name][0] += time.process_time() - own
                used[name][1] += cpu_of(backend) - its
        lifecycle.prepared_cursor = prepared
        print(f"\nFinish and claim, lane limit {limit}, {jobs} each:\n")
        rows = [
            [name, *spread(took[name]), *(f"{seconds * 1000 / len(took[name]):.2f}" for seconds in used[name])]
            for name in ways
        ]
        print(table(["statement", "p50 ms", "p90 ms", "our CPU ms", "PostgreSQL CPU ms"], rows))


def wake_ups(count: int) -> None:
    """A wake-up that finds nothing: on a new connection, as Celery made one for each task, and on the one before."""
    from django.db import close_old_connections, connection

    from apps.jobs import loop

    furnish(None, jobs=0)
    took: dict[str, list[float]] = {"a new connection": [], "the one before": []}
    for _ in range(count // 10):
        for name, times in took.items():
            for _ in range(10):
                began = time.perf_counter()
                connection.close() if name == "a new connection" else close_old_connections()
                loop.work(LANE)
                times.append(time.perf_counter() - began)
    print("\nA wake-up that finds nothing:\n")
    print(table(["on", "p50 ms", "p90 ms"], [[name, *spread(times)] for name, times in took.items()]))


# Each changes the queue of the shape before it.
SHAPES = {
    "one owner, one priority": "lane = lane WHERE false",
    "1,000 owners": "owner_id = owner_id + id % 1000",
    "ten priorities": "priority = 1 + id % 10",
    "the better half held": "provider = 'held' WHERE priority > 5",
    "all but ten in another lane": "lane = 'visibility' WHERE id NOT IN (SELECT id FROM jobs_job ORDER BY id LIMIT 10)",
}


PUT_BACK = """
UPDATE jobs_job SET status = 'queued', lease_until = NULL, worker = '', started_at = NULL WHERE status = 'processing'
"""


def plans(deep: int) -> None:
    """A claim (put back) of a deep queue, with a plan made for its parameters and with one for any."""
    from django.db import connection

    from apps.jobs import lanes, lifecycle
    from apps.jobs.models import Lane

    furnish(None, jobs=deep)
    lanes.hold("provider", "held", reason="provider_held")
    rows = []
    for shape, change in SHAPES.items():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE jobs_job SET {change}")
            cursor.execute("VACUUM ANALYZE jobs_job")
        for limit in (None, 3):
            Lane.objects.filter(name=LANE).update(limit=limit, owner_limit=limit)
            lanes.forget_limits()
            found = [shape, "none" if limit is None else f"lane and owner {limit}"]
            for mode in ("force_custom_plan", "force_generic_plan"):
                with connection.cursor() as cursor:
                    cursor.execute(f"SET plan_cache_mode = {mode}")
                times = []
                for _ in range(9):
                    began = time.perf_counter()
                    lifecycle.claim(lane=LANE, worker="w")
                    times.append(time.perf_counter() - began)
                    with connection.cursor() as cursor:  # no ROLLBACK: psycopg would forget what is prepared
                        cursor.execute(PUT_BACK)
                found.append(f"{min(times) * 1000:.2f}")
            rows.append(found)
    print(f"\nA claim with {deep:,} jobs queued, best of nine:\n")
    print(table(["queue", "limit", "planned for it, ms", "one plan for all, ms"], rows))


def memory() -> None:
    """What a session holds for the statements it has prepared."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        statements = cursor.fetchone()[0]
        cursor.execute(
            "SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ('CachedPlan', 'CachedPlanSource', 'CachedPlanQuery')"
        )
        held = cursor.fetchone()[0] or 0
    print(f"\n{statements} statements prepared, {held / 1024:.0f} kB held for them in this session.")


def furnish(limit: int | None, *, jobs: int) -> None:
    """An analysed queue of no-op jobs."""
    from django.db import connection

    from apps.accounts.models import User
    from apps.jobs import lanes, lifecycle
    from apps.jobs.models import Lane
    from apps.jobs.values import NewJob

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET synchronous_commit = off")
        cursor.execute("TRUNCATE jobs_job, jobs_attempt, jobs_event CASCADE")
        if not User.objects.exists():
            User.objects.bulk_create([User(username=f"u{number}") for number in range(1000)])
        owner = User.objects.order_by("pk").values_list("pk", flat=True)[0]
        for start in range(0, jobs, 10_000):
            lifecycle.enqueue([NewJob(kind="noop", owner_id=owner) for _ in range(min(10_000, jobs - start))])
        cursor.execute("ANALYZE jobs_job")
    Lane.objects.filter(name=LANE).update(limit=limit)
    lanes.forget_limits()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--deep", type=int, default=100_000)
    parser.add_argument("--plans-only", action="store_true")
    asked = parser.parse_args()
    with ground(PRESSROOM_QUEUE_QUOTA="0"):
        if not asked.plans_only:
            fused(asked.jobs)
            memory()
            wake_ups(60)
        plans(asked.deep)


if __name__ == "__main__":
    main()
