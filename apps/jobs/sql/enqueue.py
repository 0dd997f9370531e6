"""Putting work in."""

from apps.jobs.sql.parts import changes_of, turn, with_events

# A child joins while its parent waits for its children: one that comes too late is not made.
ENQUEUE = f"""
WITH families AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(parent_id)s::bigint[]) AND status = 'waiting' AND after_children <> ''
  ORDER BY id DESC FOR UPDATE),
asked AS MATERIALIZED (
  SELECT nextval('jobs_job_id_seq') AS seq, a.* FROM (
    SELECT * FROM unnest(
      %(uid)s::uuid[], %(owner_id)s::bigint[], %(lane)s::text[], %(kind)s::text[], %(provider)s::text[], %(subject)s::text[],
      %(priority)s::smallint[], %(max_retries)s::smallint[], %(waits_for_id)s::bigint[], %(waits_for_person)s::text[], %(stage)s::text[],
      %(parent_id)s::bigint[], %(slot)s::text[], %(after_children)s::text[], %(plan)s::text[], %(retry_of_id)s::bigint[], %(dedupe_key)s::text[], %(run_after)s::timestamptz[])
    WITH ORDINALITY AS t(uid, owner_id, lane, kind, provider, subject, priority, max_retries, waits_for_id,
      waits_for_person, stage, parent_id, slot, after_children, plan, retry_of_id, dedupe_key, run_after, place) ORDER BY place) a),
stated AS (
  SELECT *, CASE WHEN waits_for_id IS NOT NULL OR waits_for_person <> '' OR after_children <> '' THEN 'waiting'
                 WHEN run_after > clock_timestamp() THEN 'scheduled' ELSE 'queued' END AS status FROM asked
  WHERE parent_id IS NULL OR parent_id IN (SELECT id FROM families)),
lines AS (
  SELECT k.lane, k.owner_id, k.priority, {turn("k")} AS turn
  FROM (SELECT DISTINCT lane, owner_id, priority FROM stated WHERE status = 'queued') k),
done AS (
  INSERT INTO jobs_job (id, seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status, turn, waits_for_id,
    parent_id, slot, after_children, plan, open_children, retry_of_id, dedupe_key, run_after, created_at, queued_at, attempt, fence, failures, crashes,
    stage, reason, worker, error_code, error_message, error_action)
  SELECT seq, seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status,
    coalesce(lines.turn, 0) + row_number() OVER (PARTITION BY lane, owner_id, priority, status ORDER BY seq) - 1,
    waits_for_id, parent_id, slot, after_children, plan::jsonb, (after_children <> '')::int, retry_of_id, dedupe_key, CASE WHEN status = 'scheduled' THEN run_after END,
    clock_timestamp(), CASE WHEN status = 'queued' THEN clock_timestamp() END, 0, 0, 0, 0,
    CASE WHEN status = 'waiting' THEN stage ELSE '' END,
    CASE WHEN after_children <> '' THEN 'children' WHEN waits_for_person <> '' THEN waits_for_person WHEN status = 'waiting' THEN 'dependency'
         WHEN status = 'scheduled' THEN 'scheduled_for' ELSE '' END, '', '', '', ''
  FROM stated LEFT JOIN lines USING (lane, owner_id, priority) ORDER BY seq
  ON CONFLICT DO NOTHING RETURNING *),
counted AS (
  UPDATE jobs_job p SET open_children = p.open_children + n.made, failed_children = greatest(p.failed_children - n.again, 0)
  FROM (SELECT parent_id, count(*) AS made, count(retry_of_id) AS again FROM done WHERE parent_id IS NOT NULL
        GROUP BY parent_id) n WHERE p.id = n.parent_id),
{with_events(changes_of("done", "status", old="''"))}
"""
