"""A worker's loop over one lane: claim, run, finish, until nothing is due, the time slice ends or the worker stops."""

import os
import socket
import threading

from apps.jobs import lifecycle, wakeups
from apps.jobs.executor import Next, execute
from apps.jobs.shift import Shift
from apps.jobs.values import DEFAULT_PRIORITY, Lease


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


def work(lane: str, *, worker: str | None = None) -> int:
    """Works the lane and answers how many leases it ran. Wakes a second worker when there is more to do.

    When the shift is over the lane goes on with a new wake-up, which any free worker takes: this one, unless others
    wait for it longer.
    """
    worker = worker or worker_name()
    wakeups.taken(lane)
    shift = Shift.begin()
    count, woken, following, upcoming = 0, False, Next(), 0
    while True:
        lease = following.lease
        if lease is None:
            if not shift.may_take:
                wakeups.wake(lane, upcoming or DEFAULT_PRIORITY)
                return count
            lease = _take(lane, worker, resume_only=following.looked)
            if lease is None:
                return count
        if lease.next_priority and not woken:
            woken = wakeups.wake(lane, lease.next_priority)
        upcoming = lease.next_priority
        following = execute(lease, worker=worker, shift=shift)
        count += 1


def _take(lane: str, worker: str, *, resume_only: bool) -> Lease | None:
    """What is parked and due goes first: it holds a place of the lane already."""
    return lifecycle.resume(lane=lane, worker=worker) or (
        None if resume_only else lifecycle.claim(lane=lane, worker=worker)
    )
