"""Archive, then prune: finished jobs older than their time go to a file of JSON lines, then out of the tables."""

import os
from pathlib import Path

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from apps.jobs.models import Job, JobEvent

KEEP_DAYS = {"completed": 30, "failed": 90, "cancelled": 30, "skipped": 30}
BATCH = 1000

_OLDEST = """
SELECT j.id, to_jsonb(j) FROM jobs_job j
WHERE status = %(status)s AND finished_at < clock_timestamp() - %(days)s * interval '1 day'
ORDER BY finished_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""


def prune(*, batch: int = BATCH) -> int:
    """One batch of each state; answers how many went. Called hourly, so a backlog drains over several calls."""
    for pruner in settings.PRUNERS:
        import_string(pruner)()
    return sum(_prune_state(status, days, batch) for status, days in KEEP_DAYS.items())


def _prune_state(status: str, days: int, batch: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_OLDEST, {"status": status, "days": days, "limit": batch})
        rows = cursor.fetchall()
        if rows:
            # On disk before the rows go: a crash in between archives twice, never not at all.
            _archive([row[1] for row in rows])
            ids = [row[0] for row in rows]
            JobEvent.objects.filter(job_id__in=ids).delete()
            Job.objects.filter(pk__in=ids).delete()
    return len(rows)


def _archive(rows: list[str]) -> None:
    folder = Path(settings.DATA_DIR) / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "jobs.jsonl").open("ab") as file:
        file.writelines(orjson.dumps(orjson.loads(row) if isinstance(row, str) else row) + b"\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())
