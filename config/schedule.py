"""What beat does. Written into django-celery-beat's tables after each migration and by `POST /api/init`."""

from dataclasses import dataclass

from config.environment import number

DISPATCH_SECONDS = number("PRESSROOM_DISPATCH_SECONDS", 2)
RECONCILE_SECONDS = number("PRESSROOM_RECONCILE_SECONDS", 5)
# Told by the clock of whoever sends and judged by that of whoever receives: wide enough for one that is an hour off.
EXPIRES_SECONDS = 2 * 3600


@dataclass(frozen=True)
class Periodic:
    """A task and its period in seconds. A tick that could not run within `expires` seconds is dropped."""

    name: str
    task: str
    seconds: float
    expires: int
    queue: str = "dispatch"


SCHEDULE = (
    Periodic(name="dispatch", task="jobs.dispatch", seconds=DISPATCH_SECONDS, expires=EXPIRES_SECONDS),
    # It asks providers, so it has no place beside the tick.
    Periodic(
        name="reconcile", task="jobs.reconcile", seconds=RECONCILE_SECONDS, expires=EXPIRES_SECONDS, queue="images"
    ),
    # 20 s at a time, so that a million finished jobs a day go as fast as they come; not beside the tick either.
    Periodic(name="prune", task="jobs.prune", seconds=600, expires=EXPIRES_SECONDS, queue="images"),
    Periodic(name="sweep", task="api.sweep", seconds=3600, expires=EXPIRES_SECONDS),
    # It walks over folders for up to 20 s, so it has no place beside the tick either.
    Periodic(name="sweep-files", task="assets.sweep", seconds=3600, expires=EXPIRES_SECONDS, queue="images"),
)
