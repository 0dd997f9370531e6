"""Read-only views and the function by which operators who know the seeds' schema look at the queue in psql.

A column that a view reads cannot change its type while the view stands: drop the view there, and make it again after.
"""

from django.db import migrations

_STATUS = "CASE WHEN j.status IN ('waiting', 'queued', 'scheduled') THEN 'queued' ELSE j.status END"
_UPDATED = "greatest(j.created_at, j.queued_at, j.started_at, j.cancel_requested_at, j.finished_at)"

PROMPTS = f"""
CREATE VIEW prompt_generation_jobs AS
SELECT j.uid AS id, p.row_id, r.workspace_id AS model_id, j.owner_id AS user_id,
  ARRAY(SELECT jsonb_array_elements_text(p.ref_urls)) AS ref_urls, p.target_url, {_STATUS} AS status,
  nullif(p.generated_prompt, '') AS generated_prompt, nullif(j.error_message, '') AS error, j.failures AS retry_count,
  j.max_retries, j.priority, j.created_at, {_UPDATED} AS updated_at, j.started_at, j.finished_at AS completed_at
FROM jobs_job j JOIN studio_prompt_job p ON p.job_id = j.id LEFT JOIN studio_row r ON r.id = p.row_id
"""

IMAGES = f"""
CREATE VIEW jobs AS
SELECT j.uid AS id, i.row_id, r.workspace_id AS model_id, j.owner_id AS user_id, {_STATUS} AS status,
  pj.uid AS prompt_job_id,
  CASE WHEN i.prompt <> '' THEN 'completed' WHEN pj.id IS NULL THEN 'pending' WHEN pj.finished_at IS NULL THEN 'generating'
       WHEN j.finished_at IS NULL THEN 'pending' ELSE 'failed' END AS prompt_status,
  nullif(i.prompt, '') AS prompt, nullif(j.error_message, '') AS error, j.failures AS retry_count, j.max_retries,
  j.priority, j.created_at, {_UPDATED} AS updated_at, j.started_at, j.finished_at AS completed_at
FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id LEFT JOIN studio_row r ON r.id = i.row_id
LEFT JOIN jobs_job pj ON pj.id = i.prompt_job_id
"""

# Seconds. The estimate: what waits, at the pace of the last hundred, in as many places as the lane has.
STATISTICS = """
CREATE FUNCTION get_prompt_queue_stats() RETURNS TABLE (
  total_queued bigint, total_processing bigint, total_completed bigint, total_failed bigint,
  average_wait_time double precision, estimated_wait_time double precision)
LANGUAGE sql STABLE AS $$
WITH counts AS (
  SELECT count(*) FILTER (WHERE status = 'queued') AS queued, count(*) FILTER (WHERE status = 'processing') AS processing,
    count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed
  FROM prompt_generation_jobs),
latest AS (
  SELECT started_at - queued_at AS waited, finished_at - started_at AS worked FROM jobs_attempt
  WHERE kind = 'prompt' AND outcome = 'completed' ORDER BY finished_at DESC LIMIT 100),
pace AS (SELECT extract(epoch FROM avg(waited)) AS waited, extract(epoch FROM avg(worked)) AS worked FROM latest)
SELECT queued, processing, completed, failed, pace.waited::double precision,
  (ceil(queued::numeric / greatest((SELECT "limit" FROM jobs_lane WHERE name = 'prompts'), 1)) * pace.worked)::double precision
FROM counts, pace
$$
"""


class Migration(migrations.Migration):
    dependencies = [("studio", "0004_reuse"), ("jobs", "0001_initial")]

    operations = [
        migrations.RunSQL(PROMPTS, "DROP VIEW prompt_generation_jobs"),
        migrations.RunSQL(IMAGES, "DROP VIEW jobs"),
        migrations.RunSQL(STATISTICS, "DROP FUNCTION get_prompt_queue_stats()"),
    ]
