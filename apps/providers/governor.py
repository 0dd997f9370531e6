"""Who may call a provider now: one answer for all workers, kept in PostgreSQL.

    with permit(provider="xai", model="grok-4.7", seconds=60):
        … one call …
    report(provider="xai", model="grok-4.7", error=None)

Order of the questions: does a breaker stand in the way, is a place for a call free, is a request of this minute left.
A refusal takes nothing with it. What a provider asked us to wait for is a hold of the queue (apps/orders/leave.py).
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self

import structlog
from django.conf import settings
from django.db import Error as DatabaseAway
from django.db import connection

from apps.core.clock import database_now
from apps.providers import breakers, places
from apps.providers.causes import CALLS_AT_ONCE, REQUESTS_A_MINUTE
from apps.providers.errors import ProviderError
from apps.providers.models import Breaker, BreakerState, PlaceKind
from apps.providers.registry import PROVIDERS

log = structlog.get_logger(__name__)

BusyReason = Literal["rate_limited_until", "breaker_open_until", "provider_limit"]

# A call ends at its own deadline; the place outlasts it a little, and comes back by itself if the worker is killed.
SLOT_SLACK_SECONDS = 5.0
# Another call may end at any moment: how long to wait before asking again.
SLOT_RETRY_SECONDS = 2.0
TRIAL_LOOK_SECONDS = 10.0
HOLD_SECONDS = 5.0  # of a provider that is not in the registry
SHORTEST_HOLD_SECONDS = 1.0


class Busy(Exception):
    """Not now. It costs no attempt: come back at `until` (the database's clock). `cause` is a code of causes.py."""

    def __init__(self, *, provider: str, reason: BusyReason, until: datetime, cause: str, model: str = "") -> None:
        super().__init__(f"{provider}: {reason} {until.isoformat()}")
        self.provider = provider
        self.reason = reason
        self.until = until
        self.model = model
        self.cause = cause


@dataclass(frozen=True)
class Permit:
    """Leave to make one call. Leaving the block gives the place back; `trials`: breakers that wait for its report."""

    provider: str
    model: str
    trials: tuple[Breaker, ...] = ()
    slot: places.Taken | None = field(default=None, repr=False)

    @property
    def probe(self) -> bool:
        return bool(self.trials)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release(reports=error is None or isinstance(error, ProviderError))

    def release(self, *, reports: bool = True) -> None:
        """`reports` False: nothing will be said of how a call went (the job was cancelled, or taken away), so another
        caller may try.

        An answer that was paid for must not be lost because the database is away: place and trial end by themselves.
        """
        try:
            if self.slot:
                places.free(self.slot)
            for breaker in () if reports else self.trials:
                breakers.give_probe_back(breaker)
        except DatabaseAway as away:
            log.warning("place_not_given_back", provider=self.provider, error=str(away))


@dataclass(frozen=True)
class BreakerView:
    model: str
    state: str
    reason: str
    until: datetime | None
    calls: int
    failures: int


@dataclass(frozen=True)
class ProviderState:
    """What a page shows of a provider. Limits of 0 are none; `requests_used` counts the last minute."""

    provider: str
    calls_used: int
    calls_limit: int
    requests_used: int
    requests_limit: int
    breakers: tuple[BreakerView, ...]


def permit(*, provider: str, model: str, seconds: float) -> Permit:
    """Leave for one call of at most `seconds`, or Busy. Outside any transaction: others must see it at once."""
    if connection.in_atomic_block:
        raise RuntimeError("Ask the governor outside a transaction: no call may be made inside one.")
    with ExitStack() as undo:
        trials = _pass_breakers(undo, provider=provider, model=model, seconds=seconds)
        slot = _take_slot(undo, provider=provider, seconds=seconds)
        _take_request(provider)
        undo.pop_all()
    return Permit(provider, model, trials, slot)


def report(*, provider: str, model: str, error: ProviderError | None) -> bool:
    """How a call went: failures count for its breaker, a refused key opens it. Answers whether one closed: it works again."""
    health = error.health if error else "up"
    if error and health == "refuses_us":
        breakers.open_provider(provider=provider, reason=error.code)
    elif error and health == "down":
        breakers.count_failure(provider=provider, model=model, reason=error.code)
    elif health == "up":  # a rate limit says nothing of whether the provider works: a breaker on trial stays on trial
        return breakers.count_success(provider=provider, model=model)
    return False


def hold_seconds(error: ProviderError) -> float:
    """At least what the provider asked for."""
    if error.retry_after is None:
        return PROVIDERS[error.provider].hold_seconds if error.provider in PROVIDERS else HOLD_SECONDS
    return max(error.retry_after, SHORTEST_HOLD_SECONDS)


def limit_of(provider: str, name: Literal["concurrent", "per_minute"]) -> int:
    return settings.PROVIDER_LIMITS.get(provider, {}).get(name, 0)


def state() -> list[ProviderState]:
    """Every provider that has a limit or a history, in three statements."""
    history: dict[str, list[Breaker]] = {}
    for breaker in Breaker.objects.order_by("provider", "model"):
        history.setdefault(breaker.provider, []).append(breaker)
    taken = places.taken_counts()
    names = sorted({*settings.PROVIDER_LIMITS, *history})
    return [_state_of(name, history.get(name, []), taken) for name in names]


def _state_of(provider: str, history: list[Breaker], taken: dict[tuple[str, str], int]) -> ProviderState:
    return ProviderState(
        provider=provider,
        calls_used=taken.get((provider, PlaceKind.CALL), 0),
        calls_limit=limit_of(provider, "concurrent"),
        requests_used=taken.get((provider, PlaceKind.REQUEST), 0),
        requests_limit=limit_of(provider, "per_minute"),
        breakers=tuple(
            BreakerView(row.model, row.state, row.reason, row.open_until, row.calls, row.failures) for row in history
        ),
    )


def _pass_breakers(undo: ExitStack, *, provider: str, model: str, seconds: float) -> tuple[Breaker, ...]:
    """Of which breakers this call is the trial: it takes that of every one that is due; `undo` gives them back."""
    standing = breakers.closed_ones_aside(provider=provider, model=model)
    for breaker in standing:
        if not breakers.take_probe(breaker, seconds=seconds + SLOT_SLACK_SECONDS):
            raise _breaker_busy(breaker)
        undo.callback(breakers.give_probe_back, breaker)
    return tuple(standing)


def _breaker_busy(breaker: Breaker) -> Busy:
    breaker.refresh_from_db()
    now = database_now()
    until = breaker.open_until
    if breaker.state != BreakerState.OPEN or until is None:
        # A trial is under way: when it goes well those who wait are called, so they need not look often.
        until = min(breaker.probe_until or now, now + timedelta(seconds=TRIAL_LOOK_SECONDS))
    return Busy(
        provider=breaker.provider,
        reason="breaker_open_until",
        until=max(until, now + timedelta(seconds=SLOT_RETRY_SECONDS)),
        model=breaker.model,
        cause=breaker.reason,
    )


def _take_slot(undo: ExitStack, *, provider: str, seconds: float) -> places.Taken | None:
    limit = limit_of(provider, "concurrent")
    if not limit:
        return None
    slot = places.take(provider=provider, kind=PlaceKind.CALL, limit=limit, seconds=seconds + SLOT_SLACK_SECONDS)
    if slot is None:
        free_at, now = places.next_free(provider=provider, kind=PlaceKind.CALL, limit=limit)
        until = min(max(free_at, now), now + timedelta(seconds=SLOT_RETRY_SECONDS))
        raise Busy(provider=provider, reason="provider_limit", until=until, cause=CALLS_AT_ONCE)
    undo.callback(places.free, slot)
    return slot


def _take_request(provider: str) -> None:
    limit = limit_of(provider, "per_minute")
    kind = PlaceKind.REQUEST
    if limit and not places.take(provider=provider, kind=kind, limit=limit, seconds=places.MINUTE_SECONDS):
        until, _now = places.next_free(provider=provider, kind=kind, limit=limit)
        raise Busy(provider=provider, reason="rate_limited_until", until=until, cause=REQUESTS_A_MINUTE)
