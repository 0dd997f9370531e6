-- What the queue sends to PostgreSQL, a statement for each verb. Made by: python -m apps.jobs.sql

-- AGE
WITH front AS MATERIALIZED (
  SELECT f.id FROM unnest(%(lanes)s::text[]) AS l(lane), generate_series(1, %(ceiling)s - 1) AS p(priority),
  LATERAL (
    SELECT id, kind, coalesce(aged_at, queued_at) AS since FROM jobs_job
    WHERE lane = l.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT %(limit)s) f
  WHERE f.since < clock_timestamp() - %(seconds)s * interval '1 second' AND f.kind <> ALL(%(ageless)s::text[])),
due AS MATERIALIZED (
  SELECT j.id, j.lane, j.owner_id, j.priority + 1 AS priority, j.turn, j.seq FROM jobs_job j
  WHERE j.id IN (SELECT id FROM front) AND j.status = 'queued' AND j.priority < %(ceiling)s AND
  NOT EXISTS (SELECT 1 FROM jobs_hold h WHERE (h.until IS NULL OR h.until > clock_timestamp())
              AND ((h.scope = 'lane' AND h.key = j.lane) OR (h.scope = 'provider' AND h.key = j.provider)
                   OR (h.scope = 'owner' AND h.key = j.owner_id::text)))
    AND coalesce(j.aged_at, j.queued_at) < clock_timestamp() - %(seconds)s * interval '1 second'
  ORDER BY j.id FOR UPDATE OF j SKIP LOCKED),
ordered AS (SELECT *, row_number() OVER (ORDER BY lane, priority, turn, seq) AS place FROM due),
placed AS (SELECT id, priority, place, greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.place) - 1 AS turn FROM ordered k),
numbered AS MATERIALIZED (
  SELECT id, priority, turn, nextval('jobs_job_id_seq') AS seq FROM (SELECT * FROM placed ORDER BY place) o),
done AS (
  UPDATE jobs_job j SET priority = n.priority, turn = n.turn, seq = n.seq, aged_at = clock_timestamp()
  FROM numbered n WHERE j.id = n.id RETURNING j.*),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'queued' AS new, stage, 'aged' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- CANCEL_HELD
