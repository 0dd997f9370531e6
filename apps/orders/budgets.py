"""Jobs and money: set aside when a job is queued, waited for when no budget has enough, taken up again when one has."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from apps.core.clock import database_now
from apps.core.database import prepared_cursor
from apps.jobs import lifecycle
from apps.jobs.handlers import RetryLater
from apps.jobs.states import Reason
from apps.jobs.values import Failure, Lease
from apps.providers import spending
from apps.providers.registry import provider_name
from apps.providers.spending import Short, Wanted

AT_ONCE = 100  # jobs a transaction: the budgets are locked until it ends
LINES_A_LOOK = 200
SECONDS = 2.0  # of a tick, which has others to see to

# Owners and providers of whom somebody waits for money, in their order behind the one given: a probe of the index each.
LINES = """
WITH RECURSIVE lines AS (
  (SELECT owner_id, provider, 1 AS n FROM jobs_job
   WHERE status = 'scheduled' AND reason = 'budget' AND (owner_id, provider) > (%(owner_id)s, %(provider)s)
   ORDER BY owner_id, provider LIMIT 1)
  UNION ALL
  SELECT next.owner_id, next.provider, l.n + 1 FROM lines l, LATERAL (
    SELECT owner_id, provider FROM jobs_job
    WHERE status = 'scheduled' AND reason = 'budget' AND (owner_id, provider) > (l.owner_id, l.provider)
    ORDER BY owner_id, provider LIMIT 1) next
  WHERE l.n < %(limit)s)
SELECT owner_id, provider FROM lines
"""
# The first of one such line, and what each needs. Asked for as a range, so that no other index is walked (sql/claim.py).
FIRST_IN_LINE = """
SELECT j.id, (SELECT coalesce(max(e.wanted_usd), 0) FROM providers_earmark e WHERE e.job_id = j.id) AS wanted FROM jobs_job j
WHERE j.status = 'scheduled' AND j.reason = 'budget'
  AND (j.owner_id, j.provider) >= (%(owner_id)s, %(provider)s) AND (j.owner_id, j.provider) <= (%(owner_id)s, %(provider)s)
ORDER BY j.owner_id, j.provider, j.priority DESC, j.turn, j.seq LIMIT %(limit)s FOR UPDATE OF j SKIP LOCKED
"""
# Set aside by a worker whose job was ended under it meanwhile: nobody else would give it back.
_LEFT_ASIDE = """
DELETE FROM providers_earmark e
WHERE NOT EXISTS (SELECT 1 FROM jobs_job j WHERE j.id = e.job_id AND j.finished_at IS NULL)
"""
_START = (-1, "")
_last_line = _START  # where this process's last tick ended: with very many lines the next one begins behind it


def set_aside(wanted: Sequence[Wanted]) -> None:
    """In the transaction that queued the jobs. Those that no budget has enough left for are queued all the same, and wait."""
    held_back: dict[datetime, list[int]] = defaultdict(list)
    for job_id, short in spending.set_aside(wanted).items():
        held_back[short.renews].append(job_id)
    for until, job_ids in held_back.items():
        lifecycle.hold_back(job_ids, until=until)


def cover(lease: Lease, *, provider: str, amount: Decimal) -> None:
    """Right before a call that may cost so much; raises RetryLater, which costs no attempt, when no budget has it left."""
    short = spending.cover(Wanted(lease.job_id, lease.owner_id, provider, amount))
    if short:
        raise RetryLater(_failure(short), after=_seconds_until(short.renews), reason=Reason.BUDGET)


def fund(*, seconds: float = SECONDS) -> int:
    """Jobs that wait for money, in their order, as far as it reaches now: a budget was raised, or a job gave back.

    Of each owner at each provider those at the front go on; when one cannot, those behind it wait too. Answers how many went.
    """
    global _last_line
    ends = time.monotonic() + seconds
    count = 0
    lines = _rows(LINES, owner_id=_last_line[0], provider=_last_line[1], limit=LINES_A_LOOK)
    for owner_id, provider in lines:
        if time.monotonic() > ends:
            return count
        _last_line = owner_id, provider
        while funded := _fund_line(owner_id, provider):
            count += funded
            if funded < AT_ONCE or time.monotonic() > ends:
                break
    if len(lines) < LINES_A_LOOK:
        _last_line = _START
    return count


def _fund_line(owner_id: int, provider: str) -> int:
    with transaction.atomic():
        front = _rows(FIRST_IN_LINE, owner_id=owner_id, provider=provider, limit=AT_ONCE)
        wanted = [Wanted(job_id, owner_id, provider, amount) for job_id, amount in front]
        short = spending.set_aside(wanted, in_order=True)
        return lifecycle.go_on([one.job_id for one in wanted if one.job_id not in short])


def give_back_what_is_left() -> int:
    """The net below the statements that end jobs; answers how many earmarks had no live job any more."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_ASIDE)
        return cursor.rowcount


def _rows(statement: str, **params: int | str) -> list[tuple[Any, ...]]:
    with prepared_cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _failure(short: Short) -> Failure:
    limit = short.limit
    period = "This month's" if limit.period == "month" else "Today's"
    place = f" for {provider_name(limit.provider)}" if limit.provider else ""
    renews = short.renews.astimezone(UTC)
    when = "at 00:00 UTC" if limit.period == "day" else f"on {renews.day} {renews:%B} at 00:00 UTC"
    parts = {"spent": short.spent, "set aside for other jobs": short.held, "left": short.left}
    stand = ", ".join(f"${amount:.4f} {word}" for word, amount in parts.items() if amount)
    used = f"{period} ${limit.amount:.2f}{place} {'do not reach for it' if short.left else 'are used'}: {stand}."
    return Failure(
        Reason.BUDGET.value,
        used,
        f"It goes on {when}, or at once when the budget is raised.",
    )


def _seconds_until(moment: datetime) -> float:
    return max((moment - database_now()).total_seconds(), 1.0)
