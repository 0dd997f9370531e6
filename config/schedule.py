"""What beat does. Written into django-celery-beat's tables after each migration and by `POST /api/init`."""

from dataclasses import dataclass

from config.environment import number

DISPATCH_SECONDS = number("PRESSROOM_DISPATCH_SECONDS", 2)


@dataclass(frozen=True)
class Periodic:
    """A task and its period in seconds. A tick that could not run within `expires` seconds is dropped."""

    name: str
    task: str
    seconds: float
    expires: int
    queue: str = "dispatch"


SCHEDULE = (
    Periodic(name="dispatch", task="jobs.dispatch", seconds=DISPATCH_SECONDS, expires=10),
    Periodic(name="prune", task="jobs.prune", seconds=3600, expires=600),
)
