"""The tick: whatever should have happened and did not, happens now. Safe to run twice, at once or never for a while."""

import structlog
from django.db import connection, transaction

from apps.jobs import lifecycle, wakeups
from apps.jobs.executor import end_failed
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job

log = structlog.get_logger(__name__)

_DUE_LANES = """
SELECT lane, max(priority) FROM (
  (SELECT DISTINCT ON (lane) lane, priority FROM jobs_job WHERE status = 'queued' ORDER BY lane, priority DESC)
  UNION ALL
  (SELECT DISTINCT lane, 5 FROM jobs_job WHERE wake_at <= clock_timestamp())) due
GROUP BY lane
"""


def dispatch() -> dict[str, int]:
    """One pass over everything; answers how many of each. Two at once share the rows by SKIP LOCKED."""
    counts = {
        "promoted": lifecycle.promote(),
        "rescued": _rescue(),
        "reconciled": _reconcile(),
        "woken": _wake_due_lanes(),
    }
    if any(counts.values()):
        log.info("dispatched", **counts)
    return counts


def _rescue() -> int:
    """Each job in a transaction of its own, so that one that cannot be rescued does not hold up the others."""
    with transaction.atomic():
        candidates = lifecycle.expired()
    return sum(_rescue_one(**candidate) for candidate in candidates)  # type: ignore[arg-type]


def _rescue_one(*, id: int, fence: int, crashes: int, cancel_requested: bool) -> bool:
    with transaction.atomic():
        status = lifecycle.rescue(id, fence, crashes=crashes, cancel_requested=cancel_requested)
        if status == "failed":
            end_failed([Job.objects.get(pk=id)], lifecycle.CRASHED)
    return bool(status)


def _wake_due_lanes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DUE_LANES)
        lanes = cursor.fetchall()
    return sum(wakeups.wake(lane, priority) for lane, priority in lanes)


# Jobs that ended while a paid call of theirs was still open: the call's cost and result are wanted all the same.
_OPEN_AFTER_END = """
SELECT DISTINCT j.id FROM providers_call c JOIN jobs_job j ON j.id = c.job_id
WHERE c.state IN ('intent', 'accepted') AND j.finished_at < clock_timestamp() - interval '1 second'
  AND c.created_at > clock_timestamp() - interval '7 days'
LIMIT 20
"""


def _reconcile() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_AFTER_END)
        ids = [row[0] for row in cursor.fetchall()]
    for job in Job.objects.filter(pk__in=ids):
        handler_of(job.kind).reconcile(job)
    return len(ids)
