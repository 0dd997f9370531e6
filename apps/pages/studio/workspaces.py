"""`/`: the reader's workspaces."""

from dataclasses import dataclass, field

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.assets.space import space_of
from apps.jobs.models import Job
from apps.jobs.states import LIVE
from apps.pages.context import queue_line
from apps.pages.shell import page, reader
from apps.pages.studio.pictures import pictures_of
from apps.studio.models import GeneratedImage, Row, Workspace

PICTURES = 4


@dataclass(frozen=True)
class Shelf:
    """One workspace in the list: how much it holds, and its newest pictures."""

    workspace: Workspace
    rows: int
    images: int
    live: int
    pictures: list[str] = field(default_factory=list)


@page
def workspaces(request: HttpRequest) -> HttpResponse:
    user = reader(request)
    return render(
        request,
        "studio/workspaces.html",
        {"workspaces": shelves_of(user.pk), "line": queue_line(user), "space": space_of(user)},
    )


def shelves_of(owner_id: int) -> list[Shelf]:
    found = list(Workspace.objects.filter(owner_id=owner_id).order_by("-created_at")[:200])
    rows = dict(Row.objects.filter(workspace__in=found).values_list("workspace").annotate(n=Count("id")).order_by())
    images = dict(
        GeneratedImage.objects.filter(row__workspace__in=found, late=False)
        .values_list("row__workspace")
        .annotate(n=Count("id"))
        .order_by()
    )
    live = _live_rows(owner_id, found)
    newest = _targets(owner_id, found) | _newest(found)
    return [
        Shelf(one, rows.get(one.pk, 0), images.get(one.pk, 0), live.get(one.pk, 0), newest.get(one.pk, []))
        for one in found
    ]


def _live_rows(owner_id: int, found: list[Workspace]) -> dict[object, int]:
    """How many rows of each workspace have a job in work. A job names its row only in its subject."""
    subjects = Job.objects.filter(owner_id=owner_id, status__in=LIVE, subject__startswith="row:")
    ids = {subject.removeprefix("row:") for subject in subjects.values_list("subject", flat=True)}
    counted = Row.objects.filter(pk__in=ids, workspace__in=found).values_list("workspace").annotate(n=Count("id"))
    return dict(counted.order_by())


def _newest(found: list[Workspace]) -> dict[object, list[str]]:
    made = GeneratedImage.objects.filter(row__workspace__in=found, late=False).order_by("row__workspace", "-created_at")
    shown: dict[object, list[str]] = {}
    for workspace_id, image_id in made.values_list("row__workspace", "id")[:2000]:
        pictures = shown.setdefault(workspace_id, [])
        if len(pictures) < PICTURES:
            pictures.append(f"/media/images/{image_id}/thumbnail")
    return shown


def _targets(owner_id: int, found: list[Workspace]) -> dict[object, list[str]]:
    """The first targets, for a workspace that has no pictures of its own yet."""
    targets = Row.objects.filter(workspace__in=found).exclude(target_url="").order_by("workspace", "position")
    named = list(targets.values_list("workspace", "target_url")[:2000])
    pictures = pictures_of((url for _, url in named), owner_id=owner_id)
    shown: dict[object, list[str]] = {}
    for workspace_id, url in named:
        thumbs = shown.setdefault(workspace_id, [])
        if pictures[url].thumb and len(thumbs) < PICTURES:
            thumbs.append(pictures[url].thumb)
    return shown
