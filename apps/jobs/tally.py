"""How many of each kind ended how, for ever: folded from outside the jobs' transactions, since counters inside them
would halve the rate of claims. It stays exact when old jobs are pruned.
"""

from django.db import connection, transaction

# Whatever ended before the oldest transaction that is open now is visible to every later snapshot.
_HORIZON = """
SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_FOLD = """
WITH mark AS MATERIALIZED (SELECT id, upto FROM jobs_tally_mark FOR UPDATE SKIP LOCKED),
ended AS (
  SELECT j.owner_id, j.kind, j.status, count(*) AS count FROM jobs_job j, mark
  WHERE j.status IN ('completed', 'failed', 'cancelled', 'skipped')
    AND j.finished_at >= mark.upto AND j.finished_at < %(horizon)s GROUP BY 1, 2, 3),
added AS (
  INSERT INTO jobs_tally AS t (owner_id, kind, status, count) SELECT owner_id, kind, status, count FROM ended
  ON CONFLICT (kind, owner_id, status) DO UPDATE SET count = t.count + excluded.count)
UPDATE jobs_tally_mark m SET upto = %(horizon)s FROM mark
WHERE m.id = mark.id AND m.upto < %(horizon)s RETURNING (SELECT coalesce(sum(count), 0) FROM ended)
"""
_FIRST_MARK = "INSERT INTO jobs_tally_mark (id, upto) VALUES (1, '0001-01-01') ON CONFLICT DO NOTHING"


def fold() -> int:
    """Adds what ended to the tally and answers how many that were. Two at once: one does it, outside transactions."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_MARK)
        cursor.execute(_HORIZON)
        horizon = cursor.fetchone()[0]
        # A snapshot of its own: the horizon's statement may not have seen what ended just before it.
        with transaction.atomic():
            cursor.execute(_FOLD, {"horizon": horizon})
            row = cursor.fetchone()
    return int(row[0]) if row else 0
