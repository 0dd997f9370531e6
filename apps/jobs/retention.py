"""Archive, then prune: finished jobs older than their time go to a file of JSON lines, then out of the tables.

A family goes together and with its parent's time: were its completed children gone first, a retry of the parent would
make them again. So children are never looked for by themselves, and a parent that is due is not tried again any more.
"""

import os
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

import orjson
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils.module_loading import import_string

from apps.core.clock import database_now
from apps.core.database import is_conflict
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job, JobEvent
from apps.jobs.states import Status

KEEP_DAYS = {Status.COMPLETED: 30, Status.FAILED: 90, Status.CANCELLED: 30, Status.SKIPPED: 30}
BATCH = 1000  # jobs a transaction
SECONDS = 20.0  # of a worker, each time
_ONE_AT_A_TIME = 7_302_002  # the key of the advisory lock

_DUE = """
SELECT id, after_children <> '' AS is_parent FROM jobs_job
WHERE status = %(status)s AND finished_at < statement_timestamp() - %(days)s * interval '1 day' AND parent_id IS NULL
ORDER BY finished_at LIMIT %(limit)s
"""
_CHILDREN = """
SELECT id, after_children <> '' AS is_parent FROM jobs_job
WHERE parent_id = %(parent_id)s AND finished_at IS NOT NULL ORDER BY id LIMIT %(limit)s
"""
_ROWS = """
SELECT j.id, j.kind, to_jsonb(j) || jsonb_build_object('attempts',
  (SELECT jsonb_agg(to_jsonb(a) - 'id' - 'job_id' ORDER BY a.number) FROM jobs_attempt a WHERE a.job_id = j.id))
FROM jobs_job j WHERE j.id = ANY(%(ids)s) ORDER BY j.id
"""


def prune(*, batch: int = BATCH, seconds: float = SECONDS) -> int:
    """As many batches as fit into the time; answers how many jobs went. Two at once: the second does nothing."""
    for pruner in settings.PRUNERS:
        import_string(pruner)()
    ends = time.monotonic() + seconds
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return sum(_prune_state(status, days, batch, ends) for status, days in KEEP_DAYS.items())
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


def is_due(job: Job) -> bool:
    """Whether its time is over, so that it may be going just now."""
    days = KEEP_DAYS.get(Status(job.status))
    if days is None or job.finished_at is None:
        return False
    return job.finished_at < database_now() - timedelta(days=days)


def _prune_state(status: str, days: int, batch: int, ends: float) -> int:
    count = 0
    while time.monotonic() < ends:
        found = _ids(_DUE, status=status, days=days, limit=batch)
        alone = [job_id for job_id, is_parent in found if not is_parent]
        parents = [job_id for job_id, is_parent in found if is_parent]
        gone = _remove(alone) + sum(_prune_family(parent, batch, ends) for parent in parents)
        count += gone
        if len(found) < batch or not gone:
            break
    return count


def _prune_family(parent_id: int, batch: int, ends: float) -> int:
    """The children, a batch at a time, those that are parents with their own; the parent when none is left."""
    count = 0
    while time.monotonic() < ends:
        children = _ids(_CHILDREN, parent_id=parent_id, limit=batch)
        count += sum(_prune_family(child, batch, ends) for child, is_parent in children if is_parent)
        count += _remove([child for child, is_parent in children if not is_parent])
        if len(children) < batch:
            break
    if Job.objects.filter(parent_id=parent_id).exists():
        return count
    return count + _remove([parent_id])


def _remove(ids: list[int]) -> int:
    """Archived on disk before the rows go: a crash in between archives twice, never not at all."""
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"ids": ids})
        rows = cursor.fetchall()
    kept: dict[str, list[int]] = {}
    for job_id, kind, _row in rows:
        kept.setdefault(kind, []).append(job_id)
    beside = {job_id: facts for kind, of_kind in kept.items() for job_id, facts in _facts(kind, of_kind).items()}
    _archive(_loaded(row) | {"facts": beside.get(job_id)} for job_id, _kind, row in rows)
    try:
        with transaction.atomic():
            for kind, of_kind in kept.items():
                if kind in settings.KINDS:
                    handler_of(kind).pruned(of_kind)
            JobEvent.objects.filter(job_id__in=ids).delete()
            Job.objects.filter(pk__in=ids).delete()
    except OperationalError as error:
        if not is_conflict(error):
            raise
        return 0  # somebody works on a row that one of these belongs to: the next pass comes back for it
    return len(ids)


def _facts(kind: str, ids: list[int]) -> Mapping[int, object]:
    return handler_of(kind).facts_to_archive(ids) if kind in settings.KINDS else {}


def _ids(statement: str, **params: int | str) -> list[tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _loaded(row: object) -> dict[str, object]:
    return orjson.loads(row) if isinstance(row, str) else row  # type: ignore[return-value]


def _archive(rows: Iterable[dict[str, object]]) -> None:
    folder = Path(settings.DATA_DIR) / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "jobs.jsonl").open("ab") as file:
        file.writelines(orjson.dumps(row, default=str) + b"\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())
