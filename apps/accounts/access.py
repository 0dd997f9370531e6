"""Ending what somebody may do, at once: tokens, signed-in browsers, and the live streams that stand on them."""

from functools import partial

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.backend import hashing_turn
from apps.accounts.models import ApiToken, BrowserSession, User
from apps.accounts.sessions import delete_sessions
from apps.core.broker import hints

CHANNEL = "pressroom:access"


def look_again(user_id: int) -> None:
    """After commit, the live streams of this person ask anew whether they may go on."""
    transaction.on_commit(partial(_publish, user_id), robust=True)


def _publish(user_id: int) -> None:
    hints.attempt(lambda client: client.publish(CHANNEL, str(user_id)))


def revoke(tokens: QuerySet[ApiToken]) -> int:
    """These tokens answer 401 from now on; how many they were."""
    standing = tokens.filter(revoked_at=None)
    owners = set(standing.values_list("user_id", flat=True))
    revoked = standing.update(revoked_at=timezone.now())
    for owner in owners:
        look_again(owner)
    return revoked


def end_sessions(user: User, *, but: str | None = None) -> int:
    """Signs this person out of every browser, but the one with this session key; how many they were."""
    ended = delete_sessions(BrowserSession.objects.filter(user=user).exclude(session_key=but or ""))
    look_again(user.pk)
    return ended


def password_was_set(user: User) -> None:
    """By somebody else, or at the command line: whoever knew the old password, or took a token with it, is out."""
    end_sessions(user)
    revoke(user.api_tokens.all())


def change_own_password(request: HttpRequest, user: User, password: str, *, revoke_tokens: bool) -> None:
    """This browser stays signed in, every other is signed out; tokens go on unless they are to end too."""
    with hashing_turn():
        hashed = make_password(password)
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(password=hashed)
        user.password = hashed
        before = request.session.session_key
        update_session_auth_hash(request, user)  # gives this browser's session a new key
        BrowserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
        end_sessions(user, but=request.session.session_key)
        if revoke_tokens:
            revoke(user.api_tokens.all())


@receiver(post_delete, sender=User)
def _user_deleted(instance: User, **_signal: object) -> None:
    look_again(instance.pk)


@receiver(post_delete, sender=ApiToken)
def _token_deleted(instance: ApiToken, **_signal: object) -> None:
    look_again(instance.user_id)
