"""Between a handler and a provider: leave to call, and what a provider's error means for the job."""

from datetime import datetime, timedelta

from apps.core.errors import Problem
from apps.jobs import lanes
from apps.jobs.handlers import GiveUp, RetryLater
from apps.jobs.models import Hold
from apps.jobs.states import Reason
from apps.jobs.values import Failure
from apps.providers import governor
from apps.providers.clock import database_now
from apps.providers.errors import AuthFailed, PaymentRequired, ProviderError, QuotaExhausted, RateLimited, provider_name

# These leave the job queued: the provider refuses all of us, not this job.
_REFUSES_US = (AuthFailed, PaymentRequired, QuotaExhausted)
_REFUSED_SECONDS = 60.0
_PLACE_PAUSE = timedelta(seconds=1)


def permit(*, provider: str, model: str, seconds: float) -> governor.Permit:
    """Leave for one call; raises RetryLater, which costs no attempt, when the governor has none."""
    try:
        return governor.permit(provider=provider, model=model, seconds=seconds)
    except governor.Busy as busy:
        raise held_back(busy) from busy


def held_back(busy: governor.Busy) -> RetryLater:
    """Holds the provider's queued jobs as well, so that they keep their places instead of trying one after another."""
    reason = Reason.BREAKER_OPEN if busy.reason == "breaker_open_until" else Reason.RATE_LIMITED
    if busy.reason == "provider_limit":  # a place may come free at any moment: a short hold, so that nobody spins
        _hold(busy.provider, Reason.LANE_LIMIT, min(busy.until, database_now() + _PLACE_PAUSE))
    elif not busy.model:
        _hold(busy.provider, reason, busy.until)
    words = f"{provider_name(busy.provider)} is not called for the moment."
    failure = Failure(str(reason.value), words, "Nothing to do: it goes on by itself and loses no try.")
    return RetryLater(failure, after=_seconds_until(busy.until), reason=reason)


def report(*, provider: str, model: str, error: ProviderError | None) -> None:
    governor.report(provider=provider, model=model, error=error)


def verdict(error: ProviderError) -> RetryLater | GiveUp:
    """What a provider's error means for the job that met it."""
    failure = Failure(error.code, error.message, error.action)
    if isinstance(error, RateLimited):
        seconds = governor.hold_seconds(error)
        _hold(error.provider, Reason.RATE_LIMITED, database_now() + timedelta(seconds=seconds))
        return RetryLater(failure, after=seconds, reason=Reason.RATE_LIMITED)
    if isinstance(error, _REFUSES_US):
        _hold(
            error.provider,
            Reason.BREAKER_OPEN,
            database_now() + timedelta(seconds=_REFUSED_SECONDS),
            note=error.message,
        )
        return RetryLater(failure, after=_REFUSED_SECONDS, reason=Reason.BREAKER_OPEN)
    return RetryLater(failure, after=error.retry_after) if error.can_pass else GiveUp(failure)


def _hold(provider: str, reason: Reason, until: datetime, note: str = "") -> None:
    lanes.hold(Hold.Scope.PROVIDER, provider, reason=reason, until=until, note=note)


def _seconds_until(moment: datetime) -> float:
    return max((moment - database_now()).total_seconds(), 0.2)


def unusable(provider: str, problem: Problem) -> RetryLater:
    """What came back is no picture we can keep: fetched again, in case it was cut on the way."""
    name = provider_name(provider)
    return RetryLater(Failure(problem.code, f"What {name} sent cannot be opened. {problem.detail}", "Try it again."))
