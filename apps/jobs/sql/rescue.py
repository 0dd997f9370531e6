"""Jobs whose worker is gone."""

from apps.jobs.sql.parts import (
    HELD,
    LET_GO,
    attempt_row,
    cancelled_when,
    changes_of,
    kept_turn,
    with_events,
    with_parents_and_events,
)

EXPIRED = """
SELECT id, fence, crashes, cancel_requested_at IS NOT NULL AS cancel_requested FROM jobs_job
WHERE status = 'processing' AND lease_until < clock_timestamp() ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

# The worker is gone. The job goes back to the front of its line; its next attempt looks at open calls first.
RESCUE = f"""
WITH done AS (
  UPDATE jobs_job k SET status = 'queued', {LET_GO}, crashes = crashes + 1, stage = '', reason = '',
    turn = {kept_turn("k")}
  WHERE {HELD} AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
{attempt_row("'crashed'", code="'worker_lost'", message="'The worker died or hung.'")},
{with_events(changes_of("done", "'queued'", old="'processing'", reason="'crashed'"))}
"""
RESCUE_FAILED = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), {LET_GO}, crashes = crashes + 1, stage = '',
    reason = '', error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE {HELD} AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
{attempt_row("'crashed'", code="'worker_lost'", message="'The worker died or hung.'")},
{with_parents_and_events(changes_of("done", "'failed'", old="'processing'", reason="error_code"))}
"""
RESCUE_CANCELLED = cancelled_when(held=f"{HELD} AND lease_until < clock_timestamp()", crashes=1)
