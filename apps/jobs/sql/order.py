"""A job's place in its line."""

from apps.jobs.sql.parts import changes_of, numbered_turns, turn, with_events

# It joins the other line as a newcomer: a turn of its own and the highest number, so that nobody there is passed.
CHANGE_PRIORITY = f"""
WITH target AS MATERIALIZED (
  SELECT id, nextval('jobs_job_id_seq') AS seq, lane, owner_id, %(priority)s::smallint AS priority FROM jobs_job
  WHERE id = %(job_id)s AND finished_at IS NULL AND status <> 'processing' AND priority <> %(priority)s FOR UPDATE),
placed AS (SELECT id, seq, {turn("target")} AS turn FROM target),
done AS (
  UPDATE jobs_job j SET priority = %(priority)s, turn = p.turn, seq = p.seq, aged_at = NULL
  FROM placed p WHERE j.id = p.id RETURNING j.*),
{with_events(changes_of("done", "status", old="status", reason="'priority'"))}
"""

_NOT_HELD = """
  NOT EXISTS (SELECT 1 FROM jobs_hold h WHERE (h.until IS NULL OR h.until > clock_timestamp())
              AND ((h.scope = 'lane' AND h.key = j.lane) OR (h.scope = 'provider' AND h.key = j.provider)
                   OR (h.scope = 'owner' AND h.key = j.owner_id::text)))"""

# What has waited a period gains a step, from the front of each line: those wait longest. A hold keeps everybody still.
# Only what is due is locked: a claim passes over locked rows, and must not pass over the head of a line.
AGE = f"""
WITH front AS MATERIALIZED (
  SELECT f.id FROM unnest(%(lanes)s::text[]) AS l(lane), generate_series(1, %(ceiling)s - 1) AS p(priority),
  LATERAL (
    SELECT id, kind, coalesce(aged_at, queued_at) AS since FROM jobs_job
    WHERE lane = l.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT %(limit)s) f
  WHERE f.since < clock_timestamp() - %(seconds)s * interval '1 second' AND f.kind <> ALL(%(ageless)s::text[])),
due AS MATERIALIZED (
  SELECT j.id, j.lane, j.owner_id, j.priority + 1 AS priority, j.turn, j.seq FROM jobs_job j
  WHERE j.id IN (SELECT id FROM front) AND j.status = 'queued' AND j.priority < %(ceiling)s AND {_NOT_HELD}
    AND coalesce(j.aged_at, j.queued_at) < clock_timestamp() - %(seconds)s * interval '1 second'
  ORDER BY j.id FOR UPDATE OF j SKIP LOCKED),
ordered AS (SELECT *, row_number() OVER (ORDER BY lane, priority, turn, seq) AS place FROM due),
placed AS (SELECT id, priority, place, {numbered_turns("k", "place")} AS turn FROM ordered k),
numbered AS MATERIALIZED (
  SELECT id, priority, turn, nextval('jobs_job_id_seq') AS seq FROM (SELECT * FROM placed ORDER BY place) o),
done AS (
  UPDATE jobs_job j SET priority = n.priority, turn = n.turn, seq = n.seq, aged_at = clock_timestamp()
  FROM numbered n WHERE j.id = n.id RETURNING j.*),
{with_events(changes_of("done", "'queued'", old="'queued'", reason="'aged'"))}
"""

# The owner's own places of one line, dealt out again with the job right before or after the other.
MOVE = f"""
WITH line AS MATERIALIZED (
  SELECT j.id, j.turn, j.seq FROM jobs_job j JOIN jobs_job m ON m.id = %(job_id)s JOIN jobs_job o ON o.id = %(other_id)s
  WHERE j.status = 'queued' AND m.status = 'queued' AND o.status = 'queued' AND m.id <> o.id
    AND (m.lane, m.owner_id, m.priority) = (o.lane, o.owner_id, o.priority)
    AND (j.lane, j.owner_id, j.priority) = (m.lane, m.owner_id, m.priority)
  ORDER BY j.id FOR UPDATE OF j),
places AS (SELECT turn, seq, row_number() OVER (ORDER BY turn, seq) AS place FROM line),
wanted AS (
  SELECT l.id, row_number() OVER (ORDER BY
      CASE WHEN l.id = %(job_id)s THEN o.turn ELSE l.turn END, CASE WHEN l.id = %(job_id)s THEN o.seq ELSE l.seq END,
      (l.id = %(job_id)s) = %(after)s) AS place
  FROM line l JOIN line o ON o.id = %(other_id)s),
done AS (
  UPDATE jobs_job j SET turn = p.turn, seq = p.seq FROM wanted w JOIN places p USING (place)
  WHERE j.id = w.id AND (j.turn, j.seq) <> (p.turn, p.seq) RETURNING j.*)
,{with_events(changes_of("done", "'queued'", old="'queued'", reason="'reordered'"))}
"""
