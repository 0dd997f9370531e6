"""Who is asking for a stream, and what they missed: the only reads of the database here, once for each connection."""

from datetime import timedelta
from http.cookies import SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import User, find_token
from apps.jobs.models import JobEvent

MOST_MISSED = 1000
BEHIND_EVENTS, BEHIND = 1000, timedelta(seconds=10)


def user_of(headers: dict[str, str]) -> User | None:
    """The active user behind a bearer token or a session cookie."""
    close_old_connections()
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = find_token(secret.strip())
        return token.user if token and "read" in token.scopes else None
    cookies = SimpleCookie(headers.get("cookie", ""))
    if settings.SESSION_COOKIE_NAME not in cookies:
        return None
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(cookies[settings.SESSION_COOKIE_NAME].value)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def missed(owner_id: int | None, after: int) -> list[dict[str, object]] | None:
    """The events after the one last seen, oldest first; None when there are too many to tell one by one."""
    # A transaction that began earlier may commit a lower id later: what is recent is told again rather than never.
    recent = Q(id__gt=after) | Q(id__gt=after - BEHIND_EVENTS, at__gt=timezone.now() - BEHIND)
    events = JobEvent.objects.filter(recent).select_related("job").order_by("id")
    if owner_id is not None:
        events = events.filter(owner_id=owner_id)
    found = list(events[: MOST_MISSED + 1])
    if len(found) > MOST_MISSED:
        return None
    return [
        {"id": event.pk, "job": str(event.job.uid), "subject": event.subject, "status": event.new, "stage": event.stage}
        for event in found
        if event.job is not None
    ]