WITH done AS (
  UPDATE jobs_job SET status = 'cancelled', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, stage = '', reason = '',
    crashes = crashes + 0
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND cancel_requested_at IS NOT NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'cancelled', queued_at, started_at, clock_timestamp(), worker, '', '' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'cancelled' AS new, stage, reason AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- CHANGE_PRIORITY
WITH target AS MATERIALIZED (
  SELECT id, nextval('jobs_job_id_seq') AS seq, lane, owner_id, %(priority)s::smallint AS priority FROM jobs_job
  WHERE id = %(job_id)s AND finished_at IS NULL AND status <> 'processing' AND priority <> %(priority)s FOR UPDATE),
placed AS (SELECT id, seq, greatest(
      (SELECT turn FROM jobs_job WHERE lane = target.lane AND priority = target.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = target.lane AND priority = target.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = target.lane AND priority = target.priority AND owner_id = target.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) AS turn FROM target),
done AS (
  UPDATE jobs_job j SET priority = %(priority)s, turn = p.turn, seq = p.seq, aged_at = NULL
  FROM placed p WHERE j.id = p.id RETURNING j.*),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, status AS old, status AS new, stage, 'priority' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- CLAIM
WITH done AS (SELECT * FROM jobs_job WHERE false),
    held_providers AS MATERIALIZED (
      SELECT key AS provider FROM jobs_hold WHERE scope = 'provider' AND (until IS NULL OR until > clock_timestamp())),
    held_owners AS MATERIALIZED (
      SELECT key::bigint AS owner_id FROM jobs_hold WHERE scope = 'owner' AND (until IS NULL OR until > clock_timestamp())
      UNION ALL
      SELECT r.owner_id FROM jobs_job r
      WHERE %(owner_limit)s::int IS NOT NULL AND r.lane = %(lane)s AND r.status = 'processing' GROUP BY r.owner_id
      HAVING count(*) - (SELECT count(*) FROM done d WHERE d.owner_id = r.owner_id AND d.lane = %(lane)s) >= %(owner_limit)s),
    pick AS MATERIALIZED (
      SELECT j.id FROM (
        SELECT id, provider, owner_id, priority, turn, seq FROM jobs_job
        WHERE lane = %(lane)s AND status = 'queued' AND (SELECT count(*) >= 0 FROM done) AND
  NOT EXISTS (SELECT 1 FROM jobs_hold WHERE scope = 'lane' AND key = %(lane)s AND (until IS NULL OR until > clock_timestamp()))
  AND (%(lane_limit)s::int IS NULL OR %(lane_limit)s > (
        SELECT count(*) FROM jobs_job WHERE lane = %(lane)s AND status = 'processing')
        - (SELECT count(*) FROM done WHERE lane = %(lane)s))
        ORDER BY priority DESC, turn, seq LIMIT 64) front
      JOIN jobs_job j ON j.id = front.id AND j.status = 'queued'
      WHERE front.provider <> ALL (ARRAY(SELECT provider FROM held_providers))
        AND front.owner_id <> ALL (ARRAY(SELECT owner_id FROM held_owners))
      ORDER BY front.priority DESC, front.turn, front.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED),
    claimed AS (
      UPDATE jobs_job j SET status = 'processing', attempt = j.attempt + 1, fence = j.fence + 1, worker = %(worker)s,
        started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        stage = '', reason = ''
      FROM pick WHERE j.id = pick.id RETURNING j.*),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'processing' AS new, stage, reason AS reason, attempt FROM claimed),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.*, c.fence, c.provider, c.failures, c.crashes, c.max_retries,
      EXISTS (SELECT 1 FROM jobs_job p WHERE p.id = c.parent_id AND p.status = 'cancelled') AS unwanted,
      EXISTS (SELECT 1 FROM jobs_job WHERE lane = %(lane)s AND status = 'queued') AS in_line,
      coalesce((SELECT priority FROM jobs_job WHERE lane = %(lane)s AND status = 'queued'
                ORDER BY priority DESC, turn, seq OFFSET 1 LIMIT 1), 0) AS next_priority
    FROM changes JOIN events USING (job_id) LEFT JOIN claimed c ON c.id = changes.job_id;

-- CLAIM_BY_HEADS
WITH RECURSIVE done AS (SELECT * FROM jobs_job WHERE false),
    held_providers AS MATERIALIZED (
      SELECT key AS provider FROM jobs_hold WHERE scope = 'provider' AND (until IS NULL OR until > clock_timestamp())),
    held_owners AS MATERIALIZED (
      SELECT key::bigint AS owner_id FROM jobs_hold WHERE scope = 'owner' AND (until IS NULL OR until > clock_timestamp())
      UNION ALL
      SELECT r.owner_id FROM jobs_job r
      WHERE %(owner_limit)s::int IS NOT NULL AND r.lane = %(lane)s AND r.status = 'processing' GROUP BY r.owner_id
      HAVING count(*) - (SELECT count(*) FROM done d WHERE d.owner_id = r.owner_id AND d.lane = %(lane)s) >= %(owner_limit)s),
    lines AS (
      SELECT * FROM (
        SELECT provider, owner_id FROM jobs_job WHERE lane = %(lane)s AND status = 'queued' AND
  NOT EXISTS (SELECT 1 FROM jobs_hold WHERE scope = 'lane' AND key = %(lane)s AND (until IS NULL OR until > clock_timestamp()))
  AND (%(lane_limit)s::int IS NULL OR %(lane_limit)s > (
        SELECT count(*) FROM jobs_job WHERE lane = %(lane)s AND status = 'processing')
        - (SELECT count(*) FROM done WHERE lane = %(lane)s))
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
      ORDER BY head.priority DESC, head.turn, head.seq LIMIT 64),
    pick AS MATERIALIZED (
      SELECT j.id FROM heads JOIN jobs_job j ON j.id = heads.id AND j.status = 'queued'
      ORDER BY j.priority DESC, j.turn, j.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED),
    claimed AS (
      UPDATE jobs_job j SET status = 'processing', attempt = j.attempt + 1, fence = j.fence + 1, worker = %(worker)s,
        started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        stage = '', reason = ''
      FROM pick WHERE j.id = pick.id RETURNING j.*),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'processing' AS new, stage, reason AS reason, attempt FROM claimed),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.*, c.fence, c.provider, c.failures, c.crashes, c.max_retries,
      EXISTS (SELECT 1 FROM jobs_job p WHERE p.id = c.parent_id AND p.status = 'cancelled') AS unwanted,
      EXISTS (SELECT 1 FROM jobs_job WHERE lane = %(lane)s AND status = 'queued') AS in_line,
      coalesce((SELECT priority FROM jobs_job WHERE lane = %(lane)s AND status = 'queued'
                ORDER BY priority DESC, turn, seq OFFSET 1 LIMIT 1), 0) AS next_priority
    FROM changes JOIN events USING (job_id) LEFT JOIN claimed c ON c.id = changes.job_id;

-- COMPLETE
WITH
    done AS (
      UPDATE jobs_job SET status = 'completed', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, stage = '', reason = ''
      WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND cancel_requested_at IS NULL RETURNING *),
    released_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE status = 'waiting' AND waits_for_id IN (SELECT id FROM done) ORDER BY id FOR UPDATE),
    released_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM released_locked k),
    released AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM released_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'completed', queued_at, started_at, clock_timestamp(), worker, '', '' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'completed' AS new, stage, reason AS reason, attempt FROM done UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, 'dependency' AS reason, attempt FROM released),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- COMPLETE_AND_CLAIM
