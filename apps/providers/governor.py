"""Who may call a provider now: one answer for all workers, kept in PostgreSQL.

    with permit(provider="xai", model="grok-4.7", seconds=60):
        … one call …
    report(provider="xai", model="grok-4.7", error=None)

Order of the questions: does a hold or a breaker stand in the way, is a place for a call free, is a request of this
minute left. A refusal takes nothing with it.
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

from apps.providers import breakers, places
from apps.providers.clock import ClockTimestamp, database_now
from apps.providers.errors import ProviderError
from apps.providers.models import Breaker, BreakerState, PlaceKind, ProviderHold
from apps.providers.retry_after import LONGEST_WAIT

log = structlog.get_logger(__name__)

BusyReason = Literal["rate_limited_until", "breaker_open_until", "provider_limit"]

# A call ends at its own deadline; the place outlasts it a little, and comes back by itself if the worker is killed.
SLOT_SLACK_SECONDS = 5.0
# Another call may end at any moment: how long to wait before asking again.
SLOT_RETRY_SECONDS = 2.0
# After a 429 without a hint: WaveSpeed's limits renew each minute, xAI's each second.
DEFAULT_HOLD_SECONDS = {"wavespeed": 15.0}
HOLD_SECONDS = 5.0
SHORTEST_HOLD_SECONDS = 1.0


class Busy(Exception):
    """Not now. It costs no attempt: come back at `until` (the database's clock). `cause` is a code or a sentence."""

    def __init__(self, *, provider: str, reason: BusyReason, until: datetime, model: str = "", cause: str = "") -> None:
        super().__init__(f"{provider}: {reason} {until.isoformat()}")
        self.provider = provider
        self.reason = reason
        self.until = until
        self.model = model
        self.cause = cause


@dataclass(frozen=True)
class Permit:
    """Leave to make one call. Leaving the block gives the place back; `probe`: a breaker waits for its report."""

    provider: str
    model: str
    probe: bool = False
    slot: places.Taken | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """An answer that was paid for must not be lost because the database is away: the place ends by itself."""
        if self.slot:
            try:
                places.free(self.slot)
            except DatabaseAway as error:
                log.warning("place_not_given_back", provider=self.provider, error=str(error))


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
    held_until: datetime | None
    hold_reason: str
    calls_used: int
    calls_limit: int
    requests_used: int
    requests_limit: int
    breakers: tuple[BreakerView, ...]


def permit(*, provider: str, model: str, seconds: float) -> Permit:
    """Leave for one call of at most `seconds`, or Busy. Outside any transaction: others must see it at once."""
    if connection.in_atomic_block:
        raise RuntimeError("Ask the governor outside a transaction: no call may be made inside one.")
    _refuse_held(provider)
    with ExitStack() as undo:
        probe = _pass_breakers(undo, provider=provider, model=model, seconds=seconds)
        slot = _take_slot(undo, provider=provider, seconds=seconds)
        _take_request(provider)
        undo.pop_all()
    return Permit(provider, model, probe, slot)


def report(*, provider: str, model: str, error: ProviderError | None) -> None:
    """How a call went. Rate limits hold the provider, failures count for its breaker, a refused key opens it."""
    health = error.health if error else "up"
    if error and (health == "limited" or error.retry_after is not None):
        hold_for(provider=provider, seconds=hold_seconds(error), reason=error.detail or error.message)
    if error and health == "refuses_us":
        breakers.open_provider(provider=provider, reason=error.code)
    elif error and health == "down":
        breakers.count_failure(provider=provider, model=model, reason=error.code)
    elif health == "up":  # a rate limit says nothing of whether the provider works: a breaker on trial stays on trial
        breakers.count_success(provider=provider, model=model)


def hold(*, provider: str, until: datetime, reason: str) -> None:
    """Nobody calls the provider before `until`, a quarter of an hour at most. A longer hold that stands stays."""
    _hold(provider, "%(given)s", until, reason)


def hold_for(*, provider: str, seconds: float, reason: str) -> None:
    """Like `hold`, from now by the database's clock."""
    _hold(provider, "clock_timestamp() + make_interval(secs => %(given)s)", seconds, reason)


def hold_seconds(error: ProviderError) -> float:
    """At least what the provider asked for."""
    if error.retry_after is None:
        return DEFAULT_HOLD_SECONDS.get(error.provider, HOLD_SECONDS)
    return max(error.retry_after, SHORTEST_HOLD_SECONDS)


def limit_of(provider: str, name: Literal["concurrent", "per_minute"]) -> int:
    return settings.PROVIDER_LIMITS.get(provider, {}).get(name, 0)


def state() -> list[ProviderState]:
    """Every provider that has a limit, a hold or a history, in four statements."""
    holds = {row.provider: row for row in ProviderHold.objects.filter(until__gt=ClockTimestamp())}
    history: dict[str, list[Breaker]] = {}
    for breaker in Breaker.objects.order_by("provider", "model"):
        history.setdefault(breaker.provider, []).append(breaker)
    taken = places.taken_counts()
    names = sorted({*settings.PROVIDER_LIMITS, *holds, *history})
    return [_state_of(name, holds.get(name), history.get(name, []), taken) for name in names]


def _state_of(
    provider: str, held: ProviderHold | None, history: list[Breaker], taken: dict[tuple[str, str], int]
) -> ProviderState:
    return ProviderState(
        provider=provider,
        held_until=held.until if held else None,
        hold_reason=held.reason if held else "",
        calls_used=taken.get((provider, PlaceKind.CALL), 0),
        calls_limit=limit_of(provider, "concurrent"),
        requests_used=taken.get((provider, PlaceKind.REQUEST), 0),
        requests_limit=limit_of(provider, "per_minute"),
        breakers=tuple(
            BreakerView(row.model, row.state, row.reason, row.open_until, row.calls, row.failures) for row in history
        ),
    )


def _hold(provider: str, moment: str, given: datetime | float, reason: str) -> None:
    values = {"provider": provider, "given": given, "reason": reason[:200], "longest": LONGEST_WAIT}
    with connection.cursor() as cursor:
        # `moment` is one of the two expressions above.
        cursor.execute(
            f"""
            INSERT INTO providers_hold AS held (provider, until, reason)
            VALUES (%(provider)s, least({moment}, clock_timestamp() + make_interval(secs => %(longest)s)), %(reason)s)
            ON CONFLICT (provider) DO UPDATE SET until = excluded.until, reason = excluded.reason
             WHERE held.until < excluded.until
            """,  # noqa: S608
            values,
        )


def _refuse_held(provider: str) -> None:
    held = ProviderHold.objects.filter(provider=provider, until__gt=ClockTimestamp()).first()
    if held:
        raise Busy(provider=provider, reason="rate_limited_until", until=held.until, cause=held.reason)


def _pass_breakers(undo: ExitStack, *, provider: str, model: str, seconds: float) -> bool:
    """Whether this call is a trial. Takes the trial of every breaker that is due; `undo` gives them back."""
    standing = breakers.closed_ones_aside(provider=provider, model=model)
    for breaker in standing:
        if not breakers.take_probe(breaker, seconds=seconds + SLOT_SLACK_SECONDS):
            raise _breaker_busy(breaker)
        undo.callback(breakers.give_probe_back, breaker)
    return bool(standing)


def _breaker_busy(breaker: Breaker) -> Busy:
    breaker.refresh_from_db()
    # A trial under way may end at any moment.
    until = breaker.open_until if breaker.state == BreakerState.OPEN else None
    soonest = database_now() + timedelta(seconds=SLOT_RETRY_SECONDS)
    return Busy(
        provider=breaker.provider,
        reason="breaker_open_until",
        until=max(until, soonest) if until else soonest,
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
        raise Busy(provider=provider, reason="provider_limit", until=until, cause=f"{limit} calls at once")
    undo.callback(places.free, slot)
    return slot


def _take_request(provider: str) -> None:
    limit = limit_of(provider, "per_minute")
    kind = PlaceKind.REQUEST
    if limit and not places.take(provider=provider, kind=kind, limit=limit, seconds=places.MINUTE_SECONDS):
        until, _now = places.next_free(provider=provider, kind=kind, limit=limit)
        raise Busy(provider=provider, reason="rate_limited_until", until=until, cause=f"{limit} requests a minute")
