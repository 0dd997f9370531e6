"""Who is asking: a bearer token, a signed-in session, or the scheduler with its cron secret."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import constant_time_compare
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts import tries
from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import TOKEN_PREFIX, ApiToken, User, find_token, is_token
from apps.core.client import client_address
from apps.core.errors import Problem

MAX_TOKEN_LENGTH = 200


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer pr_live_…`. A bearer token that is wrong is refused; the session is not tried instead."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        secret = bearer_secret(request)
        if secret is None:
            return None
        token = find_token(secret) if len(secret) <= MAX_TOKEN_LENGTH else None
        if token is None:
            if not is_token(secret):
                tries.guessed("token", client_address(request.META))
            raise AuthenticationFailed("The token is unknown, expired or revoked. Make a new one on the account page.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Pressroom"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The pages' own session; Django's CSRF check stays on."""

    def enforce_csrf(self, request: Request) -> None:
        # Django's own request: DRF's would parse the body to look for a form field, and keyed endpoints read it again.
        sent = request._request
        check = authentication.CSRFCheck(lambda _request: None)  # type: ignore[arg-type]
        check.process_request(sent)
        if check.process_view(sent, None, (), {}):  # type: ignore[arg-type]
            raise Problem(
                403,
                "csrf_failed",
                "The request carried no valid CSRF token.",
                "Send the csrftoken cookie's value as the X-CSRFToken header, or use an API token.",
            )


@dataclass(frozen=True)
class Cron:
    """What `request.auth` is when the scheduler asked with a cron secret."""


class CronAuthentication(authentication.BaseAuthentication):
    """`Authorization: <secret>` or `Bearer <secret>`, any of settings.CRON_SECRETS; none set: nobody passes."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Cron] | None:
        given = bearer_secret(request) or authorization(request)
        if not given or given.startswith(TOKEN_PREFIX):
            return None
        # every secret is compared, so that the time taken does not tell which one was close
        matches = [constant_time_compare(given, secret) for secret in settings.CRON_SECRETS if secret]
        if any(matches):
            return AnonymousUser(), Cron()
        tries.guessed("cron", client_address(request.META))
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Pressroom"'


def authorization(request: Request) -> str:
    return request.META.get("HTTP_AUTHORIZATION", "").strip()


def bearer_secret(request: Request) -> str | None:
    """The secret of an `Authorization: Bearer` header; None when there is no such header."""
    scheme, _, secret = authorization(request).partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def user_of(request: Request) -> User:
    """Who is asking; only for endpoints that let nobody in without signing in."""
    assert isinstance(request.user, User)
    return request.user


def urgent_allowed(request: Request) -> bool:
    """Whether priority 10 may be used: by staff, signed in or with a token that has the scope for it.

    Asked of the person at each use: a token that was made before, or by somebody who is staff no more, gives nothing.
    """
    granted = "urgent" in request.auth.scopes if isinstance(request.auth, ApiToken) else True
    return user_of(request).is_staff and granted


def record_staff(request: Request, action: str) -> None:
    """Writes down what a member of staff made the desk do; a scheduler's calls are its daily work and are not."""
    if isinstance(request.user, User):
        record(via=AuditEntry.Via.API, user=request.user, action=action)
