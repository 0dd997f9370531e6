"""Finding what somebody works with: their own, staff too. Anything else does not exist (Problem 404)."""

from uuid import UUID

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.jobs.values import Failure
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace


def find_workspace(user: User, workspace_id: UUID) -> Workspace:
    workspace = Workspace.objects.filter(pk=workspace_id, owner=user).first()
    if workspace is None:
        raise not_found("workspace")
    return workspace


def find_row(user: User, row_id: UUID) -> Row:
    rows = Row.objects.filter(pk=row_id, workspace__owner=user, workspace__gone_at=None)
    row = rows.select_related("workspace__owner").first()
    if row is None:
        raise not_found("row")
    return row


def hold_row(row_id: UUID | None, *, alone: bool = False) -> bool:
    """Keeps the row until the transaction ends; False when it is being deleted, or is gone.

    The weakest lock that keeps a delete out, the one its jobs' foreign keys take anyway: it waits for nobody else.
    Whoever locks jobs as well locks them first: a worker that finishes a job holds the job when it comes to the row.
    `alone`: for whoever changes the row too. The stronger lock is then taken first, and not when another Generate of
    the row may hold the first one already and be waiting for ours.
    """
    there = "SELECT id FROM studio_row WHERE id = %s AND gone_at IS NULL "
    held = there + ("FOR NO KEY UPDATE" if alone else "FOR KEY SHARE")
    return row_id is not None and bool(list(Row.objects.raw(held, [row_id])))


ROW_GONE = Failure("row_gone", "The row of this job was deleted.", "Make a new row and generate there.")


def has_place(job: PromptJob | ImageJob) -> bool:
    """Whether what the job makes can be found by its owner. Asked before anything is bought for it."""
    return job.row is not None and job.row.gone_at is None


def no_place() -> Problem:
    """409: a deleted row cannot be worked for again."""
    return Problem(409, ROW_GONE.code, ROW_GONE.message, ROW_GONE.action)


def find_image(user: User, image_id: UUID) -> GeneratedImage:
    image = GeneratedImage.objects.filter(pk=image_id, owner=user).first()
    if image is None:
        raise not_found("image")
    return image
