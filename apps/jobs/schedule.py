"""The periodic tasks, present in beat's tables. What an operator changed in the admin stays."""

from datetime import timedelta

from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.core.clock import ClockTimestamp

CLOCKS_APART = timedelta(seconds=15)  # beat's machine and the database's may differ by so much and nothing is wrong


def ensure_schedule() -> int:
    """Adds what is missing; answers how many of them are there and enabled now.

    A last run in the future is forgotten: the clock was put back, and beat would wait for it (beat.py).
    """
    PeriodicTask.objects.filter(last_run_at__gt=ClockTimestamp() + CLOCKS_APART).update(last_run_at=None)
    for periodic in settings.SCHEDULE:
        every, period = _whole(periodic.seconds)
        interval, _ = IntervalSchedule.objects.get_or_create(every=every, period=period)
        PeriodicTask.objects.get_or_create(
            name=periodic.name,
            defaults={
                "task": periodic.task,
                "interval": interval,
                "queue": periodic.queue,
                "expire_seconds": periodic.expires,
            },
        )
    return PeriodicTask.objects.filter(name__in=[periodic.name for periodic in settings.SCHEDULE], enabled=True).count()


def _whole(seconds: float) -> tuple[int, str]:
    """Beat's tables keep whole numbers: below a second, or with a fraction, microseconds."""
    if seconds == int(seconds):
        return int(seconds), IntervalSchedule.SECONDS
    return int(seconds * 1_000_000), IntervalSchedule.MICROSECONDS
