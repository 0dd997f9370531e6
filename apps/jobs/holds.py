"""Holds that a provider's own answers set and lift: the queue's side of "not now"."""

from datetime import datetime

from django.db import transaction

from apps.core.clock import ClockTimestamp
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Hold, Job
from apps.jobs.states import Reason, Status

# Set by what a provider answered, not by a person.
_ITS_OWN = (Reason.RATE_LIMITED, Reason.BREAKER_OPEN)
_MOST_LET_GO = 1000


def standing_hold(provider: str) -> Hold | None:
    """Of the holds that the provider's own answers set: the one that lasts longest."""
    holds = Hold.objects.filter(
        scope=Hold.Scope.PROVIDER, key=provider, reason__in=_ITS_OWN, until__gt=ClockTimestamp()
    )
    return holds.order_by("-until").first()


def hold_back(provider: str, *, reason: Reason, until: datetime, cause: str) -> None:
    """Its queued jobs keep their places instead of trying one after another."""
    lanes.hold(Hold.Scope.PROVIDER, provider, reason=reason, until=until, cause=cause)


def let_go(provider: str, reasons: list[Reason]) -> None:
    """Lifts the provider's holds of these reasons, and puts in line what had been tried and waited for them."""
    with transaction.atomic():
        Hold.objects.filter(scope=Hold.Scope.PROVIDER, key=provider, reason__in=reasons).delete()
        waiting = Job.objects.filter(
            status=Status.SCHEDULED, provider=provider, reason__in=set(reasons) & set(_ITS_OWN)
        ).order_by("-priority", "turn", "seq")
        lifecycle.requeue(list(waiting.values_list("pk", flat=True)[:_MOST_LET_GO]))
        lanes.wake_all()
