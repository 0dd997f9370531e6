"""`manage.py check`: every setting that is missing or wrong, by name, with what to do about it."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from apps.launch.leftovers import running_on


@register
def needed(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """What Pressroom cannot run without."""
    missing = [
        (
            settings.SECRET_KEY_GIVEN,
            "SECRET_KEY",
            "sessions would end at each restart",
            "Set it to 50 random characters.",
            "E001",
        ),
        (
            settings.DATABASE_URL,
            "DATABASE_URL",
            "there is no database",
            "Set it to postgresql://user:password@host/name.",
            "E002",
        ),
        (settings.REDIS_URL, "REDIS_URL", "workers cannot be woken", "Set it to redis://host:6379/0.", "E003"),
    ]
    running = (
        sorted(running_on(settings.BASE_DIR)) if not all(given for given, *_ in missing) else []
    )  # one alone is found by config/environment.py
    which = " or ".join(f"PRESSROOM_DATA_DIR={folder}" for folder in running) or "PRESSROOM_DATA_DIR"
    hint_up = f" `manage.py up` sets it for one machine; say with {which} which installation is meant."
    return [
        Error(f"{name} is not set: {effect}.", hint=hint + hint_up, id=f"pressroom.{number}")
        for given, name, effect, hint, number in missing
        if not given
    ]


@register
def addresses(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """Addresses that must be whole, so that links, cookies and the live stream work."""
    wrong: list[CheckMessage] = []
    for number, name in (("E004", "SITE_URL"), ("E005", "LIVE_URL")):
        value = getattr(settings, name)
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            wrong.append(
                Error(
                    f"{name} is {value!r}.",
                    hint="Write it whole, as https://desk.example.com.",
                    id=f"pressroom.{number}",
                )
            )
    if not settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")) and settings.REDIS_URL:
        wrong.append(
            Error("REDIS_URL is no Redis address.", hint="Write redis://, rediss:// or unix://.", id="pressroom.E006")
        )
    if not settings.DATABASE_URL.startswith(("postgresql://", "postgres://")) and settings.DATABASE_URL:
        wrong.append(Error("DATABASE_URL is no PostgreSQL address.", hint="Write postgresql://….", id="pressroom.E007"))
    return wrong


@register
def durations(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """The engine's times must fit each other."""
    wrong: list[CheckMessage] = []
    if settings.HEARTBEAT_SECONDS * 2 > settings.LEASE_SECONDS:
        wrong.append(
            Error(
                "A lease runs out before its second heartbeat.",
                hint="Make PRESSROOM_LEASE_SECONDS at least twice PRESSROOM_HEARTBEAT_SECONDS.",
                id="pressroom.E010",
            )
        )
    if settings.WORK_SLICE_SECONDS <= 0:
        wrong.append(
            Error(
                "A worker would never take a job.",
                hint="Make PRESSROOM_WORK_SLICE_SECONDS more than 0.",
                id="pressroom.E012",
            )
        )
    # A job is taken before the slice ends, runs for an attempt from then on, and its result is written in a statement.
    longest = settings.WORK_SLICE_SECONDS + settings.ATTEMPT_SECONDS + settings.STATEMENT_SECONDS
    if longest > settings.CELERY_TASK_SOFT_TIME_LIMIT:
        wrong.append(
            Error(
                "Celery would end an attempt before its own deadline.",
                hint="Make PRESSROOM_TASK_SOFT_LIMIT at least PRESSROOM_WORK_SLICE_SECONDS + PRESSROOM_ATTEMPT_SECONDS "
                f"+ {settings.STATEMENT_SECONDS}: {longest:g}.",
                id="pressroom.E011",
            )
        )
    return wrong


@register(Tags.security, deploy=True)
def production(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """What a deployment on the open network needs besides."""
    wrong: list[CheckMessage] = []
    if not settings.CRON_SECRETS:
        wrong.append(
            Warning(
                "CRON_SECRET is not set: /api/dispatch and /api/cron answer 401 to schedulers.",
                hint="Set it to 32 random characters; two, separated by a comma, while you rotate it.",
                id="pressroom.W002",
            )
        )
    if not settings.HTTPS:
        wrong.append(
            Warning(
                "SITE_URL is not https: passwords and tokens travel in clear.",
                hint="Put a TLS proxy in front and set SITE_URL to its address.",
                id="pressroom.W003",
            )
        )
    if settings.SIMULATED:
        wrong.append(
            Warning(
                f"Simulated: {', '.join(settings.SIMULATED)}. Nothing real is made.",
                hint="Set the providers' keys and unset PRESSROOM_SIMULATED.",
                id="pressroom.W004",
            )
        )
    return wrong
