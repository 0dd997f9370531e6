"""Is everything up? One look at each thing Pressroom stands on, and what to do about what is not."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from apps.core.broker import Trouble, hints
from apps.core.clock import ClockTimestamp, database_now
from apps.core.database import is_out_of_room, refused_writes_lately, write_probe
from apps.desk.estimates import WORKER_SILENT_SECONDS
from apps.jobs.models import Hold, Worker
from apps.jobs.schedule import CLOCKS_APART
from apps.jobs.states import Reason
from apps.providers import breakers
from apps.providers.causes import cause_of
from apps.providers.registry import NEEDED, provider_name

BEAT_SILENT_SECONDS = 15.0


@dataclass(frozen=True)
class Vital:
    """`ok`, what was seen, and what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    action: str = ""


def look() -> list[Vital]:
    return [_looked_at(check) for check in (database, redis, workers, beat, storage, keys, providers)]


def _looked_at(check: Callable[[], Vital]) -> Vital:
    try:
        return check()
    except DatabaseError:
        return Vital(check.__name__, False, "Not known: it stands in the database.", "Put the database right first.")


def database() -> Vital:
    """Whether it takes what is written: one whose disk is full goes on answering questions."""
    try:
        write_probe()
        full = refused_writes_lately()
    except DatabaseError as error:
        full = is_out_of_room(error)
        if not full:
            away = "The database cannot be reached."
            return Vital("database", False, away, "Start PostgreSQL and check DATABASE_URL.")
    if full:
        return Vital(
            "database",
            False,
            "PostgreSQL has no room left: what is there is safe, and nothing new is taken.",
            "Make room on the disk that holds its data; it goes on by itself then.",
        )
    return Vital("database", True, "PostgreSQL answers and takes what is written.")


def redis() -> Vital:
    if hints.answers():
        return Vital("redis", True, "Redis answers and takes what is written.")
    said, todo = {
        Trouble.AWAY: ("Redis cannot be reached.", "Start Redis and check REDIS_URL."),
        Trouble.FULL: (
            "Redis is full: it answers and takes nothing more.",
            "Raise its maxmemory (with maxmemory-policy noeviction), or empty what else is in it.",
        ),
        Trouble.REFUSES: (
            f"Redis answers and refuses us: {hints.said}.",
            "Check REDIS_URL's password, that it is no replica, and that it can save to its disk.",
        ),
    }[hints.trouble]
    return Vital("redis", False, f"{said} Nothing is lost; jobs start late.", todo)


def workers() -> Vital:
    """Whether every lane that has a provider is worked on."""
    silent = timedelta(seconds=WORKER_SILENT_SECONDS)
    seen = Worker.objects.filter(alive_at__gt=ClockTimestamp() - silent, alive_at__lt=ClockTimestamp() + silent)
    served = {lane for lanes in seen.values_list("lanes", flat=True) for lane in lanes}
    idle = sorted({kind.lane for kind in settings.KINDS.values() if kind.provider} - served)
    if not idle:
        return Vital("workers", True, f"Workers serve {', '.join(sorted(served))}.")
    start = f"Start one: celery -A config worker -Q {','.join(idle)}"
    todo = start if hints.answers() else "Put Redis right first: without it workers hear nothing."
    return Vital("workers", False, f"Nobody works on {' and '.join(idle)}.", todo)


def beat() -> Vital:
    """Whether the dispatch tick is scheduled, and beat sends it: it writes `last_run_at` each time (BEAT_SYNC_EVERY)."""
    tick = PeriodicTask.objects.filter(task="jobs.dispatch", enabled=True).select_related("interval").first()
    if tick is None:
        return Vital("beat", False, "The dispatch tick is not scheduled.", "POST /api/init puts it there.")
    period = tick.interval.schedule.run_every if tick.interval else timedelta(0)
    silent_after, now = max(timedelta(seconds=BEAT_SILENT_SECONDS), 3 * period), database_now()
    if tick.last_run_at is None or tick.last_run_at < now - silent_after:
        return Vital("beat", False, "Beat does not send the dispatch tick.", "Start it: celery -A config beat")
    if tick.last_run_at > now + CLOCKS_APART:
        return Vital(
            "beat",
            False,
            f"Beat's last tick is dated {tick.last_run_at - now} from now: a clock was put back, or is ahead.",
            "POST /api/init forgets that date. If it comes back, set the clock of beat's machine right.",
        )
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
        provider.key_setting for provider in NEEDED if not (provider.optional or provider.has_key or provider.simulated)
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
