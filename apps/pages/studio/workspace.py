"""`/workspaces/{id}`: the table of rows, and its fragments that keep an open page true."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.accounts.models import User
from apps.core.clock import ClockTimestamp
from apps.jobs.models import Job, JobEvent
from apps.jobs.states import LIVE
from apps.pages.shell import page, reader
from apps.pages.studio.pictures import pictures_of
from apps.pages.studio.row_index import FILTERS, Entry, RowIndex, index_of, number_of
from apps.pages.studio.row_view import RowView, row_views
from apps.providers import spending
from apps.studio.models import GeneratedImage, PromptPolicy, Row, Workspace
from apps.studio.owned import find_row, find_workspace
from apps.studio.prompting.strategies import references
from apps.studio.workspaces import model_warnings

ROWS_A_PAGE = 50
MOST_CHANGED = 100
# Two transactions may commit in the other order of their event ids, so a poll looks a little behind its mark.
BEHIND_EVENTS, BEHIND = 1000, timedelta(seconds=10)


@dataclass(frozen=True)
class Asked:
    """What of the table is asked for: a filter, a search, a page from 1."""

    state: str
    query: str
    number: int

    def href(self, workspace: Workspace, *, state: str | None = None, number: int = 1) -> str:
        wanted = {
            "state": self.state if state is None else state,
            "q": self.query,
            "page": number if number > 1 else "",
        }
        query = urlencode({name: value for name, value in wanted.items() if value})
        return reverse("workspace", args=[workspace.pk]) + (f"?{query}" if query else "")


def _asked(request: HttpRequest) -> Asked:
    state = request.GET.get("state", "")
    number = request.GET.get("page", "1")
    return Asked(
        state if state in FILTERS else "",
        request.GET.get("q", "").replace("\0", "")[:100],
        int(number) if number.isascii() and number.isdecimal() and 0 < int(number) < 100_000 else 1,
    )


@page
def workspace(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    user, asked = reader(request), _asked(request)
    shown = find_workspace(user, workspace_id)
    last_event = _last_event(
        shown.owner_id
    )  # before the rows are read: what happens meanwhile is asked for again, not missed
    index = index_of(shown)
    context = (
        _settings(shown)
        | _table(shown, asked, index)
        | {
            "workspace": shown,
            "last_event": last_event,
            "filters": filters(shown, asked, index),
            "spent": spent_today(user),
            "total": len(index.entries),
            "total_images": GeneratedImage.objects.filter(row__workspace=shown, late=False).exists(),
        }
    )
    return render(request, "studio/workspace.html", context)


def _table(shown: Workspace, asked: Asked, index: RowIndex) -> dict[str, object]:
    matching = index.matching(state=asked.state, query=asked.query)
    start = (asked.number - 1) * ROWS_A_PAGE
    here = matching[start : start + ROWS_A_PAGE]
    more = start + ROWS_A_PAGE < len(matching)
    return {
        "views": views_of(shown, here),
        "state": asked.state,
        "query": asked.query,
        "matching": len(matching),
        "first": start + 1,
        "last": start + len(here),
        "before": asked.href(shown, number=asked.number - 1) if asked.number > 1 else "",
        "after": asked.href(shown, number=asked.number + 1) if more else "",
    }


def views_of(shown: Workspace, entries: list[Entry]) -> list[RowView]:
    rows = Row.objects.filter(workspace=shown).in_bulk([entry.id for entry in entries])
    present = [rows[entry.id] for entry in entries if entry.id in rows]
    for row in present:
        row.workspace = shown
    return row_views(present, {entry.id: entry.number for entry in entries})


def filters(shown: Workspace, asked: Asked, index: RowIndex) -> list[dict[str, object]]:
    counts = index.counts()
    return [
        {"word": word, "href": asked.href(shown, state=key), "active": key == asked.state, "count": counts[key]}
        for key, (word, _) in FILTERS.items()
    ]


def _settings(shown: Workspace) -> dict[str, object]:
    pictures = pictures_of(shown.default_ref_urls, owner_id=shown.owner_id)
    return {
        "model": shown.generation_model or settings.IMAGE_MODEL,
        "policy": PromptPolicy(shown.on_prompt_failure).label,
        "policies": PromptPolicy.choices,
        "model_warnings": model_warnings(shown),
        "strategies": references(),
        "images_per_generate": str(shown.images_per_generate),
        "default_refs": [pictures[url] for url in shown.default_ref_urls if url in pictures],
        "default_references_json": json.dumps(shown.default_ref_urls),
    }


def spent_today(user: User) -> Decimal:
    """US dollars since midnight UTC, of everything the user asked for."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return spending.spent_since(midnight, owner_id=user.pk)


def _last_event(owner_id: int) -> int:
    return JobEvent.objects.filter(owner_id=owner_id).aggregate(last=Max("id"))["last"] or 0


# --- fragments -------------------------------------------------------------------------------------
@page
def row(request: HttpRequest, workspace_id: UUID, row_id: UUID) -> HttpResponse:
    """One row's `<tr>`, in a table so that a parser keeps it."""
    found = find_row(reader(request), row_id)
    if found.workspace_id != workspace_id:
        raise Http404
    views = row_views([found], {found.pk: number_of(found)})
    return render(request, "studio/row_fragment.html", {"views": views})


@page
def row_changes(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    """The rows that changed since an event or that work now, with the filters' counts and the mark for the next poll."""
    user = reader(request)
    shown = find_workspace(user, workspace_id)
    last = _last_event(shown.owner_id)
    index = index_of(shown)
    since = _since(request)
    changed = None if since is None else _changed_rows(shown.owner_id, since)  # without a mark: all of them
    entries = [entry for entry in index.entries if changed is None or str(entry.id) in changed][:MOST_CHANGED]
    context = {
        "views": views_of(shown, entries),
        "filters": filters(shown, _asked(request), index),
        "last_event": last,
        "spent": spent_today(user),
    }
    return render(request, "studio/row_fragment.html", context)


def _since(request: HttpRequest) -> int | None:
    """The mark that the page was given; 0 from a time when its owner had no events yet."""
    given = request.GET.get("since", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None


def _changed_rows(owner_id: int, since: int) -> set[str]:
    recent = Q(id__gt=since) | Q(id__gt=since - BEHIND_EVENTS, at__gt=ClockTimestamp() - BEHIND)
    events = JobEvent.objects.filter(recent, owner_id=owner_id, id__gt=since - BEHIND_EVENTS)
    live = Job.objects.filter(owner_id=owner_id, status__in=LIVE)
    subjects = {*events.values_list("subject", flat=True), *live.values_list("subject", flat=True)}
    return {subject.removeprefix("row:") for subject in subjects if subject.startswith("row:")}