WITH
    done AS (
      UPDATE jobs_job SET status = 'completed', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, stage = '', reason = ''
      WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND cancel_requested_at IS NULL RETURNING *),
    released_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE status = 'waiting' AND waits_for_id IN (SELECT id FROM done) ORDER BY id FOR UPDATE),
    released_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM released_locked k),
    released AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM released_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'completed', queued_at, started_at, clock_timestamp(), worker, '', '' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    held_providers AS MATERIALIZED (
      SELECT key AS provider FROM jobs_hold WHERE scope = 'provider' AND (until IS NULL OR until > clock_timestamp())),
    held_owners AS MATERIALIZED (
      SELECT key::bigint AS owner_id FROM jobs_hold WHERE scope = 'owner' AND (until IS NULL OR until > clock_timestamp())
      UNION ALL
      SELECT r.owner_id FROM jobs_job r
      WHERE %(owner_limit)s::int IS NOT NULL AND r.lane = %(lane)s AND r.status = 'processing' GROUP BY r.owner_id
      HAVING count(*) - (SELECT count(*) FROM done d WHERE d.owner_id = r.owner_id AND d.lane = %(lane)s) >= %(owner_limit)s),
    pick AS MATERIALIZED (
      SELECT j.id FROM (
        SELECT id, provider, owner_id, priority, turn, seq FROM jobs_job
        WHERE lane = %(lane)s AND status = 'queued' AND (SELECT count(*) >= 0 FROM done) AND
  NOT EXISTS (SELECT 1 FROM jobs_hold WHERE scope = 'lane' AND key = %(lane)s AND (until IS NULL OR until > clock_timestamp()))
  AND (%(lane_limit)s::int IS NULL OR %(lane_limit)s > (
        SELECT count(*) FROM jobs_job WHERE lane = %(lane)s AND status = 'processing')
        - (SELECT count(*) FROM done WHERE lane = %(lane)s))
        ORDER BY priority DESC, turn, seq LIMIT 64) front
      JOIN jobs_job j ON j.id = front.id AND j.status = 'queued'
      WHERE front.provider <> ALL (ARRAY(SELECT provider FROM held_providers))
        AND front.owner_id <> ALL (ARRAY(SELECT owner_id FROM held_owners))
      ORDER BY front.priority DESC, front.turn, front.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED),
    claimed AS (
      UPDATE jobs_job j SET status = 'processing', attempt = j.attempt + 1, fence = j.fence + 1, worker = %(worker)s,
        started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        stage = '', reason = ''
      FROM pick WHERE j.id = pick.id RETURNING j.*),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'completed' AS new, stage, reason AS reason, attempt FROM done UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, 'dependency' AS reason, attempt FROM released UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'processing' AS new, stage, reason AS reason, attempt FROM claimed),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.*, c.fence, c.provider, c.failures, c.crashes, c.max_retries,
      EXISTS (SELECT 1 FROM jobs_job p WHERE p.id = c.parent_id AND p.status = 'cancelled') AS unwanted,
      EXISTS (SELECT 1 FROM jobs_job WHERE lane = %(lane)s AND status = 'queued') AS in_line,
      coalesce((SELECT priority FROM jobs_job WHERE lane = %(lane)s AND status = 'queued'
                ORDER BY priority DESC, turn, seq OFFSET 1 LIMIT 1), 0) AS next_priority
    FROM changes JOIN events USING (job_id) LEFT JOIN claimed c ON c.id = changes.job_id;

