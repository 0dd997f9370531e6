"""The tick: whatever should have happened and did not, happens now. Safe to run twice, at once or never for a while.

It calls no provider: nothing may hold up a rescue. What is open at a provider after its job ended: apps/orders/reconcile.py.
"""

import time
from collections.abc import Callable, Iterable

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from apps.core.database import is_passing
from apps.core.failpoints import failpoint
from apps.jobs import clock, families, lifecycle, tally, wakeups
from apps.jobs.endings import end_failed, fail_dependants, fail_waiting
from apps.jobs.models import Job

log = structlog.get_logger(__name__)
NETS_EVERY_SECONDS = 60.0
_nets_at = float("-inf")  # time.monotonic() from which this process looks after them again

# Two probes a lane, however long the lines are.
_DUE_LANES = """
SELECT lane, max(priority) FROM (
  SELECT l.lane, (SELECT priority FROM jobs_job j WHERE j.lane = l.lane AND j.status = 'queued'
                  ORDER BY j.priority DESC, j.turn, j.seq LIMIT 1) AS priority
  FROM unnest(%(lanes)s::text[]) AS l(lane)
  UNION ALL
  SELECT l.lane, 5 FROM unnest(%(lanes)s::text[]) AS l(lane)
  WHERE (SELECT j.wake_at FROM jobs_job j WHERE j.lane = l.lane AND j.wake_at IS NOT NULL
         ORDER BY j.wake_at LIMIT 1) <= clock_timestamp()) due
WHERE priority IS NOT NULL GROUP BY lane
"""


def dispatch(*, nets: bool = True) -> dict[str, int]:
    """One pass over everything; answers how many of each. Two at once share the rows by SKIP LOCKED.

    What a tick does costs the same with a million jobs as with a hundred. Its nets do not: the periodic tick takes them
    along once a minute.
    """
    counts, broken = {}, []
    for name, work in _PARTS.items():
        if name in _NETS and not nets:
            continue
        try:
            counts[name] = work()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            if is_passing(error):
                raise  # the database is away: the next tick sees to it
            # One part that breaks must not keep the others from being done, at this tick or ever.
            log.error("dispatch_part_broke", part=name, exc_info=error)
            broken.append(error)
    if any(counts.values()):
        log.info("dispatched", **counts)
    if broken:
        raise broken[0]
    return counts


def tick() -> dict[str, int]:
    """The periodic pass of this process, with the nets once a minute."""
    global _nets_at
    nets = time.monotonic() >= _nets_at
    if nets:
        _nets_at = time.monotonic() + NETS_EVERY_SECONDS
    return dispatch(nets=nets)


def _rescue() -> int:
    with transaction.atomic():
        candidates = lifecycle.expired()
    failpoint("in_dispatch")
    return _each(candidates, _rescue_one)


def _each(candidates: Iterable[dict[str, object]], work: Callable[..., bool]) -> int:
    """Each in a transaction of its own: one that cannot be worked must not hold up the others, at this tick or ever."""
    count = 0
    for candidate in candidates:
        try:
            with transaction.atomic():
                count += work(**candidate)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            if connection.connection is None or connection.connection.closed:
                raise  # the database is away: the next tick sees to it
            log.error("dispatch_left_one", job=candidate["id"], exc_info=error)
    return count


def _rescue_one(*, id: int, fence: int, crashes: int, cancel_requested: bool) -> bool:
    status = lifecycle.rescue(id, fence, crashes=crashes, cancel_requested=cancel_requested)
    if status == "failed":
        end_failed([Job.objects.get(pk=id)], lifecycle.CRASHED)
    return bool(status)


def _untie(*, id: int, ended: str) -> bool:
    """Does what the verb that ended the awaited job would have done."""
    log.warning("left_waiting", job=id, ended=ended)
    if ended == "completed":
        return bool(lifecycle.release([id]))
    lifecycle.lock([id])
    if ended == "skipped":
        return bool(lifecycle.skip([id], reason="dependency"))
    if ended == "cancelled":
        return bool(lifecycle.request_cancel([id], reason="dependency"))
    failed = fail_waiting({id: Job.objects.get(pk=id).kind})
    fail_dependants(failed)
    return bool(failed)


def _wake_due_lanes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DUE_LANES, {"lanes": list(settings.LANES)})
        lanes = cursor.fetchall()
    return sum(wakeups.wake(lane, priority) for lane, priority in lanes)


def _fold() -> int:
    tally.fold()
    return 0


def _handed_in(name: str) -> Callable[[], int]:
    """Work of a layer above this one, found by its name when it is first done (config/tick.py)."""
    return lambda: import_string((settings.TICK_PARTS | settings.NETS)[name])()


# Rescue first, and the wake-ups after whatever made work due.
_PARTS: dict[str, Callable[[], int]] = {
    "put_right": clock.put_right,
    "rescued": _rescue,
    "promoted": lifecycle.promote,
    "untied": lambda: _each(lifecycle.left_waiting(), _untie),
    "families": families.carry_on,
    "aged": lifecycle.age,
    **{name: _handed_in(name) for name in settings.TICK_PARTS},
    "woken": _wake_due_lanes,
    **{name: _handed_in(name) for name in settings.NETS},
    "folded": _fold,
}
_NETS = {"untied", *settings.NETS}
