"""Finding what somebody works with: their own, staff too. Anything else does not exist (Problem 404)."""

from uuid import UUID

from apps.accounts.models import User
from apps.core.errors import not_found
from apps.studio.models import GeneratedImage, Row, Workspace


def find_workspace(user: User, workspace_id: UUID) -> Workspace:
    workspace = Workspace.objects.filter(pk=workspace_id, owner=user).first()
    if workspace is None:
        raise not_found("workspace")
    return workspace


def find_row(user: User, row_id: UUID) -> Row:
    row = Row.objects.filter(pk=row_id, workspace__owner=user).select_related("workspace__owner").first()
    if row is None:
        raise not_found("row")
    return row


def hold_row(row: Row) -> None:
    """Keeps the row until the transaction ends; Problem 404 when it was deleted since it was read, during a fetch say.

    The weakest lock that keeps a delete out, the one its jobs' foreign keys take anyway: it waits for nobody else.
    """
    if not list(Row.objects.raw("SELECT id FROM studio_row WHERE id = %s FOR KEY SHARE", [row.pk])):
        raise not_found("row")


def find_image(user: User, image_id: UUID) -> GeneratedImage:
    image = GeneratedImage.objects.filter(pk=image_id, owner=user).first()
    if image is None:
        raise not_found("image")
    return image
