"""The circuit breakers: a model that keeps failing is left alone for a while, then tried by one call.

    closed ── failures ≥ half of ≥ 5 calls in a minute ──► open ── open_until passed, one caller ──► half-open
       ▲                                                     ▲                                          │
       └────────────────── the trial succeeded ──────────────┴──────── the trial failed ────────────────┘

A refused key or missing credits open the whole provider (model "") at once.
"""

from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When

from apps.core.clock import ClockTimestamp, database_now
from apps.providers.models import Breaker, BreakerState

log = structlog.get_logger(__name__)

WINDOW = timedelta(seconds=60)
FEWEST_CALLS = 5
FAILURE_SHARE = 0.5
OPEN_FIRST = timedelta(seconds=30)
OPEN_LONGEST = timedelta(seconds=300)
OPEN_REFUSED = timedelta(seconds=60)  # a try that is refused costs nothing, and goes well once somebody has topped up
WHOLE_PROVIDER = ""


def closed_ones_aside(*, provider: str, model: str) -> list[Breaker]:
    """The breakers that stand in the way of this call, the whole provider's first."""
    standing = Breaker.objects.filter(provider=provider, model__in=[WHOLE_PROVIDER, model])
    return list(standing.exclude(state=BreakerState.CLOSED).order_by("model"))


def take_probe(breaker: Breaker, *, seconds: float) -> bool:
    """Whether this caller is the one that may try. Guarded: of all that ask at once, one wins."""
    due = Q(state=BreakerState.OPEN, open_until__lte=ClockTimestamp())
    forgotten = Q(state=BreakerState.HALF_OPEN) & (Q(probe_until=None) | Q(probe_until__lte=ClockTimestamp()))
    return bool(
        Breaker.objects.filter(due | forgotten, pk=breaker.pk).update(
            state=BreakerState.HALF_OPEN, probe_until=ClockTimestamp() + timedelta(seconds=seconds)
        )
    )


def give_probe_back(breaker: Breaker) -> None:
    """The caller did not get as far as trying."""
    Breaker.objects.filter(pk=breaker.pk, state=BreakerState.HALF_OPEN).update(probe_until=None)


def count_success(*, provider: str, model: str) -> bool:
    """Whether a half-open one closed by it. Two statements while all is well."""
    current = Q(window_started_at__gt=ClockTimestamp() - WINDOW)
    counted = Breaker.objects.filter(provider=provider, model=model, state=BreakerState.CLOSED).update(
        calls=Case(When(current, then=F("calls") + 1), default=Value(1)),
        failures=Case(When(current, then=F("failures")), default=Value(0)),
        window_started_at=Case(When(current, then=F("window_started_at")), default=ClockTimestamp()),
    )
    if not counted:
        _create(provider, model)
    half_open = Breaker.objects.filter(
        provider=provider, model__in=[WHOLE_PROVIDER, model], state=BreakerState.HALF_OPEN
    )
    return bool(half_open.update(**_clean()))


def count_failure(*, provider: str, model: str, reason: str) -> None:
    _create(provider, model)
    with transaction.atomic():
        # Locked, so that no two failures count from the same figure.
        breaker = Breaker.objects.select_for_update().get(provider=provider, model=model)
        _add_failure(breaker, reason=reason, now=database_now())
        breaker.save()


def open_provider(*, provider: str, reason: str) -> None:
    """At once: every further call would be refused too. It alerts when it begins, not at each trial that is refused."""
    _create(provider, WHOLE_PROVIDER)
    whole = Breaker.objects.filter(provider=provider, model=WHOLE_PROVIDER)
    begins = whole.filter(state=BreakerState.CLOSED).exists()
    whole.update(
        state=BreakerState.OPEN,
        reason=reason,
        open_until=ClockTimestamp() + OPEN_REFUSED,
        probe_until=None,
        openings=F("openings") + 1,
    )
    log.error("provider_refuses_us", alert=begins, provider=provider, code=reason)


def close(*, provider: str) -> int:
    """All of the provider's, by a person who has put things right; answers how many stood in the way."""
    return Breaker.objects.filter(provider=provider).exclude(state=BreakerState.CLOSED).update(**_clean())


def standing() -> list[Breaker]:
    """Every breaker that is open or on trial: whole providers first, then what will be tried last."""
    return list(Breaker.objects.exclude(state=BreakerState.CLOSED).order_by("provider", "model", "-open_until"))


def _add_failure(breaker: Breaker, *, reason: str, now: datetime) -> None:
    if breaker.state == BreakerState.OPEN:
        return  # a call from before it opened
    if breaker.window_started_at <= now - WINDOW:
        breaker.window_started_at, breaker.calls, breaker.failures = now, 0, 0
    breaker.calls += 1
    breaker.failures += 1
    too_many = breaker.calls >= FEWEST_CALLS and breaker.failures >= FAILURE_SHARE * breaker.calls
    if too_many or breaker.state == BreakerState.HALF_OPEN:
        _open(breaker, reason=reason, now=now)


def _open(breaker: Breaker, *, reason: str, now: datetime) -> None:
    breaker.state = BreakerState.OPEN
    breaker.reason = reason
    breaker.open_until = now + min(OPEN_FIRST * 2 ** min(breaker.openings, 10), OPEN_LONGEST)
    breaker.probe_until = None
    breaker.openings += 1
    log.error("breaker_opened", alert=True, provider=breaker.provider, model=breaker.model, code=reason)


def _clean() -> dict[str, object]:
    return {
        "state": BreakerState.CLOSED,
        "reason": "",
        "calls": 0,
        "failures": 0,
        "openings": 0,
        "open_until": None,
        "probe_until": None,
        "window_started_at": ClockTimestamp(),
    }


def _create(provider: str, model: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO providers_breaker (provider, model, state, reason, window_started_at, calls, failures, openings)"
            " VALUES (%s, %s, 'closed', '', clock_timestamp(), 0, 0, 0) ON CONFLICT DO NOTHING",
            [provider, model],
        )
