"""What every page knows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from apps.jobs.models import Hold, Job
from apps.jobs.states import LIVE, Reason, Status

STUDIO = {"workspaces", "workspace", "rows", "job"}
LISTINGS = {"projects", "project"}
PAUSED = Q(scope=Hold.Scope.LANE, reason=Reason.LANE_PAUSED)


@dataclass(frozen=True)
class QueueLine:
    """How many of the reader's own jobs run and wait; `paused`: the lanes that start nothing now."""

    running: int = 0
    waiting: int = 0
    paused: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.running + self.waiting


def queue_line(user: object) -> QueueLine:
    if not getattr(user, "is_authenticated", False):
        return QueueLine()
    running = Q(status=Status.PROCESSING)
    counts = Job.objects.filter(owner_id=getattr(user, "pk", None), status__in=LIVE).aggregate(
        running=Count("id", filter=running), waiting=Count("id", filter=~running)
    )
    return QueueLine(**counts, paused=tuple(Hold.objects.filter(PAUSED).order_by("key").values_list("key", flat=True)))


def _line_of(request: HttpRequest) -> Callable[[], QueueLine]:
    """Asked for by the masthead only, and once however often it is drawn."""
    return cache(lambda: queue_line(getattr(request, "user", None)))


def products(request: HttpRequest) -> list[dict[str, object]]:
    """The products that exist, for the masthead and the tab bar."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {
            "name": "Studio",
            "href": reverse("workspaces"),
            "icon": "table",
            "active": here in STUDIO,
        },
        {
            "name": "Listings",
            "href": reverse("projects"),
            "icon": "tag",
            "active": here in LISTINGS,
        },
    ]


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "simulated": settings.SIMULATED,
        "products": products(request),
        "queue_line": _line_of(request),
    }
