"""The engine costs the same with 200,000 jobs ahead as with 100: counted in pages of the database, not in time."""

import json
import re

import pytest
from django.db import connection, transaction

from apps.accounts.models import User
from apps.jobs import lanes, lifecycle, sql
from apps.jobs.models import Hold, Job, Lane
from apps.jobs.values import NewJob
from apps.orders import budgets
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)
DEEP = 200_000
HELD = "heldprovider"

_JOBS = """
INSERT INTO jobs_job (id, seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status, turn, created_at,
  queued_at, attempt, fence, failures, crashes, stage, reason, worker, error_code, error_message, error_action)
SELECT n, n, gen_random_uuid(), %(owner_id)s, %(lane)s, 'noop', %(provider)s, '', 9, 3, 'queued', row_number() OVER (ORDER BY n),
  clock_timestamp(), clock_timestamp(), 0, 0, 0, 0, '', '', '', '', '', ''
FROM (SELECT nextval('jobs_job_id_seq') AS n FROM generate_series(1, %(count)s)) s
"""


def put_in_line(count: int, owner: User, *, provider: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, {"count": count, "owner_id": owner.pk, "lane": LANE, "provider": provider})
        cursor.execute("ANALYZE jobs_job")


def pages_of(statement: str, **params: object) -> int:
    """Pages that PostgreSQL touches for the statement, planned as it is sent: prepared, one plan for all parameters.

    What it changes is taken back.
    """
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    prepared = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
    types = ", ".join(_TYPES[type(params[name])] for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"PREPARE asked ({types}) AS {prepared}")
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({', '.join(['%s'] * len(names))})",
            [params[name] for name in names],
        )
        (answer,) = cursor.fetchone()
        cursor.execute("DEALLOCATE asked")
        transaction.set_rollback(True)
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


_TYPES = {int: "bigint", float: "float8", str: "text", type(None): "int", list: "text[]"}


def pages_of_a_claim(*, owner_limit: int | None = None) -> int:
    asked = {"lane": LANE, "worker": "w", "lease": 60, "lane_limit": None, "owner_limit": owner_limit}
    return pages_of(sql.CLAIM, **asked) + pages_of(sql.CLAIM_BY_HEADS, **asked)


def pages_of_a_tick() -> dict[str, int]:
    aged = {"lanes": [LANE], "ceiling": 9, "limit": 100, "seconds": 300.0, "ageless": []}
    return {
        "expired": pages_of(sql.EXPIRED, limit=500),
        "promoted": pages_of(sql.PROMOTE, limit=500),
        "untied": pages_of(sql.LEFT_WAITING, limit=500),
        "aged": pages_of(sql.AGE, **aged),
        "resumed": pages_of(sql.RESUME, lane=LANE, worker="w", lease=60),
        "hanging": pages_of(sql.HANGING, limit=100),
        "unplanned": pages_of(sql.UNPLANNED, limit=1, seconds=60.0),
        "orphaned": pages_of(sql.ORPHANED, limit=100),
        "lines": pages_of(budgets.LINES, owner_id=-1, provider="", limit=200),
    }


def test_a_claim_walks_over_neither_a_held_provider_nor_an_owner_at_his_limit(owner: User, other: User) -> None:
    hold = Hold.objects.create(scope=Hold.Scope.PROVIDER, key=HELD, reason="rate_limited_until")
    put_in_line(100, owner, provider=HELD)
    behind = NewJob(kind="noop", owner_id=other.pk, priority=5)
    lifecycle.enqueue([behind])
    held_by_100 = pages_of_a_claim()
    put_in_line(DEEP, owner, provider=HELD)
    assert pages_of_a_claim() < held_by_100 + 100

    hold.delete()
    running = claim()
    assert running
    assert running.owner_id == owner.pk
    assert pages_of_a_claim(owner_limit=1) < held_by_100 + 100
    Lane.objects.filter(name=LANE).update(owner_limit=1)
    lanes.forget_limits()
    claim()
    assert Job.objects.get(uid=behind.uid).status == "processing"


def test_a_tick_costs_the_same_with_100_000_short_of_money(owner: User) -> None:
    put_in_line(200, owner, provider=HELD)
    short_of_money()
    at_200 = pages_of_a_tick()
    put_in_line(100_000, owner, provider=HELD)
    short_of_money()
    deep = pages_of_a_tick()
    assert {part: pages for part, pages in deep.items() if pages > at_200[part] + 100} == {}
    asked = {"owner_id": owner.pk, "provider": HELD, "limit": budgets.AT_ONCE}
    assert pages_of(budgets.FIRST_IN_LINE, **asked) < 100 * budgets.AT_ONCE


def short_of_money() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            UPDATE jobs_job SET status = 'scheduled', reason = 'budget', run_after = clock_timestamp() + interval '1 day'
            WHERE status = 'queued'""")
        cursor.execute("VACUUM ANALYZE jobs_job")
