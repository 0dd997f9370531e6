"""`/spending`: what is left of the budgets, and what was spent in the last 30 days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.pages.shell import page, reader
from apps.providers.registry import provider_name
from apps.providers.spending import By, Spent, Standing, spend, standings

DAYS = 30
_WORDS = {"day": "Day", "provider": "Provider", "product": "Product", "owner": "Person"}


@dataclass(frozen=True)
class BudgetLine:
    """One budget in words."""

    standing: Standing

    @property
    def whose(self) -> str:
        limit = self.standing.limit
        person = "Yours" if limit.owner_id is not None else "Everybody's"
        return f"{person} at {provider_name(limit.provider)}" if limit.provider else f"{person}, everywhere"

    @property
    def period(self) -> str:
        return "this month" if self.standing.limit.period == "month" else "today"

    @property
    def used(self) -> Decimal:
        """Spent or set aside; what a bar shows, at most the whole."""
        return min(self.standing.spent + self.standing.held, self.standing.limit.amount)


@page
def spending(request: HttpRequest) -> HttpResponse:
    user, by = reader(request), request.GET.get("by", "day")
    by = by if by in _choices(user.is_staff) else "day"
    owner_id = None if user.is_staff else user.pk
    today = datetime.now(UTC).date()
    lines = spend(owner_id=owner_id, since=today - timedelta(days=DAYS - 1), until=today, by=by)  # type: ignore[arg-type]
    context = {
        "lines": [(_name(by, line), line) for line in (reversed(lines) if by == "day" else lines)],
        "total": sum((line.cost for line in lines), Decimal(0)),
        "calls": sum(line.calls for line in lines),
        "unpriced": sum(line.unpriced for line in lines),
        "budgets": [BudgetLine(standing) for standing in standings(owner_id=user.pk)],
        "by": by,
        "word": _WORDS[by],
        "choices": [(choice, _WORDS[choice]) for choice in _choices(user.is_staff)],
        "days": DAYS,
    }
    return render(request, "spending.html", context)


def _choices(is_staff: bool) -> list[str]:
    return [by for by in get_args(By) if is_staff or by != "owner"]


def _name(by: str, line: Spent) -> str:
    if by == "provider":
        return provider_name(line.name)
    return line.name.capitalize() if by == "product" else line.name or "Nobody's"