-- END_DEPENDANTS
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE waits_for_id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = %(status)s, finished_at = clock_timestamp(), stage = '', reason = ''
  FROM target t WHERE j.id = t.id RETURNING j.*),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, 'dependency' AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- ENQUEUE
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
  SELECT k.lane, k.owner_id, k.priority, greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) AS turn
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
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, '' AS old, status AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- EXPIRED
SELECT id, fence, crashes, cancel_requested_at IS NOT NULL AS cancel_requested FROM jobs_job
WHERE status = 'processing' AND lease_until < clock_timestamp() ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- FAIL
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, stage = '', reason = '',
    failures = least(failures + %(counts)s, max_retries + 1),
    error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND cancel_requested_at IS NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'failed', queued_at, started_at, clock_timestamp(), worker, error_code, error_message FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'failed' AS new, stage, error_code AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- FAIL_WAITING
WITH said AS (
  SELECT * FROM unnest(%(job_ids)s::bigint[], %(codes)s::text[], %(messages)s::text[], %(actions)s::text[], %(remedies)s::text[])
  AS s(id, code, message, action, remedy)),
target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'failed', finished_at = clock_timestamp(), stage = '', reason = '',
    error_code = s.code, error_message = s.message, error_action = s.action, error_remedy = s.remedy
  FROM target t JOIN said s USING (id) WHERE j.id = t.id RETURNING j.*),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, 'dependency' AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- GO_ON
WITH
    done_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'scheduled' AND reason = 'budget' ORDER BY id FOR UPDATE),
    done_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM done_locked k),
    done AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM done_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, 'budget' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- HANGING
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
ORDER BY p.id LIMIT %(limit)s;

-- HEARTBEAT
UPDATE jobs_job SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL RETURNING cancel_requested_at IS NOT NULL AS cancel_requested;

-- HOLD_BACK
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'queued' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'scheduled', run_after = %(until)s, reason = 'budget' FROM target t WHERE j.id = t.id
  RETURNING j.*),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'scheduled' AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- LEFT_WAITING
SELECT w.id, coalesce(j.status, '') AS ended FROM jobs_job w LEFT JOIN jobs_job j ON j.id = w.waits_for_id
WHERE w.status = 'waiting' AND w.reason = 'dependency' AND (j.id IS NULL OR j.finished_at IS NOT NULL)
ORDER BY w.id LIMIT %(limit)s;

-- LOCK
WITH RECURSIVE family AS (
  SELECT unnest(%(job_ids)s::bigint[]) AS id
  UNION SELECT w.id FROM family f JOIN jobs_job w ON w.waits_for_id = f.id AND w.status = 'waiting')
