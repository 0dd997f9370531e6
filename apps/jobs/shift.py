"""How long a worker goes on taking jobs: until its time slice ends or it is told to stop."""

import multiprocessing
import time
from dataclasses import dataclass

from django.conf import settings

# Shared with the forked children: the signal that a worker is stopping reaches its main process only.
stopping = multiprocessing.RawValue("b", 0)


@dataclass(frozen=True)
class Shift:
    """One wake-up's working time. `ends` is on the monotonic clock, in seconds.

    A job taken at the last moment may still use its whole attempt, and no more: whatever its claim has waited for in
    the database counts as its own time. So a shift is over by `ends` + ATTEMPT_SECONDS, which Celery's soft limit
    allows for (the check E011).
    """

    ends: float

    @classmethod
    def begin(cls) -> "Shift":
        return cls(time.monotonic() + settings.WORK_SLICE_SECONDS)

    @property
    def may_take(self) -> bool:
        """Whether another job may be taken now. Asked right before each claim, never before the job that precedes it."""
        return not stopping.value and time.monotonic() < self.ends

    def attempt_ends(self, kind: str) -> float:
        """The deadline of an attempt of such a job that begins now."""
        seconds = settings.KINDS[kind].attempt_seconds or settings.ATTEMPT_SECONDS
        return min(time.monotonic(), self.ends) + seconds
