"""`/queue`: the reader's own work that waits or runs, by row; the same list in the drawer, and counts in the masthead."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, Count, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.accounts.models import User
from apps.desk.estimates import Outlook, describe
from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.listings.models import Project
from apps.pages.jobs.queue_words import NOBODY, Actor, actor_of, contents_of, job_name
from apps.pages.shell import page, reader
from apps.pages.studio.row_status import Bar, RowStatus, Said
from apps.pages.studio.row_view import RowView, row_views
from apps.pages.words import Line, stage_words, waiting
from apps.providers.models import Earmark
from apps.studio.late import late_images
from apps.studio.models import Row
from apps.studio.states import NEEDS_PROMPT

MOST = 60  # rows
LOOKED_AT = 2000  # jobs, to find the first of them
NO_PLACE = 1 << 30


@dataclass(frozen=True)
class Entry:
    """A row with all it has in the queue, or a job that has no row.

    `movable`: its jobs that stand in one line, in order; `before`, `after`: the job to move them before or after, which
    is its neighbour's in that line, none at the line's ends.
    """

    id: str
    title: str
    where: str
    href: str
    told: RowStatus
    actor: Actor
    thumb: str = ""
    held: Decimal = Decimal(0)
    wanted: Decimal = Decimal(0)
    row: Row | None = None
    cancel: Sequence[UUID] = ()
    running: bool = False
    place: int | None = None
    line: tuple[str, int] | None = None
    movable: Sequence[UUID] = ()
    before: UUID | None = None
    after: UUID | None = None


@page
def queue(request: HttpRequest) -> HttpResponse:
    return render(request, "queue/page.html", _listed(reader(request)))


@page
def listing(request: HttpRequest) -> HttpResponse:
    """The list alone, for the drawer and for a page that is open."""
    return render(request, "queue/list.html", _listed(reader(request)))


@page
def summary(request: HttpRequest) -> HttpResponse:
    return render(request, "queue/counts.html")


def _listed(user: User) -> dict[str, object]:
    entries, every = entries_of(user)
    somebody = [entry for entry in entries if entry.actor.needed]
    rest = [entry for entry in entries if not entry.actor.needed]
    waiting_ones = [entry for entry in rest if not entry.running]
    return {
        "somebody": somebody,
        "running": [entry for entry in rest if entry.running],
        "waiting": waiting_ones,
        "shown": len(entries),
        "every": every,
        "late": late_images(user.pk),
        "can_move": any(entry.before or entry.after for entry in entries),
    }


def entries_of(user: User) -> tuple[list[Entry], int]:
    """In the order they will start, as far as that is known, at most 60; and how many there are."""
    jobs, every = _first_jobs(user)
    outlooks = describe(jobs) if jobs else {}
    marks = Earmark.objects.in_bulk([job.pk for job in jobs])
    of_subject: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        of_subject[job.subject or str(job.uid)].append(job)
    views, projects = _views_of(user, of_subject), projects_of(user, of_subject)
    entries = [
        entry
        for subject, theirs in of_subject.items()
        for entry in (
            [_row_entry(views[subject], theirs, outlooks, marks)]
            if subject in views
            else [project_entry(projects[subject], theirs, outlooks, marks)]
            if subject in projects
            else [_job_entry(job, outlooks.get(job.pk, Outlook()), marks) for job in theirs]
        )
    ]
    entries.sort(key=lambda entry: NO_PLACE if entry.place is None else entry.place)
    return _with_neighbours(entries), every


def _first_jobs(user: User) -> tuple[list[Job], int]:
    """Every live job of the rows that come first: what waits for a person, what runs, then the order of the claim."""
    live = Job.objects.of(user).live()
    first = Case(
        When(reason=NEEDS_PROMPT, status=Status.WAITING, then=Value(0)),
        When(status=Status.PROCESSING, then=Value(1)),
        When(status=Status.QUEUED, then=Value(2)),
        default=Value(3),
    )
    ordered = live.order_by(first, "-priority", "turn", "seq").values_list("subject", "pk")[:LOOKED_AT]
    subjects: dict[str, list[int]] = defaultdict(list)
    for subject, pk in ordered:
        subjects[subject or f"job:{pk}"].append(pk)
    shown = list(subjects)[:MOST]
    alone = [pk for subject in shown if subject.startswith("job:") for pk in subjects[subject]]
    named = [subject for subject in shown if not subject.startswith("job:")]
    every = live.aggregate(
        rows=Count("subject", distinct=True, filter=~Q(subject="")), alone=Count("pk", filter=Q(subject=""))
    )
    jobs = live.filter(Q(subject__in=named) | Q(pk__in=alone)).order_by(first, "-priority", "turn", "seq")
    return list(jobs), every["rows"] + every["alone"]


def _views_of(user: User, subjects: Mapping[str, object]) -> dict[str, RowView]:
    ids = [UUID(subject.removeprefix("row:")) for subject in subjects if subject.startswith("row:")]
    found = Row.objects.filter(pk__in=ids, workspace__owner=user).select_related("workspace__owner")
    rows = list(found)
    return {f"row:{view.row.pk}": view for view in row_views(rows, _numbers_of(rows))}


def _numbers_of(rows: Sequence[Row]) -> dict[UUID, int]:
    """Each row's place in its workspace, from 1."""
    workspaces = {row.workspace_id for row in rows}
    places: dict[UUID, int] = defaultdict(int)
    numbers: dict[UUID, int] = {}
    ordered = Row.objects.filter(workspace__in=workspaces).order_by("position", "created_at")
    for row_id, workspace_id in ordered.values_list("pk", "workspace_id"):
        places[workspace_id] += 1
        numbers[row_id] = places[workspace_id]
    return numbers