SELECT id, after_children <> '' AS is_parent FROM jobs_job WHERE id IN (SELECT id FROM family)
ORDER BY after_children <> '', CASE WHEN after_children = '' THEN id ELSE -id END FOR UPDATE;

-- MOVE
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
,
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'queued' AS old, 'queued' AS new, stage, 'reordered' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- NUDGE
UPDATE jobs_job SET wake_at = clock_timestamp()
WHERE id = %(job_id)s AND wake_at > clock_timestamp() RETURNING lane, priority;

-- ORPHANED
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'cancelled' AND p.open_children > 0
  AND EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL AND c.cancel_requested_at IS NULL)
ORDER BY p.id LIMIT %(limit)s;

-- PARK
UPDATE jobs_job SET lease_until = NULL, stage = %(stage)s,
  wake_at = CASE WHEN cancel_requested_at IS NULL THEN clock_timestamp() + %(seconds)s * interval '1 second'
                 ELSE clock_timestamp() END
WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL RETURNING wake_at;

-- PROMOTE
WITH
    done_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE status = 'scheduled' AND run_after <= statement_timestamp() AND id IN (
        SELECT id FROM jobs_job WHERE status = 'scheduled' AND run_after <= statement_timestamp()
        ORDER BY run_after LIMIT %(limit)s) ORDER BY id FOR UPDATE SKIP LOCKED),
    done_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM done_locked k),
    done AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM done_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RELEASE
WITH
    done_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'waiting' AND after_children = '' ORDER BY id FOR UPDATE),
    done_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM done_locked k),
    done AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM done_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, %(reason)s AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- REQUEST_CANCEL
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
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, status AS new, stage, reason AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- REQUEUE
WITH
    done_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'scheduled' AND reason <> 'budget' ORDER BY id FOR UPDATE),
    done_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND owner_id = k.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) + row_number() OVER (PARTITION BY k.lane, k.owner_id, k.priority ORDER BY k.seq) - 1 ELSE greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1)) END AS turn
      FROM done_locked k),
    done AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM done_placed p WHERE j.id = p.id RETURNING j.*, p.old),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, 'queued' AS new, stage, 'requeued' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RESCHEDULE
