"""Who is asking for a stream, and what they missed: the only reads of the database here, once for each connection."""

from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.db.models import Max, Q
from django.http import HttpRequest

from apps.accounts import tries
from apps.accounts.models import User, find_token, is_token
from apps.core.clock import ClockTimestamp
from apps.jobs.models import JobEvent

MOST_MISSED = 1000
BEHIND_EVENTS, BEHIND = 1000, timedelta(seconds=10)


@dataclass(frozen=True)
class Missed:
    """What happened since, oldest first; `events` None: too much to tell one by one, or what was seen is not ours.
    `newest` is the id of the last event there is."""

    events: list[dict[str, object]] | None
    newest: int


def user_of(headers: dict[str, str], address: str) -> User | None:
    """The active user behind a bearer token or a session cookie. Problem 429 for who guesses tokens."""
    close_old_connections()
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = find_token(secret.strip())
        if token is None and not is_token(secret.strip()):
            tries.guessed("token", address)
        return token.user if token and "read" in token.scopes else None
    cookies = SimpleCookie(headers.get("cookie", ""))
    if settings.SESSION_COOKIE_NAME not in cookies:
        return None
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(cookies[settings.SESSION_COOKIE_NAME].value)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def missed(owner_id: int | None, after: int) -> Missed:
    """The events after the one last seen; one that we never had was seen before a back-up was restored here."""
    close_old_connections()
    newest = JobEvent.objects.aggregate(newest=Max("id"))["newest"] or 0
    if after > newest:
        return Missed(None, newest)
    # A transaction that began earlier may commit a lower id later: what is recent is told again rather than never.
    recent = Q(id__gt=after) | Q(id__gt=after - BEHIND_EVENTS, at__gt=ClockTimestamp() - BEHIND)
    events = JobEvent.objects.filter(recent).select_related("job").order_by("id")
    events = events.exclude(job__kind__in=[name for name, kind in settings.KINDS.items() if kind.quiet])
    if owner_id is not None:
        events = events.filter(owner_id=owner_id)
    found = list(events[: MOST_MISSED + 1])
    if len(found) > MOST_MISSED:
        return Missed(None, newest)
    told: list[dict[str, object]] = [
        {"id": event.pk, "job": str(event.job.uid), "subject": event.subject, "status": event.new, "stage": event.stage}
        for event in found
        if event.job is not None
    ]
    return Missed(told, newest)
