"""When the database's clock was put back: whatever was written down for a moment to come is for too late a one now.

Everything that waits is told by that clock: leases, retries, looks at providers, holds. Put back by an hour (it had
been ahead, or a copy of such a time was restored), a dead worker's lease would be rescued an hour late. The tick keeps
a mark of the time it has seen (the tally's); a mark in the future shows by how much the clock went back, and what was
written before that is moved by as much. It ends in one transaction, and costs one look at one row while all is well.
"""

import structlog
from django.conf import settings
from django.db import connection, transaction

log = structlog.get_logger(__name__)

LEAST_SECONDS = 5  # clocks are slewed by less all the time
_BACK = """
SELECT upto - clock_timestamp() FROM jobs_tally_mark
WHERE upto > clock_timestamp() + %(least)s * interval '1 second' FOR UPDATE SKIP LOCKED
"""
_PUT_RIGHT = {
    # A worker that lives renews its lease within a heartbeat; the lease of one that died ends in a lease's time.
    "leases": """
UPDATE jobs_job SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE status = 'processing' AND lease_until > clock_timestamp() + %(lease)s * interval '1 second'
""",
    "looks": """
UPDATE jobs_job SET wake_at = greatest(wake_at - %(back)s, clock_timestamp())
WHERE status = 'processing' AND wake_at IS NOT NULL
  AND (started_at > clock_timestamp() OR wake_at > clock_timestamp() + %(lease)s * interval '1 second')
""",
    # Set when its last attempt ended. What a person asked for at a date, or waits for a budget's new day, stays.
    "retries": """
UPDATE jobs_job j SET run_after = greatest(j.run_after - %(back)s, clock_timestamp()) FROM jobs_attempt a
WHERE j.status = 'scheduled' AND j.reason NOT IN ('scheduled_for', 'budget')
  AND a.job_id = j.id AND a.number = j.attempt AND a.finished_at > clock_timestamp()
""",
    # Without a cause it was a person's, until a date.
    "holds": """
UPDATE jobs_hold SET until = greatest(until - %(back)s, clock_timestamp()), set_at = clock_timestamp()
WHERE set_at > clock_timestamp() AND until IS NOT NULL AND set_by = ''
""",
    "breakers": """
UPDATE providers_breaker SET window_started_at = clock_timestamp(), calls = 0, failures = 0,
  open_until = greatest(open_until - %(back)s, clock_timestamp()), probe_until = clock_timestamp()
WHERE window_started_at > clock_timestamp() OR open_until > clock_timestamp() OR probe_until > clock_timestamp()
""",
    "places": """
UPDATE providers_place SET free_at = greatest(free_at - %(back)s, clock_timestamp())
WHERE free_at > clock_timestamp() + %(attempt)s * interval '1 second'
""",
    "orders": """
UPDATE providers_call SET look_after = clock_timestamp()
WHERE look_after > clock_timestamp() AND state IN ('intent', 'accepted', 'unknown') AND created_at > clock_timestamp()
""",
    "workers": "DELETE FROM jobs_worker WHERE alive_at > clock_timestamp()",
    # Counted already; what ended after the mark is counted at the next fold.
    "ended": """
UPDATE jobs_job j SET finished_at = clock_timestamp() - CASE WHEN j.finished_at < m.upto THEN interval '1 second'
  ELSE interval '0' END
FROM jobs_tally_mark m WHERE j.status IN ('completed', 'failed', 'cancelled', 'skipped')
  AND j.finished_at > clock_timestamp()
""",
    "mark": "UPDATE jobs_tally_mark SET upto = transaction_timestamp() - interval '1 millisecond'",
}


def put_right() -> int:
    """How many stamps were moved; 0 while the clock goes forward. In the tick, before everything that reads them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BACK, {"least": LEAST_SECONDS})
        row = cursor.fetchone()
        if row is None:
            return 0
        asked = {"back": row[0], "lease": settings.LEASE_SECONDS, "attempt": settings.ATTEMPT_SECONDS}
        moved: dict[str, int] = {}
        for name, statement in _PUT_RIGHT.items():
            cursor.execute(statement, asked)
            moved[name] = cursor.rowcount
    log.warning("clock_was_put_back", alert=True, seconds=row[0].total_seconds(), **moved)
    return sum(moved.values())
