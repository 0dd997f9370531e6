"""How much one owner may have waiting. Decided in the transaction that adds the jobs, one owner's requests in turns."""

from collections import Counter
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from apps.core.database import Locks
from apps.core.errors import Problem
from apps.jobs.values import NewJob

# The lock of each owner, in the order of their ids, and in a statement of its own: the count after it sees what those
# who had the lock before have committed.
_LOCK = """
SELECT id, quota, pg_advisory_xact_lock(%(space)s, id::int) FROM (
  SELECT id, coalesce(queue_quota, %(default)s) AS quota FROM accounts_user WHERE id = ANY(%(owners)s) ORDER BY id) owner
WHERE quota > 0
"""
_COUNT = """
SELECT count(*) FROM (
  SELECT 1 FROM jobs_job WHERE kind = ANY(%(kinds)s) AND owner_id = %(owner)s AND parent_id IS NULL
  AND status IN ('queued', 'waiting', 'scheduled') LIMIT %(quota)s) waiting
"""


def admit(jobs: Sequence[NewJob]) -> None:
    """Inside the transaction that will add them. Problem 429 `queue_full` when an owner would have too many waiting.

    A family counts once, as its parent.
    """
    wanted = Counter(job.owner_id for job in jobs if job.parent_id is None)
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"space": Locks.QUEUE, "owners": list(wanted), "default": settings.QUEUE_QUOTA})
        for owner_id, quota, _ in cursor.fetchall():
            cursor.execute(_COUNT, {"owner": owner_id, "kinds": list(settings.KINDS), "quota": quota})
            waiting = cursor.fetchone()[0]
            if waiting + wanted[owner_id] > quota:
                raise _full(waiting, wanted[owner_id], quota)


def _full(waiting: int, wanted: int, quota: int) -> Problem:
    more = "one more does" if wanted == 1 else f"{wanted} more do"
    return Problem(
        429,
        "queue_full",
        f"{waiting:,} of your jobs wait already and {more} not fit: {quota:,} may wait at once.",
        "Let some of them run first, or cancel some.",
        {"waiting": waiting, "quota": quota},
    )
