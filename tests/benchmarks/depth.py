"""What the figures, outlooks and the admin cost with many jobs.

python -m tests.benchmarks.depth [--queued 200000] [--finished 1000000] [--owners 1000]
"""

import argparse
import logging
import re
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.benchmarks.ground import ground, table

TIMES = 30
_CHANGES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) ")

_FILL = """
INSERT INTO jobs_job (seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status, turn, created_at,
  queued_at, started_at, finished_at, attempt, fence, failures, crashes, stage, reason, worker, error_code, error_message,
  error_action)
SELECT n, gen_random_uuid(), (SELECT min(id) FROM accounts_user) + n %% %(owners)s, 'prompts', 'prompt', 'xai', 'row:' || n / 5,
  5, 3, status, n / %(owners)s, at, at, CASE WHEN over THEN at + interval '3 s' END, CASE WHEN over THEN at + interval '9 s' END,
  over::int, over::int, 0, 0, '', '', '', CASE WHEN status = 'failed' THEN 'broken' ELSE '' END, '', ''
FROM generate_series(%(first)s, %(last)s) AS n,
  LATERAL (SELECT CASE WHEN %(queued)s THEN 'queued' WHEN n %% 50 = 0 THEN 'failed' ELSE 'completed' END AS status,
                  NOT %(queued)s AS over, clock_timestamp() - (%(last)s - n) * interval '0.1 s' - interval '1 minute' AS at) v
"""
_ATTEMPTS = """
INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
SELECT id, 1, kind, 'completed', queued_at, started_at, finished_at, '', '', '' FROM jobs_job WHERE status = 'completed'
"""


def fill(*, queued: int, finished: int, owners: int) -> None:
    from django.db import connection

    from apps.accounts.models import User

    User.objects.bulk_create([User(username=f"person{n}") for n in range(owners)])
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_FILL, {"owners": owners, "first": 1, "last": finished, "queued": False})
        cursor.execute(_FILL, {"owners": owners, "first": finished + 1, "last": finished + queued, "queued": True})
        cursor.execute(_ATTEMPTS)
        cursor.execute("SELECT setval('jobs_job_id_seq', (SELECT max(id) FROM jobs_job))")
        cursor.execute("VACUUM ANALYZE")


def took(what: Callable[[], object]) -> list[str]:
    """Milliseconds, best and median, after one call that warms up."""
    what()
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        what()
        times.append((time.perf_counter() - started) * 1000)
    return [f"{min(times):.1f}", f"{median(times):.1f}"]


def on_the_server(what: Callable[[], object]) -> str:
    """Milliseconds of planning and execution, each statement's best of five: hardly touched by a busy machine."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        what()
    asked = [query["sql"] for query in captured.captured_queries]
    if any(_CHANGES.search(sql) for sql in asked):
        return "–"
    return f"{sum(min(_explained(sql) for _ in range(5)) for sql in asked if 'SELECT' in sql):.1f}"


def _explained(sql: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    return sum(float(ms) for ms in re.findall(r"(?:Planning|Execution) Time: ([\d.]+)", plan))


def opened(page: Any) -> None:
    assert page.status_code == 200, page.content


def measure() -> list[list[object]]:
    from django.test import Client

    from apps.accounts.models import User
    from apps.desk import operations
    from apps.desk.estimates import describe, statistics
    from apps.jobs import lifecycle
    from apps.jobs.dispatch import dispatch
    from apps.jobs.models import Job
    from apps.jobs.tally import fold

    owner = User.objects.order_by("id")[7]
    logging.disable(logging.WARNING)
    root = Client(headers={"host": "127.0.0.1"})
    root.force_login(User.objects.create_superuser("root"))
    started = time.perf_counter()
    folded = fold()
    first_fold = f"{(time.perf_counter() - started) * 1000:.0f}"
    queued = Job.objects.filter(status="queued")
    page = list(queued.filter(owner=owner)[:50])
    near, far = queued.order_by("-priority", "turn", "seq")[10], queued.order_by("priority", "-turn", "-seq")[0]
    assert describe([near])[near.pk].position == 10

    def admin(query: str = "") -> Callable[[], object]:
        return lambda: opened(root.get(f"/admin/jobs/job/{query}"))

    measured = {
        "statistics, one owner": lambda: statistics(kind="prompt", lane="prompts", owner_id=owner.pk),
        "statistics, everybody": lambda: statistics(kind="prompt", lane="prompts", owner_id=None),
        "fold of nothing new": fold,
        "outlook of the 10th": lambda: describe([near]),
        "outlook of the last": lambda: describe([far]),
        "outlooks of 50 of one owner": lambda: describe(page),
        "queue stats, all lanes": operations.stats,
        "aging pass, nothing due": lambda: lifecycle.age(seconds=10**9),
        "aging pass, 100 due": lambda: lifecycle.age(seconds=1),
        "dispatch": dispatch,
        "admin list": admin(),
        "admin list, failed": admin("?status__exact=failed"),
        "admin list, queued": admin("?status__exact=queued"),
        "admin search by owner": admin("?q=person7"),
        "admin job": admin(f"{near.pk}/change/"),
    }
    rows: list[list[object]] = [[f"first fold, {folded:,} jobs", "–", first_fold, first_fold]]
    return rows + [[name, on_the_server(what), *took(what)] for name, what in measured.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description="What looking at the queue costs when it is deep")
    parser.add_argument("--queued", type=int, default=200_000)
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--owners", type=int, default=1000)
    asked = parser.parse_args()
    with ground():
        fill(**vars(asked))
        print(f"{asked.queued:,} queued, {asked.finished:,} finished, {asked.owners:,} owners\n")
        print(table(["", "server ms", "best ms", "median ms"], measure()))


if __name__ == "__main__":
    main()
