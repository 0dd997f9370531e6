"""What a Celery worker does beside its tasks: shows that it lives, and stops gracefully.

Loaded by the worker's main process (CELERY_IMPORTS), which shares no memory with its children but the stop flag.
"""

import threading
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error, connection

from apps.jobs.shift import stopping

log = structlog.get_logger(__name__)

SIGN_OF_LIFE_SECONDS = 5.0

_ALIVE = """
INSERT INTO jobs_worker (name, lanes, processes, started_at, alive_at)
VALUES (%(name)s, %(lanes)s, %(processes)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (name) DO UPDATE SET lanes = excluded.lanes, processes = excluded.processes, alive_at = excluded.alive_at
"""
_FORGET = "DELETE FROM jobs_worker WHERE alive_at < clock_timestamp() - interval '1 day'"


@worker_ready.connect
def _show_life(sender: Any, **_signal: object) -> None:
    queues = sorted(sender.app.amqp.queues.consume_from)
    seen = (sender.hostname, queues, sender.controller.concurrency)
    threading.Thread(target=_live, args=seen, name="sign-of-life", daemon=True).start()


def _live(name: str, queues: list[str], processes: int) -> None:
    wait = threading.Event()
    while not stopping.value:
        try:
            _sign(name, queues, processes)
        except Error as error:
            log.warning("sign_of_life_missed", error=type(error).__name__)
        finally:
            # A child forked later must not inherit an open connection.
            connection.close()
        wait.wait(SIGN_OF_LIFE_SECONDS)


def _sign(name: str, queues: list[str], processes: int) -> None:
    import orjson

    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, {"name": name, "lanes": orjson.dumps(queues).decode(), "processes": processes})
        cursor.execute(_FORGET)


@worker_shutting_down.connect
def _stop_claiming(**_signal: object) -> None:
    """The children end after the job they are at, within the grace, instead of claiming another."""
    stopping.value = 1
