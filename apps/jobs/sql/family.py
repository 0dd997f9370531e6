"""Parents that wait for their children, and the nets below them."""

from apps.jobs.sql.parts import PARENTS_MOVED, changes_of, fewer_children, with_events, with_parents_and_events

# What has not started and is not wanted after all. A parent ends with its children instead.
SKIP = f"""
WITH target AS MATERIALIZED (
  SELECT id, status AS old FROM jobs_job
  WHERE id = ANY(%(job_ids)s) AND status IN ('waiting', 'queued', 'scheduled') AND after_children = '' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'skipped', finished_at = clock_timestamp(), run_after = NULL, stage = '', reason = %(reason)s
  FROM target t WHERE j.id = t.id RETURNING j.*, t.old),
{with_parents_and_events(changes_of("done", "status"))}
"""

# All children of the plan are there: the parent counts them alone, and no longer its plan.
SEAL = f"""
WITH parents AS (
  UPDATE jobs_job p SET planned_at = clock_timestamp(), {fewer_children("1", "0")}
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.after_children <> '' AND p.planned_at IS NULL
  RETURNING p.*, 'waiting' AS was),
{with_events(PARENTS_MOVED)}
"""

SETTLE_FAMILY = f"""
WITH parents AS (
  UPDATE jobs_job p SET {fewer_children("p.open_children", "0")}
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.planned_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
  RETURNING p.*, 'waiting' AS was),
{with_events(PARENTS_MOVED)}
"""

# Nets below the verbs: parents that no child can move any more, plans that nobody carries on, children of the cancelled.
HANGING = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
ORDER BY p.id LIMIT %(limit)s
"""
UNPLANNED = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NULL AND clock_timestamp() - %(seconds)s * interval '1 second' >
  (SELECT coalesce(max(c.created_at), p.created_at) FROM jobs_job c WHERE c.parent_id = p.id)
ORDER BY p.id LIMIT %(limit)s
"""
ORPHANED = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'cancelled' AND p.open_children > 0
  AND EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL AND c.cancel_requested_at IS NULL)
ORDER BY p.id LIMIT %(limit)s
"""
