"""Many images at once, as one ZIP."""

import tempfile
import zipfile
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.utils.text import slugify

from apps.assets.storage import open_file
from apps.pages.shell import page, reader
from apps.studio.models import GeneratedImage
from apps.studio.owned import find_row, find_workspace

MOST = 500
IN_MEMORY = 20_000_000  # bytes; more goes to a temporary file
PIECE = 1 << 20


@page
def row_zip(request: HttpRequest, workspace_id: UUID, row_id: UUID) -> FileResponse:
    row = find_row(reader(request), row_id)
    if row.workspace_id != workspace_id:
        raise Http404
    images = GeneratedImage.objects.filter(row=row, late=False)
    return _answer(list(images[:MOST]), row.label or "row")


@page
def workspace_zip(request: HttpRequest, workspace_id: UUID) -> FileResponse:
    """All images of the workspace, or of the rows named by `row`."""
    workspace = find_workspace(reader(request), workspace_id)
    images = GeneratedImage.objects.filter(row__workspace=workspace, late=False).select_related("row")
    rows = [one for one in map(_uuid, request.GET.getlist("row")) if one]
    return _answer(list((images.filter(row__in=rows) if rows else images)[:MOST]), workspace.name)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _answer(images: list[GeneratedImage], name: str) -> FileResponse:
    if not images:
        raise Http404
    # Not closed here: the response reads it to its end and closes it.
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for place, image in enumerate(images, 1):
            _add(archive, image, place)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{slugify(name) or 'images'}.zip")


def _add(archive: zipfile.ZipFile, image: GeneratedImage, place: int) -> None:
    label = slugify((image.row.label if image.row else "").rsplit(".", 1)[0])
    path = str(image.file.name)
    ending = path.rpartition(".")[2]
    with open_file(path) as source, archive.open(f"{place:03}-{label or 'image'}.{ending}", "w") as target:
        while piece := source.read(PIECE):
            target.write(piece)
