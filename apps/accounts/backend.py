"""The one door for passwords: signing in, and saying one's password again. Guessing is slow, and so is nobody else.

A stranger cannot shut a person out: the short limit is of one account from one address, and the account's own limit
does not reach the addresses from where its person has signed in before.
"""

import math
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from apps.accounts import tries
from apps.accounts.models import User
from apps.accounts.tries import Limit
from apps.core.client import client_address

log = structlog.get_logger(__name__)
KNOWN_FOR = 90 * 86_400.0  # seconds that an address is known after a sign-in
BUSY_SECONDS = 2
# Hashing a password takes a third of a second of a processor, so never on all threads at once.
_hashing = threading.BoundedSemaphore(max(1, settings.SIGN_INS_AT_ONCE))


class SignInRefused(Exception):
    """Not judged at all: too many wrong passwords before (`busy` false), or too many people at once. `seconds` to wait."""

    def __init__(self, seconds: float, *, busy: bool = False) -> None:
        super().__init__("busy" if busy else "locked")
        self.seconds, self.busy = max(1, math.ceil(seconds)), busy

    @property
    def words(self) -> str:
        """When to try again: “in 40 seconds”, “in 3 minutes”."""
        if self.seconds <= 90:
            return f"in {self.seconds} second{'s' if self.seconds != 1 else ''}"
        return f"in {math.ceil(self.seconds / 60)} minutes"


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Around whatever hashes a password for a request. SignInRefused when as many as may do so already."""
    if not _hashing.acquire(blocking=False):
        raise SignInRefused(BUSY_SECONDS, busy=True)
    try:
        yield
    finally:
        _hashing.release()


class PasswordBackend(ModelBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **others: Any
    ) -> User | None:
        """The user, or None; raises SignInRefused without looking at the password."""
        if username is None or password is None:
            return None
        address = client_address(request.META) if request else ""
        with hashing_turn():
            return self._judge(request, username, password, address)

    def _judge(self, request: HttpRequest | None, username: str, password: str, address: str) -> User | None:
        pair, others = _limits(username, address)
        counted = tries.count(pair, *others)
        if counted.wait > 0:
            raise SignInRefused(counted.wait)
        user = super().authenticate(request, username=username, password=password)
        if isinstance(user, User):
            tries.clear(pair)
            tries.forgive(*others)
            tries.remember(_known(username, address), KNOWN_FOR)
            return user
        # A name that is nobody's is not written down: it may be a password in the wrong field.
        name = username if User.objects.filter(username=username).exists() else "(nobody)"
        log.warning("sign_in_failed", account=name, address=address, next_try_in_seconds=round(counted.begun))
        return None


def _limits(username: str, address: str) -> tuple[Limit, list[Limit]]:
    account = _account(username)
    others = [Limit(f"address {address}", free=30, first=10, most=300)]
    if not tries.is_remembered(_known(username, address)):
        others.append(Limit(f"account {account}", free=50, first=10, most=300))
    return Limit(f"pair {account} {address}", free=5, first=10, most=300), others


def _known(username: str, address: str) -> str:
    return f"known {_account(username)} {address}"


def _account(username: str) -> str:
    return unicodedata.normalize("NFKC", username[:200]).casefold()
