"""What a Celery worker does beside its tasks: shows that it lives, stops gracefully, and answers operators.

Loaded by the worker's main process (CELERY_IMPORTS). Under prefork the main process shares no memory with its children
but the stop flag, so whatever an operator changes here is a row.
"""

import threading
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down
from celery.worker.control import control_command, inspect_command
from django.conf import settings
from django.db import Error, connection

from apps.jobs import lanes, loop
from apps.jobs.models import Job

log = structlog.get_logger(__name__)

SIGN_OF_LIFE_SECONDS = 5.0

_ALIVE = """
INSERT INTO jobs_worker (name, lanes, started_at, alive_at) VALUES (%(name)s, %(lanes)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (name) DO UPDATE SET lanes = excluded.lanes, alive_at = excluded.alive_at
"""
_FORGET = "DELETE FROM jobs_worker WHERE alive_at < clock_timestamp() - interval '1 day'"


@worker_ready.connect
def _show_life(sender: Any, **_signal: object) -> None:
    queues = sorted(sender.app.amqp.queues.consume_from)
    threading.Thread(target=_live, args=(sender.hostname, queues), name="sign-of-life", daemon=True).start()


def _live(name: str, queues: list[str]) -> None:
    wait = threading.Event()
    while not loop.stopping.value:
        try:
            _sign(name, queues)
        except Error as error:
            log.warning("sign_of_life_missed", error=type(error).__name__)
        finally:
            # A child forked later must not inherit an open connection.
            connection.close()
        wait.wait(SIGN_OF_LIFE_SECONDS)


def _sign(name: str, queues: list[str]) -> None:
    import orjson

    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, {"name": name, "lanes": orjson.dumps(queues).decode()})
        cursor.execute(_FORGET)


@worker_shutting_down.connect
def _stop_claiming(**_signal: object) -> None:
    """The children end after the job they are at, within the grace, instead of claiming another."""
    loop.stopping.value = 1


@inspect_command(default_timeout=2.0)
def jobs(state: Any, **_options: object) -> list[dict[str, Any]]:
    """The jobs in processing: held by a worker or parked while a provider works."""
    try:
        running = Job.objects.processing().select_related("owner").order_by("started_at")[:200]
        return [_told(job) for job in running]
    finally:
        connection.close()


def _told(job: Job) -> dict[str, Any]:
    return {
        "job": str(job.uid),
        "kind": job.kind,
        "lane": job.lane,
        "owner": job.owner.get_username(),
        "attempt": job.attempt,
        "stage": job.stage,
        "parked": job.parked,
        "worker": job.worker,
        "started": job.started_at.isoformat() if job.started_at else None,
    }


@control_command(args=[("lane", str)], signature="LANE")
def pause_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """Nothing of the lane starts any more; what runs goes on."""
    return _steer(lanes.pause, lane, f"{lane} is paused", by="celery control")


@control_command(args=[("lane", str)], signature="LANE")
def resume_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """The lane goes on."""
    return _steer(lanes.resume, lane, f"{lane} goes on")


def _steer(verb: Any, lane: str, done: str, **options: str) -> dict[str, str]:
    if lane not in settings.LANES:
        return {"error": f"There is no lane {lane!r}; there are {', '.join(settings.LANES)}."}
    try:
        verb(lane, **options)
    finally:
        connection.close()
    return {"ok": done}
