"""`/workspaces/{id}/strategies`: what the strategies of a workspace came to, each figure with its interval."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.pages.shell import page, reader
from apps.studio.comparison import Compared, compare, verdict
from apps.studio.intervals import FEWEST, Interval
from apps.studio.models import Strategy, Workspace
from apps.studio.owned import find_workspace


@dataclass(frozen=True)
class Line:
    """One version in words. `used`: how the workspace uses it now."""

    told: Compared
    used: str

    @property
    def favourites(self) -> str:
        return _told(self.told.favourite_share, lambda x: f"{x * 100:.0f} %", "images")

    @property
    def rating(self) -> str:
        return _told(self.told.rating, lambda x: f"{min(max(x, 1.0), 5.0):.1f}", "ratings")

    @property
    def cost(self) -> str:
        return _told(self.told.cost_per_kept, lambda x: f"${x:.3f}", "images")


@page
def strategies(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    shown = find_workspace(reader(request), workspace_id)
    compared = compare(shown)
    context = {
        "workspace": shown,
        "verdict": verdict(compared),
        "lines": [Line(one, _use_of(shown, one)) for one in compared],
        "versions": list(Strategy.objects.all()),
        "shared": bool(shown.second_strategy and shown.second_share),
    }
    return render(request, "studio/strategies.html", context)


def _told(interval: Interval, write: "object", what: str) -> str:
    if interval.figure is None or interval.low is None or interval.high is None:
        return f"not enough to say ({interval.n} {what})" if interval.n < FEWEST else "none kept yet"
    figure, low, high = (write(value) for value in (interval.figure, interval.low, interval.high))  # type: ignore[operator]
    return f"{figure} ({low}–{high})"


def _use_of(workspace: Workspace, one: Compared) -> str:
    if workspace.second_strategy in (one.name, one.strategy) and workspace.second_share:
        return f"{workspace.second_share} % of the prompts"
    if workspace.prompt_strategy in (one.name, one.strategy):
        rest = 100 - workspace.second_share if workspace.second_strategy else 100
        return "in use" if rest == 100 else f"{rest} % of the prompts"
    return ""
