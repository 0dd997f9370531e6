"""The reader's own queue: the counts in the masthead and the drawer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html

from apps.accounts.models import User
from apps.jobs.estimates import Outlook, describe
from apps.jobs.models import Job
from apps.jobs.states import LIVE, Status
from apps.pages.pictures import pictures_of
from apps.pages.shell import page, reader
from apps.pages.words import Line, stage_words, waiting
from apps.studio.late import late_images
from apps.studio.models import Row

MOST = 100
KINDS = {"prompt": "Prompt", "image": "Image"}


@dataclass(frozen=True)
class Ticket:
    """One job in the drawer. `before`, `after`: its neighbours in its line, none at the line's ends."""

    job: Job
    title: str
    told: str
    look: str
    thumb: str = ""
    place: int | None = None
    before: UUID | None = None
    after: UUID | None = None

    @property
    def line(self) -> tuple[str, int] | None:
        """Jobs of one line can change places; what does not stand in one cannot."""
        return (self.job.lane, self.job.priority) if self.job.status == Status.QUEUED else None

    @property
    def stopping(self) -> bool:
        return self.job.cancel_requested_at is not None


@page
def queue(request: HttpRequest) -> HttpResponse:
    tickets = tickets_of(reader(request))
    running = [ticket for ticket in tickets if ticket.job.status == Status.PROCESSING]
    held = [ticket for ticket in tickets if ticket.job.status != Status.PROCESSING]
    can_move = any(ticket.before for ticket in held)
    context = {"running": running, "waiting": held, "can_move": can_move, "late": late_images(reader(request).pk)}
    return render(request, "queue/drawer.html", context)


@page
def summary(request: HttpRequest) -> HttpResponse:
    return render(request, "queue/counts.html")


def tickets_of(user: User) -> list[Ticket]:
    """In the order they will start, as far as that is known; at most 100: what runs, and then the first of the line."""
    running_first = Case(When(status=Status.PROCESSING, then=0), When(status=Status.QUEUED, then=1), default=2)
    line = Job.objects.of(user).filter(status__in=LIVE).order_by(running_first, "-priority", "turn", "seq")
    jobs = list(line[:MOST])
    outlooks, rows = describe(jobs) if jobs else {}, _rows_of(jobs)
    pictures = pictures_of([row.target_url for row in rows.values()], owner_id=user.pk)
    tickets = []
    for job in jobs:
        row = rows.get(job.subject)
        picture = pictures.get(row.target_url) if row else None
        title = row.label or (picture.name if picture else "A row") if row else "A row that was deleted"
        tickets.append(_ticket(job, outlooks.get(job.pk, Outlook()), title, picture.thumb if picture else ""))
    return _with_neighbours(
        sorted(tickets, key=lambda ticket: (1 << 30 if ticket.place is None else ticket.place, ticket.job.pk))
    )


def _with_neighbours(tickets: list[Ticket]) -> list[Ticket]:
    lines: dict[object, list[UUID]] = defaultdict(list)
    for ticket in tickets:
        lines[ticket.line].append(ticket.job.uid)
    return [_between(ticket, lines[ticket.line]) if ticket.line else ticket for ticket in tickets]


def _between(ticket: Ticket, line: list[UUID]) -> Ticket:
    here = line.index(ticket.job.uid)
    return replace(ticket, before=line[here - 1] if here else None, after=line[here + 1] if line[here + 1 :] else None)


def _ticket(job: Job, outlook: Outlook, title: str, thumb: str) -> Ticket:
    kind = KINDS.get(job.kind, job.kind)
    if job.status == Status.PROCESSING:
        words = (
            "stops at its next step" if job.cancel_requested_at else stage_words(job.stage, job.provider) or "running"
        )
        return Ticket(job, title, f"{kind} · {words}", "running", thumb)
    wait = waiting(Line.of(job, outlook))
    told = format_html("{} · {}", kind, wait.lead or wait.rest or wait.word)
    return Ticket(job, title, told, wait.look, thumb, None if job.status == Status.WAITING else outlook.position)


def _rows_of(jobs: Sequence[Job]) -> dict[str, Row]:
    ids = [found for found in (_row_id(job.subject) for job in jobs) if found]
    rows = Row.objects.filter(pk__in=ids).only("id", "label", "target_url")
    return {f"row:{row.pk}": row for row in rows}


def _row_id(subject: str) -> UUID | None:
    return UUID(subject.removeprefix("row:")) if subject.startswith("row:") else None
