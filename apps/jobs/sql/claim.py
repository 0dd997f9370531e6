"""The next job of a lane, alone or with the finish of the one before.

The claim is flat: it costs the same with a million jobs ahead that may not start. CLAIM looks at the first FRONT places of
the line. When none of them may start (their provider is held, their owner is held or has as many running as he may),
CLAIM_BY_HEADS asks each provider's and owner's own line for its head, passing over whole lines that are held back, and
takes the best of the heads. Both answer in the same order: priority, turn, seq.
"""

from apps.jobs.sql.parts import HELD, LET_GO, attempt_row, changes_of, to_queued, with_events, with_parents_and_events

FRONT = 64

# `done` is the job that the same statement finishes: this snapshot still counts it as running.
_LANE_OPEN = """
  NOT EXISTS (SELECT 1 FROM jobs_hold WHERE scope = 'lane' AND key = %(lane)s AND (until IS NULL OR until > clock_timestamp()))
  AND (%(lane_limit)s::int IS NULL OR %(lane_limit)s > (
        SELECT count(*) FROM jobs_job WHERE lane = %(lane)s AND status = 'processing')
        - (SELECT count(*) FROM done WHERE lane = %(lane)s))"""

# Read once a claim, not once a job. Owners' keys are text in the table of holds.
_HELD_BACK = """
    held_providers AS MATERIALIZED (
      SELECT key AS provider FROM jobs_hold WHERE scope = 'provider' AND (until IS NULL OR until > clock_timestamp())),
    held_owners AS MATERIALIZED (
      SELECT key::bigint AS owner_id FROM jobs_hold WHERE scope = 'owner' AND (until IS NULL OR until > clock_timestamp())
      UNION ALL
      SELECT r.owner_id FROM jobs_job r
      WHERE %(owner_limit)s::int IS NOT NULL AND r.lane = %(lane)s AND r.status = 'processing' GROUP BY r.owner_id
      HAVING count(*) - (SELECT count(*) FROM done d WHERE d.owner_id = r.owner_id AND d.lane = %(lane)s) >= %(owner_limit)s)"""

# `done` first: the finish runs before the pick, so two workers never wait for each other's rows. The order is said twice: a join
# keeps that of what it reads only by the plan's chance.
# A row that another worker has locked just now is passed over.
_FROM_THE_FRONT = f"""
{_HELD_BACK},
    pick AS MATERIALIZED (
      SELECT j.id FROM (
        SELECT id, provider, owner_id, priority, turn, seq FROM jobs_job
        WHERE lane = %(lane)s AND status = 'queued' AND (SELECT count(*) >= 0 FROM done) AND {_LANE_OPEN}
        ORDER BY priority DESC, turn, seq LIMIT {FRONT}) front
      JOIN jobs_job j ON j.id = front.id AND j.status = 'queued'
      WHERE front.provider <> ALL (ARRAY(SELECT provider FROM held_providers))
        AND front.owner_id <> ALL (ARRAY(SELECT owner_id FROM held_owners))
      ORDER BY front.priority DESC, front.turn, front.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"""

