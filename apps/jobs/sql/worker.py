"""What the worker that holds a job does with it."""

from apps.jobs.sql.parts import (
    HELD,
    LET_GO,
    attempt_row,
    cancelled_when,
    changes_of,
    with_events,
    with_parents_and_events,
)

# A parked job whose time has come continues the same attempt under a new fence. The next one is asked for in the order
# of its index: EXISTS would read the whole table, as the planner believes a third of it to be due. Due at the statement's
# own time, which an index is searched for; for clock_timestamp() it would be walked to its end when nothing is due.
RESUME = """
WITH pick AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE lane = %(lane)s AND wake_at <= statement_timestamp()
  ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE jobs_job j SET fence = j.fence + 1, worker = %(worker)s, wake_at = NULL,
  lease_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM pick WHERE j.id = pick.id
RETURNING j.id AS job_id, j.uid, j.fence, j.attempt, j.kind, j.lane, j.provider, j.owner_id, j.priority, j.subject,
  j.failures, j.crashes, j.max_retries,
  coalesce((SELECT o.priority FROM jobs_job o WHERE o.lane = %(lane)s AND o.wake_at <= statement_timestamp() AND o.id <> j.id
            ORDER BY o.wake_at LIMIT 1), 0) AS next_priority
"""

HEARTBEAT = f"""
UPDATE jobs_job SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE {HELD} RETURNING cancel_requested_at IS NOT NULL AS cancel_requested
"""

# Parked work with a cancel mark is due at once: its worker only has to say goodbye.
PARK = f"""
UPDATE jobs_job SET lease_until = NULL, stage = %(stage)s,
  wake_at = CASE WHEN cancel_requested_at IS NULL THEN clock_timestamp() + %(seconds)s * interval '1 second'
                 ELSE clock_timestamp() END
WHERE {HELD} RETURNING wake_at
"""

NUDGE = """
UPDATE jobs_job SET wake_at = clock_timestamp()
WHERE id = %(job_id)s AND wake_at > clock_timestamp() RETURNING lane, priority
"""

STAGE = f"""
WITH done AS (UPDATE jobs_job SET stage = %(stage)s WHERE {HELD} AND stage <> %(stage)s RETURNING *),
{with_events(changes_of("done", "'processing'", old="'processing'"))}
"""

FAIL = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), {LET_GO}, stage = '', reason = '',
    failures = least(failures + %(counts)s, max_retries + 1),
    error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{attempt_row("'failed'", code="error_code", message="error_message")},
{with_parents_and_events(changes_of("done", "'failed'", old="'processing'", reason="error_code"))}
"""

RESCHEDULE = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'scheduled', run_after = clock_timestamp() + %(seconds)s * interval '1 second', {LET_GO},
    stage = '', reason = %(reason)s, failures = failures + %(counts)s
  WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{attempt_row("%(outcome)s", code="%(code)s", message="%(message)s")},
{with_events(changes_of("done", "'scheduled'", old="'processing'"))}
"""


# The worker's answer to a cancel mark.
CANCEL_HELD = cancelled_when(held=HELD, crashes=0)