WITH done AS (
  UPDATE jobs_job SET status = 'scheduled', run_after = clock_timestamp() + %(seconds)s * interval '1 second', lease_until = NULL, wake_at = NULL,
    stage = '', reason = %(reason)s, failures = failures + %(counts)s
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND cancel_requested_at IS NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, %(outcome)s, queued_at, started_at, clock_timestamp(), worker, %(code)s, %(message)s FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'scheduled' AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RESCUE
WITH done AS (
  UPDATE jobs_job k SET status = 'queued', lease_until = NULL, wake_at = NULL, crashes = crashes + 1, stage = '', reason = '',
    turn = greatest(k.turn, (
      SELECT turn FROM jobs_job WHERE lane = k.lane AND priority = k.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1))
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'crashed', queued_at, started_at, clock_timestamp(), worker, 'worker_lost', 'The worker died or hung.' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'queued' AS new, stage, 'crashed' AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RESCUE_CANCELLED
WITH done AS (
  UPDATE jobs_job SET status = 'cancelled', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, stage = '', reason = '',
    crashes = crashes + 1
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND lease_until < clock_timestamp() AND cancel_requested_at IS NOT NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'cancelled', queued_at, started_at, clock_timestamp(), worker, '', '' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'cancelled' AS new, stage, reason AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RESCUE_FAILED
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), lease_until = NULL, wake_at = NULL, crashes = crashes + 1, stage = '',
    reason = '', error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, 'crashed', queued_at, started_at, clock_timestamp(), worker, 'worker_lost', 'The worker died or hung.' FROM done
      ON CONFLICT (job_id, number) DO NOTHING),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'failed' AS new, stage, error_code AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- RESUME
WITH pick AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE lane = %(lane)s AND wake_at <= statement_timestamp()
  ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE jobs_job j SET fence = j.fence + 1, worker = %(worker)s, wake_at = NULL,
  lease_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM pick WHERE j.id = pick.id
RETURNING j.id AS job_id, j.uid, j.fence, j.attempt, j.kind, j.lane, j.provider, j.owner_id, j.priority, j.subject,
  j.failures, j.crashes, j.max_retries,
  coalesce((SELECT o.priority FROM jobs_job o WHERE o.lane = %(lane)s AND o.wake_at <= statement_timestamp() AND o.id <> j.id
            ORDER BY o.wake_at LIMIT 1), 0) AS next_priority;

-- SEAL
WITH parents AS (
  UPDATE jobs_job p SET planned_at = clock_timestamp(),
        open_children = p.open_children - 1, failed_children = p.failed_children + 0,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = 1 THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = 1 THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = 1 THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = 1 AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'retry' ELSE p.error_remedy END
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.after_children <> '' AND p.planned_at IS NULL
  RETURNING p.*, 'waiting' AS was),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- SETTLE_FAMILY
WITH parents AS (
  UPDATE jobs_job p SET
        open_children = p.open_children - p.open_children, failed_children = p.failed_children + 0,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = p.open_children THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = p.open_children AND p.after_children = 'end' AND p.failed_children + 0 > 0 THEN 'retry' ELSE p.error_remedy END
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.planned_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
  RETURNING p.*, 'waiting' AS was),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- SKIP
WITH target AS MATERIALIZED (
  SELECT id, status AS old FROM jobs_job
  WHERE id = ANY(%(job_ids)s) AND status IN ('waiting', 'queued', 'scheduled') AND after_children = '' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'skipped', finished_at = clock_timestamp(), run_after = NULL, stage = '', reason = %(reason)s
  FROM target t WHERE j.id = t.id RETURNING j.*, t.old),
    moved AS MATERIALIZED (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, old AS old, status AS new, stage, reason AS reason, attempt FROM done),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN ('completed', 'failed', 'cancelled', 'skipped') AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET
        open_children = p.open_children - e.all, failed_children = p.failed_children + e.failed,
        status = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN 'queued' WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'failed' WHEN p.status = 'waiting' AND p.open_children = e.all THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'run' THEN greatest(
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE lane = p.lane AND priority = p.priority AND owner_id = p.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0) ELSE p.turn END,
        reason = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.reason END, stage = CASE WHEN p.status = 'waiting' AND p.open_children = e.all THEN '' ELSE p.stage END,
        error_code = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'children_failed' ELSE p.error_code END,
        error_message = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Not all of its parts were made.' ELSE p.error_message END,
        error_action = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'Try it again: only what is missing is made.' ELSE p.error_action END,
        error_remedy = CASE WHEN p.status = 'waiting' AND p.open_children = e.all AND p.after_children = 'end' AND p.failed_children + e.failed > 0 THEN 'retry' ELSE p.error_remedy END
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    changes AS (SELECT * FROM moved UNION ALL SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, status AS new, stage, CASE WHEN status = 'failed' THEN error_code ELSE 'children' END AS reason, attempt FROM parents WHERE was = 'waiting' AND status <> 'waiting'),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- STAGE
WITH done AS (UPDATE jobs_job SET stage = %(stage)s WHERE id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL AND stage <> %(stage)s RETURNING *),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'processing' AS old, 'processing' AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);

-- UNPLANNED
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NULL AND clock_timestamp() - %(seconds)s * interval '1 second' >
  (SELECT coalesce(max(c.created_at), p.created_at) FROM jobs_job c WHERE c.parent_id = p.id)
ORDER BY p.id LIMIT %(limit)s;

-- WAIT_FOR_PERSON
WITH done AS (
  UPDATE jobs_job SET waits_for_id = NULL, reason = %(reason)s, stage = ''
  WHERE id = ANY(%(job_ids)s) AND status = 'waiting' RETURNING *),
    changes AS (SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, 'waiting' AS old, 'waiting' AS new, stage, reason AS reason, attempt FROM done),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN ('completed', 'failed', 'cancelled', 'skipped')),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id);
