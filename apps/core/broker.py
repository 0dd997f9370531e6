"""Redis, reached so that its absence never delays or fails what the row already guarantees.

After a failure nothing is tried for BREAK_SECONDS: a request waits at most one time-out, not one for each hint.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")

BREAK_SECONDS = 5.0
# A Redis that answers at all answers in a millisecond; what is created while it hangs must be answered within 1.2 s.
_TIMEOUT = min(0.5, settings.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"])


class Trouble(StrEnum):
    """What is the matter with a Redis that took nothing. AWAY: not heard of; FULL: no memory left; REFUSES: anything else."""

    AWAY = "redis_away"
    FULL = "redis_full"
    REFUSES = "redis_refuses"


class Hints:
    """Best-effort Redis: a lost hint costs one dispatch interval. `trouble` and `said` are of the last failure."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.closed_until = 0.0
        self.trouble = Trouble.AWAY
        self.said = ""
        self._client: redis.Redis | None = None

    @property
    def client(self) -> redis.Redis:
        if self._client is None:
            self._client = redis.Redis.from_url(
                self.url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0)
            )
        return self._client

    def answers(self) -> bool:
        """Whether it takes a hint: one that is full or may not be written to answers a ping all the same."""
        return bool(self.attempt(lambda client: client.set("pressroom:probe", 1, px=1000)))

    def attempt(self, send: Callable[[redis.Redis], T]) -> T | None:
        """What `send` returns, or None when Redis is away, hung or full."""
        if time.monotonic() < self.closed_until:
            return None
        try:
            return send(self.client)
        # Publishing can fail in more ways than OperationalError (kombu raises AttributeError on some), and none may
        # reach the request whose work is already committed.
        except Exception as error:
            self.closed_until = time.monotonic() + BREAK_SECONDS
            self.trouble, self.said = _trouble_of(error), str(error)[:200]
            log.warning(str(self.trouble), error=type(error).__name__)
            return None


def _trouble_of(error: BaseException) -> Trouble:
    """Kombu wraps what Redis said in an error of its own."""
    while error.__cause__ and not isinstance(error, redis.RedisError):
        error = error.__cause__
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return Trouble.FULL
    refused = isinstance(error, redis.ResponseError | redis.AuthenticationError | redis.exceptions.ReadOnlyError)
    return Trouble.REFUSES if refused else Trouble.AWAY


hints = Hints(settings.REDIS_URL or "redis://127.0.0.1:1/0")
