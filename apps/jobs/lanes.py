"""Lanes: how much may run at once, and what holds them."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from apps.jobs.models import Hold, Lane
from apps.jobs.states import Reason
from apps.jobs.wakeups import wake_after_commit

# A changed limit is obeyed within this many seconds; asking the database at each claim would cost a round trip.
_REMEMBERED_SECONDS = 1.0
_remembered: dict[str, tuple[float, "Limits"]] = {}

# Many workers may be told to wait at once, each by its own answer; "until" null lasts until somebody lifts it.
_HOLD = """
INSERT INTO jobs_hold AS h (scope, key, reason, until, cause, set_by, note, set_at)
VALUES (%(scope)s, %(key)s, %(reason)s, %(until)s, %(cause)s, %(by)s, %(note)s, clock_timestamp())
ON CONFLICT (scope, key, reason) DO UPDATE SET until = excluded.until, cause = excluded.cause, set_by = excluded.set_by,
  note = excluded.note, set_at = excluded.set_at
WHERE excluded.until IS NULL OR excluded.until >= h.until
"""


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
    hold(Hold.Scope.LANE, lane, reason=Reason.LANE_PAUSED, by=by, note=note)


def resume(lane: str) -> None:
    _known(lane)
    lift(Hold.Scope.LANE, lane)


def hold(
    scope: str,
    key: str,
    *,
    reason: str,
    until: datetime | None = None,
    cause: str = "",
    by: str = "",
    note: str = "",
) -> None:
    """Keeps matching queued jobs from starting. Of two holds for one reason the one that ends later stands."""
    values = {
        "scope": scope, "key": key, "reason": reason, "until": until, "cause": cause, "by": by, "note": note[:200],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, values)


def lift(scope: str, key: str) -> None:
    """Nothing of any reason holds it any more, and whoever may have waited for that is woken."""
    Hold.objects.filter(scope=scope, key=key).delete()
    wake_all()


def wake_all() -> None:
    """Every lane, once the caller's transaction is committed: what was lifted may have held any of them."""
    for lane in settings.LANES:
        wake_after_commit(lane)


def _known(lane: str) -> None:
    if lane not in settings.LANES:
        raise ValueError(f"There is no lane {lane!r}; there are {', '.join(settings.LANES)}.")
