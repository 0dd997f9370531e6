"""The only sender of Celery messages: wake-ups that carry a lane, never a job.

A wake-up is a hint. It is sent after commit and only when none is outstanding for the lane; a worker that takes one
clears the mark before it looks for work, so whatever was committed before is seen. Lost ones are sent again by dispatch.
"""

import math
from functools import partial

import redis
from celery import current_app
from django.db import transaction

from apps.core.broker import hints
from apps.jobs.values import DEFAULT_PRIORITY

OUTSTANDING_MS = 1000
MOST_QUEUED = 50
FARTHEST_TIMER_SECONDS = 30


def wake_after_commit(lane: str, priority: int = DEFAULT_PRIORITY) -> None:
    """Wakes a worker of the lane once the caller's transaction is committed. Cannot fail or delay it."""
    transaction.on_commit(partial(wake, lane, priority), robust=True)


def wake(lane: str, priority: int = DEFAULT_PRIORITY) -> bool:
    """Whether a message was sent; not when one as urgent is on its way already or Redis is away.

    `priority` is that of the lane's most urgent job, as far as the caller knows: among the messages of several lanes
    that one pool of workers serves, the urgent one is taken first. What the worker then claims the database decides.
    """
    return bool(
        hints.attempt(
            lambda client: (
                _is_first_so_urgent(client, lane, priority) and not _is_full(client, lane) and _send(lane, priority)
            )
        )
    )


def _is_first_so_urgent(client: redis.Redis, lane: str, priority: int) -> bool:
    """Marks that a message is on its way. Two at once may both send: a doubled wake-up does no harm."""
    if client.set(_mark(lane), priority, nx=True, px=OUTSTANDING_MS):
        return True
    on_its_way = client.get(_mark(lane))
    if on_its_way is not None and int(on_its_way) >= priority:
        return False
    client.set(_mark(lane), priority, px=OUTSTANDING_MS)
    return True


def wake_in(lane: str, seconds: float, priority: int = DEFAULT_PRIORITY) -> None:
    """A timed wake-up, at most one for each lane and second; beyond 30 s dispatch alone sees to it."""
    if not 0 < seconds <= FARTHEST_TIMER_SECONDS:
        return
    delay = math.ceil(seconds * 4) / 4
    hints.attempt(
        lambda client: (
            client.set(f"pressroom:timer:{lane}:{delay}", 1, nx=True, px=250) and _send(lane, priority, countdown=delay)
        )
    )


def taken(lane: str) -> None:
    """Called by a worker before it looks for work: from here on a new job needs a new wake-up."""
    hints.attempt(lambda client: client.delete(_mark(lane)))


def _send(lane: str, priority: int, countdown: float = 0) -> bool:
    current_app.send_task(
        "jobs.work",
        args=[lane],
        queue=lane,
        priority=10 - priority,  # the Redis transport serves 0 first
        countdown=countdown or None,
        ignore_result=True,
    )
    return True


def _is_full(client: redis.Redis, lane: str) -> bool:
    """Nobody takes this lane's messages: more of them would only fill Redis.

    They do not expire instead: a worker whose clock is ahead would throw every one of them away.
    """
    steps = ["", *(f"\x06\x16{step}" for step in (3, 6, 9))]  # the Redis transport keeps a list for each priority
    with client.pipeline(transaction=False) as pipeline:
        for step in steps:
            pipeline.llen(lane + step)
        return sum(pipeline.execute()) >= MOST_QUEUED


def _mark(lane: str) -> str:
    return f"pressroom:wake:{lane}"
