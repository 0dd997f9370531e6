"""All images of a row or a workspace, as one ZIP: numbered as the page numbers its rows, under their labels."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse

from apps.assets.archive import Entry, file_name, zip_response
from apps.pages.shell import page, reader
from apps.studio.models import GeneratedImage, Workspace
from apps.studio.owned import find_row, find_workspace


@page
def row_zip(request: HttpRequest, workspace_id: UUID, row_id: UUID) -> StreamingHttpResponse:
    row = find_row(reader(request), row_id)
    if row.workspace_id != workspace_id:
        raise Http404
    return _answer(row.workspace, {row.pk}, row.label or "row")


@page
def workspace_zip(request: HttpRequest, workspace_id: UUID) -> StreamingHttpResponse:
    """All images of the workspace, or of the rows named by `row`."""
    workspace = find_workspace(reader(request), workspace_id)
    rows = {one for one in map(_uuid, request.GET.getlist("row")) if one}
    return _answer(workspace, rows, workspace.name)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _answer(workspace: Workspace, only: set[UUID], name: str) -> StreamingHttpResponse:
    """Which pictures there are is asked now; their files are read while they are sent."""
    rows = workspace.rows.order_by("position", "created_at").values_list("id", "label")
    places = {row_id: (number, label) for number, (row_id, label) in enumerate(rows, 1)}
    images = GeneratedImage.objects.filter(row__workspace=workspace, late=False)
    found = list(images.values_list("row_id", "file", "created_at").order_by("created_at", "index", "id"))
    wanted = sorted((one for one in found if one[0] in (only or places)), key=lambda one: places[one[0]][0])
    if not wanted:
        raise Http404
    counts = Counter(row_id for row_id, _, _ in wanted)

    def entries() -> Iterator[Entry]:
        seen: Counter[UUID] = Counter()
        for row_id, path, made_at in wanted:
            seen[row_id] += 1
            number, label = places[row_id]
            place = f"-{seen[row_id]}" if counts[row_id] > 1 else ""
            yield Entry(path, f"{number:03}-{file_name(label) or 'image'}{place}", made_at)

    return zip_response(entries(), name=name)
