"""Ending what is not wanted any more, with all that waits for it."""

from apps.jobs.sql.parts import changes_of, with_parents_and_events

# Before REQUEST_CANCEL, and not in it: waiting for a claim there, it would see the claimed row in one place and the
# queued one in another, and PostgreSQL checks the constraints of that mixture before it notices.
# With all that waits for them, which ends with them: locked later, it would be out of the order. Parents come last and
# in the reverse order, as where their children end (with_parents_and_events).
LOCK = """
WITH RECURSIVE family AS (
  SELECT unnest(%(job_ids)s::bigint[]) AS id
  UNION SELECT w.id FROM family f JOIN jobs_job w ON w.waits_for_id = f.id AND w.status = 'waiting')
SELECT id, after_children <> '' AS is_parent FROM jobs_job WHERE id IN (SELECT id FROM family)
ORDER BY after_children <> '', CASE WHEN after_children = '' THEN id ELSE -id END FOR UPDATE
"""

# What waits is cancelled at once; what runs is marked, and its worker or the next tick ends it.
REQUEST_CANCEL = f"""
WITH target AS MATERIALIZED (
  SELECT id, status AS old, status <> 'processing' AS ends FROM jobs_job
  WHERE id = ANY(%(job_ids)s) AND finished_at IS NULL AND cancel_requested_at IS NULL ORDER BY id),
done AS (
  UPDATE jobs_job j SET
    status = CASE WHEN ends THEN 'cancelled' ELSE j.status END,
    finished_at = CASE WHEN ends THEN clock_timestamp() END,
    cancel_requested_at = CASE WHEN ends THEN NULL ELSE clock_timestamp() END,
    wake_at = CASE WHEN j.wake_at IS NULL THEN NULL ELSE clock_timestamp() END,
    run_after = NULL, stage = CASE WHEN ends THEN '' ELSE j.stage END, reason = %(reason)s
  FROM target t WHERE j.id = t.id RETURNING j.*, t.old),
{with_parents_and_events(changes_of("done", "status"))}
"""


# Dependants of a job that ended without completing end with it, unless its handler gave them another way.
END_DEPENDANTS = f"""
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE waits_for_id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = %(status)s, finished_at = clock_timestamp(), stage = '', reason = ''
  FROM target t WHERE j.id = t.id RETURNING j.*),
{with_parents_and_events(changes_of("done", "status", old="'waiting'", reason="'dependency'"))}
"""

# Each fails in the words of its own kind.
FAIL_WAITING = f"""
WITH said AS (
  SELECT * FROM unnest(%(job_ids)s::bigint[], %(codes)s::text[], %(messages)s::text[], %(actions)s::text[], %(remedies)s::text[])
  AS s(id, code, message, action, remedy)),
target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'failed', finished_at = clock_timestamp(), stage = '', reason = '',
    error_code = s.code, error_message = s.message, error_action = s.action, error_remedy = s.remedy
  FROM target t JOIN said s USING (id) WHERE j.id = t.id RETURNING j.*),
{with_parents_and_events(changes_of("done", "status", old="'waiting'", reason="'dependency'"))}
"""
