"""Money after the end: what is still open at a provider when its job is over is looked up, kept and marked late.

A task of its own and not part of the tick: it asks providers, and the tick must never wait for one.
"""

import time

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from apps.jobs import lifecycle
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.orders.settling import looked_up
from apps.providers import calls
from apps.providers.models import Call

log = structlog.get_logger(__name__)

AT_ONCE = 20
LONGEST_PASS_SECONDS = 30.0  # it shares the images' workers: what is left waits for the next pass
_ONE_AT_A_TIME = 7_302_001  # the key of the advisory lock

# Each look is put off by a quarter of the order's age (5 s to 1 h), before it is taken: one that breaks us waits too.
# Providers keep tasks for seven days: what is unknown after them a person settles, the provider itself says of what it
# took that it is gone. An unknown call that cannot be looked up is left to people at once.
_TAKE_DUE = """
WITH due AS MATERIALIZED (
  SELECT c.id, c.job_id FROM providers_call c JOIN jobs_job j ON j.id = c.job_id
  WHERE c.state IN ('intent', 'accepted', 'unknown')
    AND (c.state <> 'unknown' OR c.provider || ' ' || c.purpose = ANY(%(looked_up)s))
    AND NOT (c.state = 'unknown' AND c.created_at < clock_timestamp() - interval '7 days')
    AND j.finished_at < clock_timestamp() - interval '1 second'
    AND (c.look_after IS NULL OR c.look_after <= clock_timestamp())
  ORDER BY c.look_after NULLS FIRST, c.created_at LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED),
put_off AS (
  UPDATE providers_call c SET look_after = clock_timestamp()
    + least(greatest((clock_timestamp() - c.created_at) / 4, interval '5 seconds'), interval '1 hour')
  FROM due WHERE c.id = due.id RETURNING c.job_id)
SELECT DISTINCT job_id FROM put_off
"""


def reconcile() -> int:
    """Looks at some of them; answers at how many jobs. A second pass at the same time does nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return 0
        try:
            cursor.execute(_TAKE_DUE, {"limit": AT_ONCE, "looked_up": looked_up()})
            return _look_at([row[0] for row in cursor.fetchall()])
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


def heard_of(provider: str, provider_id: str) -> bool:
    """Something happened to this order: whoever waits for it looks now. False when we know of no such order (yet).

    A webhook that comes before the submit's own answer finds no call, and is not missed: the first look is near.
    """
    call = Call.objects.filter(provider=provider, provider_id=provider_id).first()
    if call is None or call.job_id is None:
        return False
    if not lifecycle.nudge(call.job_id):
        calls.look_soon(call)
    return True


def _look_at(ids: list[int]) -> int:
    ends = time.monotonic() + LONGEST_PASS_SECONDS
    count = 0
    for job in Job.objects.filter(pk__in=ids):
        if time.monotonic() > ends:
            break
        count += 1
        try:
            handler_of(job.kind).reconcile(job)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            log.error("reconcile_broke", job=str(job.uid), exc_info=error)
    return count
