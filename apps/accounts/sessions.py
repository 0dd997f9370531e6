"""The browsers somebody is signed in with: which, since when, and seen when."""

import time
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import InterfaceError, OperationalError, models
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from apps.core.client import client_address
from apps.core.middleware import database_away_response

SEEN_EVERY = 60  # seconds between two notes of a browser in use
_BEGAN, _SEEN = "began", "seen"  # seconds since the epoch, in the session itself: no look at the table for each request
_BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


class BrowserSession(models.Model):
    """One signed-in browser. The session itself is Django's; it ends when its row there is gone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    browser = models.CharField(max_length=60)
    address = models.CharField(max_length=45, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_browser_session"

    def __str__(self) -> str:
        return f"{self.browser}, {self.address}"


def browser_of(user_agent: str) -> str:
    """“Firefox on Linux”; “a program” for what is no browser that we know."""
    name = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "A program")
    system = next((system for mark, system in _SYSTEMS.items() if mark in user_agent), "")
    return f"{name} on {system}" if system else name


def note_seen(request: HttpRequest, user_id: int) -> None:
    """The browser is in use: its session lasts so much longer, and its row says when it was seen."""
    session, now = request.session, int(time.time())
    if session.session_key is None:  # signed in as somebody else: Django has emptied the session, and it has no key yet
        session.save()
    session[_BEGAN], session[_SEEN] = session.get(_BEGAN, now), now
    seen = {"seen_at": timezone.now(), "address": client_address(request.META)}
    known = BrowserSession.objects.filter(session_key=session.session_key)
    if not known.update(**seen):
        made = {"user_id": user_id, "browser": browser_of(request.META.get("HTTP_USER_AGENT", "")), **seen}
        BrowserSession.objects.get_or_create(session_key=session.session_key, defaults=made)


def of_user(user: Any) -> list[BrowserSession]:
    """Those that are signed in, the one in use last first. Rows whose session ran out are removed."""
    ended = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    BrowserSession.objects.filter(user=user, seen_at__lt=ended).delete()
    return list(BrowserSession.objects.filter(user=user).order_by("-seen_at"))


def delete_sessions(rows: models.QuerySet[BrowserSession]) -> int:
    """Signs these browsers out: their next request is a stranger's. Answers how many they were."""
    keys = list(rows.values_list("session_key", flat=True))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    store.get_model_class().objects.filter(session_key__in=keys).delete()
    BrowserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)


class SessionsMiddleware:
    """Notes once a minute that a signed-in browser is in use; ends a session that is too old, however busy.

    A session ends by itself SESSION_COOKIE_AGE after it was last noted: that is the idle limit.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        try:
            self._note(request)
        except (OperationalError, InterfaceError) as error:  # outside the view, where nobody else would answer for it
            return database_away_response(request, error)
        return self.get_response(request)

    def _note(self, request: HttpRequest) -> None:
        user_id = request.session.get(SESSION_KEY)
        if user_id is None:
            return
        now = time.time()
        if now - request.session.get(_BEGAN, now) > settings.SESSION_LONGEST_SECONDS:
            logout(request)
        elif now - request.session.get(_SEEN, 0) >= SEEN_EVERY and request.user.is_authenticated:
            note_seen(request, int(user_id))


@receiver(user_logged_in)
def _signed_in(request: HttpRequest | None, user: Any, **_signal: object) -> None:
    if request is not None:
        note_seen(request, user.pk)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: Any, **_signal: object) -> None:
    from apps.accounts.access import look_again

    if user is not None:
        # Before Django empties the session: who is told to look again must find that it is gone.
        delete_sessions(BrowserSession.objects.filter(session_key=request.session.session_key))
        look_again(user.pk)