def _row_entry(
    view: RowView, jobs: Sequence[Job], outlooks: Mapping[int, Outlook], marks: Mapping[int, Earmark]
) -> Entry:
    queued = [job for job in jobs if job.status == Status.QUEUED]
    line = (queued[0].lane, queued[0].priority) if queued else None
    in_line = [job for job in queued if (job.lane, job.priority) == line]
    places = [place for job in queued if (place := outlooks.get(job.pk, Outlook()).position) is not None]
    name = view.target.name if view.target else view.row.label
    href = reverse("workspace", args=[view.row.workspace_id]) + f"#row-{view.row.pk}"
    return Entry(
        id=str(view.row.pk),
        title=f"Row {view.number} · {name}" if name else f"Row {view.number}",
        where=f"{view.row.workspace.name} · {contents_of(jobs)}",
        href=href,
        told=view.told,
        actor=actor_of(view.status, view.told.look, [outlooks.get(job.pk, Outlook()) for job in jobs]),
        thumb=view.target.thumb if view.target else "",
        held=sum((marks[job.pk].held_usd for job in jobs if job.pk in marks), Decimal(0)),
        wanted=sum((marks[job.pk].wanted_usd for job in jobs if job.pk in marks), Decimal(0)),
        row=view.row,
        cancel=view.cancel,
        running=view.status == "running",
        place=min(places, default=None),
        line=line,
        movable=[job.uid for job in in_line],
    )


def projects_of(user: User, subjects: Mapping[str, object]) -> dict[str, Project]:
    """The products that have something in the queue, by the subject of their jobs."""
    ids = [UUID(subject.removeprefix("project:")) for subject in subjects if subject.startswith("project:")]
    return {f"project:{each.pk}": each for each in Project.objects.filter(pk__in=ids, owner=user)}


def project_entry(
    project: Project, jobs: Sequence[Job], outlooks: Mapping[int, Outlook], marks: Mapping[int, Earmark]
) -> Entry:
    """All that a product has in the queue: a pack is one entry, with how far it is."""
    parts = [job for job in jobs if not job.after_children] or list(jobs)
    running = [job for job in parts if job.status == Status.PROCESSING]
    queued = [job for job in parts if job.status == Status.QUEUED]
    first = (running or queued or parts)[0]
    outlook = outlooks.get(first.pk, Outlook())
    alone = _job_entry(first, outlook, marks)
    places = [place for job in queued if (place := outlooks.get(job.pk, Outlook()).position) is not None]
    parents = [job.uid for job in jobs if job.after_children and not job.cancel_requested_at]
    in_line = [job for job in queued if alone.line == (job.lane, job.priority)]
    photo = project.photos.first()
    return replace(
        alone,
        id=str(project.pk),
        title=project.name,
        where=contents_of(jobs),
        href=reverse("project", args=[project.pk]),
        thumb=f"/media/assets/{photo.asset_id}/thumbnail" if photo else "",
        held=sum((marks[job.pk].held_usd for job in jobs if job.pk in marks), Decimal(0)),
        wanted=sum((marks[job.pk].wanted_usd for job in jobs if job.pk in marks), Decimal(0)),
        cancel=parents or [job.uid for job in parts if not job.cancel_requested_at],
        place=min(places, default=None),
        movable=[job.uid for job in in_line],
    )


def _job_entry(job: Job, outlook: Outlook, marks: Mapping[int, Earmark]) -> Entry:
    running, mark = job.status == Status.PROCESSING, marks.get(job.pk)
    wait = waiting(Line.of(job, outlook))
    stage = "It stops at its next step." if job.cancel_requested_at else stage_words(job.stage, job.provider)
    told = RowStatus(
        "running" if running else wait.look,
        "Running" if running else wait.word,
        (Said(stage or "It runs."),) if running else tuple(Said(words) for words in (wait.lead, wait.rest) if words),
        Bar(job.kind, held=wait.look == "held") if running or wait.look == "held" else None,
    )
    queued = job.status == Status.QUEUED
    return Entry(
        id=str(job.uid),
        title="A row that was deleted" if job.subject.startswith("row:") else job_name(job.kind),
        where=contents_of([job]),
        href=reverse("job", args=[job.uid]),
        told=told,
        actor=NOBODY if running else actor_of("", wait.look, [outlook]),
        held=mark.held_usd if mark else Decimal(0),
        wanted=mark.wanted_usd if mark else Decimal(0),
        cancel=[] if job.cancel_requested_at else [job.uid],
        running=running,
        place=outlook.position if queued else None,
        line=(job.lane, job.priority) if queued else None,
        movable=[job.uid] if queued else [],
    )


def _with_neighbours(entries: list[Entry]) -> list[Entry]:
    """What is held keeps its place in the line, so it can change it too."""
    lines: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.line and not entry.running:
            lines[entry.line].append(entry)
    return [_between(entry, lines[entry.line]) if entry.line and not entry.running else entry for entry in entries]


def _between(entry: Entry, line: list[Entry]) -> Entry:
    here = line.index(entry)
    before, after = line[here - 1 : here] if here else [], line[here + 1 : here + 2]
    return replace(
        entry,
        before=before[0].movable[0] if before else None,
        after=after[0].movable[-1] if after else None,
    )
