"""Between a handler and a provider: leave to call, and what a provider's error means for the job.

Until when a provider may not be called stands in two places, each with a question of its own: a hold of the queue
(jobs_hold) keeps jobs from starting, and whoever already runs from calling; a breaker (providers_breaker) decides who
tries again first.
"""

from datetime import datetime, timedelta
from http import HTTPStatus

from apps.core.clock import database_now
from apps.core.errors import Problem, Remedy
from apps.jobs import holds
from apps.jobs.handlers import GiveUp, RetryLater
from apps.jobs.states import Reason
from apps.jobs.values import Failure
from apps.providers import governor
from apps.providers.causes import ASKED_TO_WAIT, NOTHING_TO_DO, cause_of
from apps.providers.errors import ProviderError, RateLimited
from apps.providers.registry import provider_name

_REFUSED_SECONDS = 60.0
_PLACE_PAUSE = timedelta(seconds=1)


def permit(*, provider: str, model: str, seconds: float) -> governor.Permit:
    """Leave for one call; raises RetryLater, which costs no attempt, when there is none."""
    held = holds.standing_hold(provider)
    if held and held.until:
        raise _held_error(provider, Reason(held.reason), held.until, held.cause)
    try:
        return governor.permit(provider=provider, model=model, seconds=seconds)
    except governor.Busy as busy:
        # The provider's queued jobs are held as well, so that they keep their places instead of trying one after another.
        reason = Reason.BREAKER_OPEN if busy.reason == "breaker_open_until" else Reason.RATE_LIMITED
        if busy.reason == "provider_limit":  # a place may come free at any moment: a short hold, so that nobody spins
            until = min(busy.until, database_now() + _PLACE_PAUSE)
            holds.hold_back(provider, reason=Reason.LANE_LIMIT, until=until, cause=busy.cause)
        elif not busy.model:
            holds.hold_back(provider, reason=reason, until=busy.until, cause=busy.cause)
        raise _held_error(provider, reason, busy.until, busy.cause) from busy


def report(*, provider: str, model: str, error: ProviderError | None) -> None:
    """How a call went. When a trial shows that the provider works again, whoever waits for that goes on at once."""
    if governor.report(provider=provider, model=model, error=error):
        holds.let_go(provider, [Reason.BREAKER_OPEN])


def end_for_job(error: ProviderError) -> RetryLater | GiveUp:
    """What a provider's error means for the job that met it, and for those behind it."""
    failure = Failure(error.code, error.message, error.action, error.remedy)
    limited = isinstance(error, RateLimited)
    if limited or error.retry_after is not None:
        seconds = governor.hold_seconds(error)
        until = database_now() + timedelta(seconds=seconds)
        cause = error.code if limited else ASKED_TO_WAIT
        holds.hold_back(error.provider, reason=Reason.RATE_LIMITED, until=until, cause=cause)
    if limited:
        return RetryLater(failure, after=seconds, reason=Reason.RATE_LIMITED)
    if error.health == "refuses_us":  # all of us, not this job: it stays queued
        until = database_now() + timedelta(seconds=_REFUSED_SECONDS)
        holds.hold_back(error.provider, reason=Reason.BREAKER_OPEN, until=until, cause=error.code)
        return RetryLater(failure, after=_REFUSED_SECONDS, reason=Reason.BREAKER_OPEN)
    return RetryLater(failure, after=error.retry_after) if error.can_pass else GiveUp(failure)


def unusable_result(provider: str, problem: Problem) -> RetryLater:
    """What came back is no picture yet: fetched again, in case it was cut on the way. It is not ordered again."""
    name = provider_name(provider)
    words = f"The result is paid for, and what {name} sent when we fetched it cannot be opened as a picture."
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        words = f"The result is paid for, and was not opened: {problem.detail}"
    return RetryLater(Failure(problem.code, words, "Retry fetches it again, for seven days, at no cost.", Remedy.RETRY))


def _held_error(provider: str, reason: Reason, until: datetime, cause: str) -> RetryLater:
    failure = Failure(cause or str(reason.value), cause_of(cause, provider).said, NOTHING_TO_DO)
    return RetryLater(failure, after=max((until - database_now()).total_seconds(), 0.2), reason=reason)
