"""Is everything up? One look at each thing Pressroom stands on, and what to do about what is not."""

import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.jobs.broker import hints
from apps.jobs.estimates import WORKER_SILENT_SECONDS
from apps.jobs.models import Hold, Worker
from apps.jobs.states import Reason
from apps.providers import breakers
from apps.providers.causes import cause_of
from apps.providers.clock import database_now
from apps.providers.registry import PROVIDERS, provider_name

BEAT_SILENT_SECONDS = 15.0


@dataclass(frozen=True)
class Vital:
    """`ok`, what was seen, and what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    action: str = ""


def look() -> list[Vital]:
    return [check() for check in (database, redis, workers, beat, storage, keys, providers)]


def database() -> Vital:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Vital("database", False, "The database cannot be reached.", "Start PostgreSQL and check DATABASE_URL.")
    return Vital("database", True, "PostgreSQL answers.")


def redis() -> Vital:
    if hints.attempt(lambda client: client.ping()):
        return Vital("redis", True, "Redis answers.")
    return Vital(
        "redis",
        False,
        "Redis cannot be reached. Nothing is lost; jobs start late.",
        "Start Redis and check REDIS_URL.",
    )


def workers() -> Vital:
    """Whether every lane that has a provider is worked on."""
    seen = Worker.objects.filter(alive_at__gt=timezone.now() - timedelta(seconds=WORKER_SILENT_SECONDS))
    served = {lane for lanes in seen.values_list("lanes", flat=True) for lane in lanes}
    idle = sorted({kind.lane for kind in settings.KINDS.values() if kind.provider} - served)
    if not idle:
        return Vital("workers", True, f"Workers serve {', '.join(sorted(served))}.")
    return Vital(
        "workers",
        False,
        f"Nobody works on {' and '.join(idle)}.",
        f"Start one: celery -A config worker -Q {','.join(idle)}",
    )


def beat() -> Vital:
    """Whether the dispatch tick is scheduled, and beat sends it: it writes `last_run_at` each time (BEAT_SYNC_EVERY)."""
    tick = PeriodicTask.objects.filter(task="jobs.dispatch", enabled=True).select_related("interval").first()
    if tick is None:
        return Vital("beat", False, "The dispatch tick is not scheduled.", "POST /api/init puts it there.")
    period = tick.interval.schedule.run_every if tick.interval else timedelta(0)
    silent_after = max(timedelta(seconds=BEAT_SILENT_SECONDS), 3 * period)
    if tick.last_run_at is None or tick.last_run_at < timezone.now() - silent_after:
        return Vital("beat", False, "Beat does not send the dispatch tick.", "Start it: celery -A config beat")
    return Vital("beat", True, "Beat sends the dispatch tick.")


def storage() -> Vital:
    folder = Path(settings.MEDIA_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"pressroom")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return Vital(
            "storage", False, f"Images cannot be stored: {error.strerror}.", "Check PRESSROOM_MEDIA_ROOT and its disk."
        )
    return Vital("storage", True, "Images can be stored.")


def keys() -> Vital:
    """A provider without a key is fine only while the simulator stands in for it."""
    missing = [
        provider.key_setting for provider in PROVIDERS.values() if not provider.has_key and not provider.simulated
    ]
    if missing:
        return Vital(
            "keys",
            False,
            f"{' and '.join(missing)} not set.",
            "Set it, or name the provider in PRESSROOM_SIMULATED.",
        )
    if settings.SIMULATED:
        return Vital("keys", True, f"Simulated: {', '.join(settings.SIMULATED)}. Nothing is charged there.")
    return Vital("keys", True, "Every provider has a key.")


def providers() -> Vital:
    """Whether every provider may be called: none is switched off, refuses us or fails too often.

    One whose time has come to be tried again is none of these: the next call, perhaps a test job's, tells.
    """
    now = database_now()
    held = Hold.objects.filter(scope=Hold.Scope.PROVIDER, reason=Reason.PROVIDER_HELD).filter(
        Q(until=None) | Q(until__gt=now)
    )
    matters = {
        (hold.key, ""): (
            f"{provider_name(hold.key)} was switched off by {hold.set_by or 'somebody'}.",
            f"When it may go on: manage.py queue release provider {hold.key}",
        )
        for hold in held
    }
    shut = [one for one in breakers.standing() if one.open_until and one.open_until > now]
    refused = Hold.objects.filter(scope=Hold.Scope.PROVIDER, reason=Reason.BREAKER_OPEN, until__gt=now)
    causes = [(one.provider, one.reason, one.open_until) for one in shut]
    causes += [(hold.key, hold.cause, hold.until) for hold in refused]
    for name, code, until in causes:
        cause = cause_of(code, name)
        matters[name, code] = (
            f"{cause.said} Tried next at {until:%H:%M:%S} UTC.",
            f"{cause.desk} Then, to go on at once: manage.py queue release provider {name}",
        )
    if not matters:
        return Vital("providers", True, "No provider is known to refuse or to fail.")
    said, todo = zip(*matters.values(), strict=True)
    return Vital("providers", False, " ".join(said), " ".join(todo))
