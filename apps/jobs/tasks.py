"""The Celery tasks: thin, and retried only when the machinery itself is away."""

from celery import shared_task
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as RedisAway

from apps.core.database import give_back_connection
from apps.jobs import dispatch as dispatching
from apps.jobs import loop, retention

MACHINERY = {
    "autoretry_for": (OperationalError, InterfaceError, RedisAway),
    "retry_backoff": 1,
    "retry_backoff_max": 15,
    "retry_jitter": False,
    "max_retries": 5,
}


@shared_task(name="jobs.work", **MACHINERY)
def work(lane: str) -> int:
    try:
        return loop.work(lane)
    finally:
        give_back_connection()


@shared_task(name="jobs.dispatch", **MACHINERY)
def dispatch() -> dict[str, int]:
    return dispatching.tick()


@shared_task(name="jobs.prune", **MACHINERY)
def prune() -> int:
    return retention.prune()