# From the first provider's first owner to the next owner, or over all owners of a held provider to the next provider.
# Of each line there are some more than its head, for the workers that claim in the same moment. They are asked for as a
# range, in the whole order of the index job_heads: told that both columns are equal PostgreSQL may walk job_ready, over
# everything that is held back.
_BY_HEADS = f"""
{_HELD_BACK},
    lines AS (
      SELECT * FROM (
        SELECT provider, owner_id FROM jobs_job WHERE lane = %(lane)s AND status = 'queued' AND {_LANE_OPEN}
        ORDER BY provider, owner_id LIMIT 1) first
      UNION ALL
      SELECT next.provider, next.owner_id FROM lines l, LATERAL (
        SELECT provider, owner_id FROM jobs_job
        WHERE lane = %(lane)s AND status = 'queued' AND (provider, owner_id) > (l.provider,
          CASE WHEN l.provider = ANY (ARRAY(SELECT provider FROM held_providers)) THEN 9223372036854775807 ELSE l.owner_id END)
        ORDER BY provider, owner_id LIMIT 1) next),
    heads AS (
      SELECT head.* FROM lines l, LATERAL (
        SELECT id, priority, turn, seq FROM jobs_job
        WHERE lane = %(lane)s AND status = 'queued'
          AND (provider, owner_id) >= (l.provider, l.owner_id) AND (provider, owner_id) <= (l.provider, l.owner_id)
        ORDER BY provider, owner_id, priority DESC, turn, seq LIMIT 16) head
      WHERE l.provider <> ALL (ARRAY(SELECT provider FROM held_providers))
        AND l.owner_id <> ALL (ARRAY(SELECT owner_id FROM held_owners))
      ORDER BY head.priority DESC, head.turn, head.seq LIMIT {FRONT}),
    pick AS MATERIALIZED (
      SELECT j.id FROM heads JOIN jobs_job j ON j.id = heads.id AND j.status = 'queued'
      ORDER BY j.priority DESC, j.turn, j.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"""

_CLAIM = """
    claimed AS (
      UPDATE jobs_job j SET status = 'processing', attempt = j.attempt + 1, fence = j.fence + 1, worker = %(worker)s,
        started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        stage = '', reason = ''
      FROM pick WHERE j.id = pick.id RETURNING j.*)"""

# With the lease of the one that was claimed. This snapshot still has it in the line: the next one stands second.
# `unwanted`: the tick has not come yet to cancel it with its parent. Its worker does, so it never starts.
_CHANGES_AND_LEASE = """
    SELECT events.id AS event_id, changes.*, c.fence, c.provider, c.failures, c.crashes, c.max_retries,
      EXISTS (SELECT 1 FROM jobs_job p WHERE p.id = c.parent_id AND p.status = 'cancelled') AS unwanted,
      EXISTS (SELECT 1 FROM jobs_job WHERE lane = %(lane)s AND status = 'queued') AS in_line,
      coalesce((SELECT priority FROM jobs_job WHERE lane = %(lane)s AND status = 'queued'
                ORDER BY priority DESC, turn, seq OFFSET 1 LIMIT 1), 0) AS next_priority
    FROM changes JOIN events USING (job_id) LEFT JOIN claimed c ON c.id = changes.job_id"""

_CLAIMED = changes_of("claimed", "'processing'", old="'queued'")
CLAIM = f"""
WITH done AS (SELECT * FROM jobs_job WHERE false),
{_FROM_THE_FRONT}, {_CLAIM}, {with_events(_CLAIMED, answer=_CHANGES_AND_LEASE)}
"""
CLAIM_BY_HEADS = f"""
WITH RECURSIVE done AS (SELECT * FROM jobs_job WHERE false),
{_BY_HEADS}, {_CLAIM}, {with_events(_CLAIMED, answer=_CHANGES_AND_LEASE)}
"""

_COMPLETED = f"""
    done AS (
      UPDATE jobs_job SET status = 'completed', finished_at = clock_timestamp(), {LET_GO}, stage = '', reason = ''
      WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{to_queued("released", "status = 'waiting' AND waits_for_id IN (SELECT id FROM done)")},
{attempt_row("'completed'")}"""
_DONE = (
    changes_of("done", "'completed'", old="'processing'"),
    changes_of("released", "'queued'", reason="'dependency'"),
)
COMPLETE = f"WITH {_COMPLETED}, {with_parents_and_events(*_DONE)}"
COMPLETE_AND_CLAIM = f"""
WITH {_COMPLETED},
{_FROM_THE_FRONT}, {_CLAIM}, {with_parents_and_events(*_DONE, _CLAIMED, answer=_CHANGES_AND_LEASE)}
"""
