"""A worker's loop over one lane: claim, run, finish, until nothing is due, the time slice ends or the worker stops."""

import multiprocessing
import os
import socket
import threading
import time

from django.conf import settings

from apps.jobs import lifecycle, wakeups
from apps.jobs.executor import Next, execute
from apps.jobs.values import Lease

# Shared with the forked children: the signal that a worker is stopping reaches its main process only.
stopping = multiprocessing.RawValue("b", 0)


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


def work(lane: str, *, worker: str | None = None) -> int:
    """Works the lane and answers how many leases it ran. Wakes a second worker when there is more to do."""
    worker = worker or worker_name()
    wakeups.taken(lane)
    ends = time.monotonic() + settings.WORK_SLICE_SECONDS
    count, woken, following = 0, False, Next()
    while lease := following.lease or (None if stopping.value else _take(lane, worker, resume_only=following.asked)):
        if lease.more and not woken:
            woken = wakeups.wake(lane)
        go_on = not stopping.value and time.monotonic() < ends
        following = execute(lease, worker=worker, go_on=go_on)
        count += 1
        if not following.lease and not go_on:
            wakeups.wake(lane)
            break
    return count


def _take(lane: str, worker: str, *, resume_only: bool) -> Lease | None:
    """What is parked and due goes first: it holds a place of the lane already."""
    return lifecycle.resume(lane=lane, worker=worker) or (
        None if resume_only else lifecycle.claim(lane=lane, worker=worker)
    )
