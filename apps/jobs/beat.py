"""Beat's schedule on a clock that may be put back: a last run that lies in the future never was.

Beat runs a task a period after its last run. With a last run in the future (the clock was an hour ahead, or a copy of
the database was restored from such a time) it would wait for that hour in silence, and every retry and rescue with it.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

log = structlog.get_logger(__name__)


class Entry(ModelEntry):
    last_run_at: datetime

    def is_due(self) -> Any:
        now = self._default_now()
        if self.last_run_at > now:
            log.warning("last_run_in_the_future", task=self.name, last_run_at=self.last_run_at.isoformat())
            self.last_run_at = now - timedelta(days=1)  # due now, whatever its period
        return super().is_due()


class Scheduler(DatabaseScheduler):
    Entry = Entry

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._seen: datetime | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Its heap is ordered by times of the clock before: put back while beat runs, it is made anew."""
        now = self.app.now()
        if self._seen and now < self._seen:
            self._heap = None
            self._last_full_sync = datetime.now()  # noqa: DTZ005 - django-celery-beat's own, by the local clock
        self._seen = now
        return super().tick(*args, **kwargs)
