"""What beat does: written into django-celery-beat's tables by `POST /api/init`, `manage.py up` and migrations."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Periodic:
    """A task and its period in seconds. A tick that could not run within `expires` seconds is dropped."""

    name: str
    task: str
    seconds: float
    expires: float


SCHEDULE = (
    Periodic(name="dispatch", task="jobs.dispatch", seconds=settings.DISPATCH_SECONDS, expires=10),
    Periodic(name="prune", task="jobs.prune", seconds=3600, expires=600),
)
