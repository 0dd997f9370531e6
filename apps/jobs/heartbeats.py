"""One thread in each worker process that extends the leases of what the process works on.

It stops at the attempt's deadline and a grace: a handler that hangs must not keep its job for ever.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import connection

from apps.jobs import lifecycle
from apps.jobs.handlers import Run

log = structlog.get_logger(__name__)
GRACE_SECONDS = 10.0


class Heart:
    """Beats for every run that is open in this process; started anew in each forked child."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._open: dict[int, Run] = {}
        self._changing = threading.Lock()
        threading.Thread(target=self._beat_for_ever, name="heartbeat", daemon=True).start()

    @contextmanager
    def beating(self, run: Run) -> Iterator[None]:
        with self._changing:
            self._open[id(run)] = run
        try:
            yield
        finally:
            with self._changing:
                del self._open[id(run)]

    def _beat_for_ever(self) -> None:
        while True:
            time.sleep(settings.HEARTBEAT_SECONDS)
            with self._changing:
                runs = list(self._open.values())
            for run in runs:
                self._beat(run)
            # Nobody else can close this thread's connection, and it is needed again only at the next beat.
            connection.close()

    def _beat(self, run: Run) -> None:
        if time.monotonic() > run.ends + GRACE_SECONDS:
            return
        try:
            beat = lifecycle.heartbeat(run.lease)
        # Whatever it is: a heart that stopped would cost this process the lease of every later job.
        except Exception as error:
            log.warning("heartbeat_missed", error=type(error).__name__, job=str(run.lease.uid))
            connection.close()
            return
        run.lost = not beat.held
        run.cancel_requested = run.cancel_requested or beat.cancel_requested


_heart: Heart | None = None
_starting = threading.Lock()


def heart() -> Heart:
    """The one of this process, which may be a child that was forked, and may work with many threads."""
    global _heart
    with _starting:
        if _heart is None or _heart.pid != os.getpid():
            _heart = Heart()
        return _heart
