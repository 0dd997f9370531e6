"""Jobs that wait: for another job, a person, money or a time."""

from apps.jobs.sql.parts import changes_of, to_queued, with_events

RELEASE = f"""
WITH {to_queued("done", "id = ANY(%(job_ids)s) AND status = 'waiting' AND after_children = ''")},
{with_events(changes_of("done", "'queued'", reason="%(reason)s"))}
"""

# No budget has enough left for these.
HOLD_BACK = f"""
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'queued' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'scheduled', run_after = %(until)s, reason = 'budget' FROM target t WHERE j.id = t.id
  RETURNING j.*),
{with_events(changes_of("done", "'scheduled'", old="'queued'"))}
"""

# Money is there again.
GO_ON = f"""
WITH {to_queued("done", "id = ANY(%(job_ids)s) AND status = 'scheduled' AND reason = 'budget'")},
{with_events(changes_of("done", "'queued'", reason="'budget'"))}
"""

# The job stops waiting for another job and waits for a person.
WAIT_FOR_PERSON = f"""
WITH done AS (
  UPDATE jobs_job SET waits_for_id = NULL, reason = %(reason)s, stage = ''
  WHERE id = ANY(%(job_ids)s) AND status = 'waiting' RETURNING *),
{with_events(changes_of("done", "'waiting'", old="'waiting'"))}
"""

# Found by their time, locked by their ids. Compared with the statement's own time: no index is searched for what
# clock_timestamp() says, as that is another moment at every row.
_DUE = """status = 'scheduled' AND run_after <= statement_timestamp() AND id IN (
        SELECT id FROM jobs_job WHERE status = 'scheduled' AND run_after <= statement_timestamp()
        ORDER BY run_after LIMIT %(limit)s)"""
PROMOTE = f"""
WITH {to_queued("done", _DUE, "FOR UPDATE SKIP LOCKED")},
{with_events(changes_of("done", "'queued'"))}
"""

# By a person, before its time. What waits for money goes on when there is some.
REQUEUE = f"""
WITH {to_queued("done", "id = ANY(%(job_ids)s) AND status = 'scheduled' AND reason <> 'budget'")},
{with_events(changes_of("done", "'queued'", reason="'requeued'"))}
"""

# Waiting for a job that is over: a verb that ended it was passed by, or the job was deleted.
LEFT_WAITING = """
SELECT w.id, coalesce(j.status, '') AS ended FROM jobs_job w LEFT JOIN jobs_job j ON j.id = w.waits_for_id
WHERE w.status = 'waiting' AND w.reason = 'dependency' AND (j.id IS NULL OR j.finished_at IS NOT NULL)
ORDER BY w.id LIMIT %(limit)s
"""
