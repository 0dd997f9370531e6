"""Lanes: how much may run at once, and what holds them."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from apps.jobs.models import Hold, Lane
from apps.jobs.wakeups import wake_after_commit

# A changed limit is obeyed within this many seconds; asking the database at each claim would cost a round trip.
_REMEMBERED_SECONDS = 1.0
_remembered: dict[str, tuple[float, "Limits"]] = {}


@dataclass(frozen=True)
class Limits:
    """The most jobs that may be processing, of the lane and of one owner in it; None: no limit."""

    lane: int | None
    owner: int | None


def limits_of(lane: str) -> Limits:
    until, limits = _remembered.get(lane, (0.0, Limits(None, None)))
    if time.monotonic() >= until:
        row = Lane.objects.filter(name=lane).values_list("limit", "owner_limit").first()
        limits = Limits(*row) if row else Limits(settings.LANE_LIMITS.get(lane), None)
        _remembered[lane] = (time.monotonic() + _REMEMBERED_SECONDS, limits)
    return limits


def forget_limits() -> None:
    _remembered.clear()


def ensure_lanes() -> None:
    """A row for each lane with its limit from the settings; limits that an operator changed stay."""
    Lane.objects.bulk_create(
        [Lane(name=lane, limit=settings.LANE_LIMITS.get(lane)) for lane in settings.LANES], ignore_conflicts=True
    )


def pause(lane: str, *, by: str = "", note: str = "") -> None:
    """Nothing of the lane starts until it is resumed; what runs goes on, what waits keeps its place."""
    _known(lane)
    hold(Hold.Scope.LANE, lane, reason="lane_paused", by=by, note=note)


def resume(lane: str) -> None:
    _known(lane)
    lift(Hold.Scope.LANE, lane, reason="lane_paused")
    wake_after_commit(lane)


def hold(scope: str, key: str, *, reason: str, until: datetime | None = None, by: str = "", note: str = "") -> None:
    """Keeps matching queued jobs from starting. A later hold of the same reason replaces the earlier one."""
    Hold.objects.update_or_create(
        scope=scope, key=key, reason=reason, defaults={"until": until, "set_by": by, "note": note[:200]}
    )


def lift(scope: str, key: str, *, reason: str) -> None:
    Hold.objects.filter(scope=scope, key=key, reason=reason).delete()


def _known(lane: str) -> None:
    if lane not in settings.LANES:
        raise ValueError(f"There is no lane {lane!r}; there are {', '.join(settings.LANES)}.")
