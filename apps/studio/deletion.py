"""Deleting rows and workspaces while workers finish their jobs, without the two waiting for each other's locks.

Worker A finishes a job: it holds the job and then needs the row, for the picture it stores. So nobody may hold a row
and then ask for a job. A deletion is three steps, each a transaction of its own that holds nothing of the others:

1. The row is marked gone. A Generate that is under way ends first (it holds the row) and its jobs are seen in step 2;
   one that comes later is refused (owned.hold_row), and so is a retry of an old job.
2. What the row has in the queue is cancelled. A finish that was first wins, and its picture is stored.
3. The row is deleted, and the pictures that its owner brought for it go unless something else names them.

Between the steps the row is found by nobody. What a process that died has left in the middle is finished by the sweep.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.core.clock import ClockTimestamp
from apps.core.errors import not_found
from apps.jobs import endings
from apps.jobs.models import Job
from apps.studio.models import Row, Workspace
from apps.studio.owned import find_workspace
from apps.studio.picture_use import forget_pictures
from apps.studio.rows import subject_of, tell_edited

CANCELLED_AT_ONCE = 500
UNDO_FOR = timedelta(minutes=2)
LEFT_AFTER = timedelta(minutes=5)  # well after the last undo: of the two, one is too early or the other too late


def delete_row(*, user: User, row_id: UUID) -> None:
    """Cancels what the row still has in the queue, then removes it. Problem 404 when there is no such row."""
    with transaction.atomic():
        rows = Row.objects.filter(pk=row_id, workspace__owner=user, workspace__gone_at=None)
        row = rows.select_for_update(of=("self",)).select_related("workspace").first()
        if row is None:
            raise not_found("row")
        tell_edited(row)
        Row.objects.filter(pk=row_id).update(gone_at=ClockTimestamp())
    _remove_rows([row_id])


def put_rows_away(*, user: User, workspace_id: UUID, row_ids: Sequence[UUID]) -> list[UUID]:
    """Marks the rows gone and cancels what they have in the queue; the sweep deletes them later. Answers which.

    Until UNDO_FOR is over `bring_rows_back` takes the mark off again. Problem 404 when there is no such workspace.
    """
    workspace = find_workspace(user, workspace_id)
    with transaction.atomic():
        theirs = Row.objects.filter(workspace=workspace, pk__in=row_ids).order_by("pk")
        rows = list(theirs.select_for_update(of=("self",)).select_related("workspace"))
        tell_edited(*rows)
        found = [row.pk for row in rows]
        Row.objects.filter(pk__in=found).update(gone_at=ClockTimestamp())
    _cancel_jobs(found)
    return found


def bring_rows_back(*, user: User, workspace_id: UUID, row_ids: Sequence[UUID]) -> list[UUID]:
    """Takes the mark off rows that were put away a moment ago; what was cancelled stays so. Answers which were there."""
    workspace = find_workspace(user, workspace_id)
    with transaction.atomic():
        lately = {"gone_at__gt": ClockTimestamp() - UNDO_FOR}
        theirs = Row.everything.filter(workspace=workspace, pk__in=row_ids, **lately).order_by("pk")
        rows = list(theirs.select_for_update(of=("self",)).select_related("workspace"))
        Row.everything.filter(pk__in=[row.pk for row in rows]).update(gone_at=None)
        tell_edited(*rows)
    return [row.pk for row in rows]


def delete_workspace(workspace: Workspace) -> None:
    """Cancels what its rows still have in the queue, then removes it with them."""
    with transaction.atomic():
        # Whoever adds rows holds the workspace: they are there already, or find it gone.
        if not Workspace.objects.select_for_update().filter(pk=workspace.pk).exists():
            raise not_found("workspace")
        rows = list(
            Row.objects.select_for_update().filter(workspace=workspace).order_by("pk").values_list("pk", flat=True)
        )
        Workspace.objects.filter(pk=workspace.pk).update(gone_at=ClockTimestamp())
        Row.objects.filter(pk__in=rows).update(gone_at=ClockTimestamp())
    _remove_workspace(workspace.pk)


def finish_deletions() -> int:
    """Goes on with what a process that died has begun; answers how many rows and workspaces. Safe to run at once."""
    left = {"gone_at__lt": ClockTimestamp() - LEFT_AFTER}
    workspaces = list(Workspace.everything.filter(**left).values_list("pk", flat=True))
    for workspace_id in workspaces:
        _remove_workspace(workspace_id)
    rows = list(Row.everything.filter(**left).values_list("pk", flat=True))
    _remove_rows(rows)
    return len(workspaces) + len(rows)


def _remove_workspace(workspace_id: UUID) -> None:
    _remove_rows(list(Row.everything.filter(workspace=workspace_id).values_list("pk", flat=True)))
    workspace = Workspace.everything.filter(pk=workspace_id).first()
    if workspace:
        workspace.delete()
        forget_pictures(workspace.owner_id, workspace.default_ref_urls)


def _remove_rows(row_ids: Sequence[UUID]) -> None:
    _cancel_jobs(row_ids)
    urls: dict[int, list[str]] = defaultdict(list)
    with transaction.atomic():
        # One that its owner brought back since step 1 has lost its mark, and may have new jobs: it stays.
        marked = Row.everything.filter(pk__in=row_ids).exclude(gone_at=None).order_by("pk")
        rows = list(marked.select_for_update(of=("self",)).select_related("workspace"))
        for row in rows:
            urls[row.workspace.owner_id] += [row.target_url, *(row.ref_urls or [])]
        Row.everything.filter(pk__in=[row.pk for row in rows]).delete()
    for owner_id, named in urls.items():
        forget_pictures(owner_id, named)


def _cancel_jobs(row_ids: Sequence[UUID]) -> None:
    subjects = [subject_of(Row(pk=row_id)) for row_id in row_ids]
    live = list(Job.objects.live().filter(subject__in=subjects).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(live), CANCELLED_AT_ONCE):
        endings.cancel(live[start : start + CANCELLED_AT_ONCE], reason="row_deleted")
