"""What beat does, written into its tables: config/schedule.py is the list, an operator's changes stay."""

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.schedule import SCHEDULE, Periodic


@transaction.atomic
def ensure_schedules() -> list[str]:
    """Adds the periodic tasks that are missing and answers their names. A period below a second counts as one."""
    return [periodic.name for periodic in SCHEDULE if _added(periodic)]


def _added(periodic: Periodic) -> bool:
    interval = IntervalSchedule.objects.filter(every=_seconds(periodic), period=IntervalSchedule.SECONDS).first()
    interval = interval or IntervalSchedule.objects.create(every=_seconds(periodic), period=IntervalSchedule.SECONDS)
    _task, added = PeriodicTask.objects.get_or_create(
        name=periodic.name,
        defaults={"task": periodic.task, "interval": interval, "expire_seconds": int(periodic.expires)},
    )
    return added


def _seconds(periodic: Periodic) -> int:
    return max(round(periodic.seconds), 1)
