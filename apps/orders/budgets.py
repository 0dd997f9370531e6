"""Jobs and money: set aside when a job is queued, waited for when no budget has enough, taken up again when one has."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection, transaction

from apps.core.clock import database_now
from apps.jobs import lifecycle
from apps.jobs.handlers import RetryLater
from apps.jobs.models import Job
from apps.jobs.states import Reason, Status
from apps.jobs.values import Failure, Lease
from apps.providers import spending
from apps.providers.registry import provider_name
from apps.providers.spending import Short, Wanted

MOST_AT_ONCE = 100

# The first in line of each owner and provider of those that wait for a budget.
_SHORT_OF_MONEY = """
SELECT DISTINCT ON (j.owner_id, j.provider) j.id, j.owner_id, j.provider, coalesce(e.wanted_usd, 0) AS wanted
FROM jobs_job j LEFT JOIN providers_earmark e ON e.job_id = j.id
WHERE j.status = 'scheduled' AND j.reason = 'budget' AND j.owner_id::text || j.provider <> ALL(%(passed)s)
ORDER BY j.owner_id, j.provider, j.priority DESC, j.turn, j.seq
"""
# Set aside by a worker whose job was ended under it meanwhile: nobody else would give it back.
_LEFT_ASIDE = """
DELETE FROM providers_earmark e
WHERE NOT EXISTS (SELECT 1 FROM jobs_job j WHERE j.id = e.job_id AND j.finished_at IS NULL)
"""


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


def fund(*, most: int = MOST_AT_ONCE) -> int:
    """Jobs that wait for money, in their order, as far as it reaches now: a budget was raised, or a job gave back.

    Of each owner at each provider the first in line is looked at; when it cannot go, those behind it wait too.
    """
    count = 0
    passed: list[str] = []
    while count < most and (firsts := _first_in_line(passed)):
        for job_id, owner_id, provider, amount in firsts:
            if _fund_one(Wanted(job_id, owner_id, provider, amount)):
                count += 1
            else:
                passed.append(f"{owner_id}{provider}")
    _give_back_what_is_left()
    return count


def _first_in_line(passed: list[str]) -> list[tuple[int, int, str, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(_SHORT_OF_MONEY, {"passed": passed})
        return cursor.fetchall()


def _fund_one(wanted: Wanted) -> bool:
    with transaction.atomic():
        waiting = Job.objects.select_for_update(skip_locked=True).filter(
            pk=wanted.job_id, status=Status.SCHEDULED, reason=Reason.BUDGET
        )
        return waiting.exists() and not spending.set_aside([wanted]) and lifecycle.go_on(wanted.job_id)


def _give_back_what_is_left() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_ASIDE)


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
