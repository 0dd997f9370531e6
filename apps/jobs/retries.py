"""What an error means for a job: try again, when, at whose expense, or give up."""

import random
from dataclasses import dataclass

from apps.core.errors import Remedy
from apps.jobs.handlers import GiveUp, RetryLater
from apps.jobs.states import Outcome, Reason
from apps.jobs.values import Failure, Lease

BASE_SECONDS = 1.0
LONGEST_SECONDS = 30.0
JITTER = 0.2
INTERRUPTED = "interrupted"
STOPPED = Failure("interrupted", "The worker was stopped. The job goes on with the next one.")
DATABASE_AWAY = Failure("database_away", "The database went away in the middle. The job goes on by itself.")
CROWDED = Failure("database_busy", "The database was busy with other jobs. This one goes on by itself.")
OVER_TIME = Failure("over_time", "It took longer than a job may.", "Try it again.", Remedy.RETRY)
BUG = Failure("internal_error", "Something in Pressroom broke on this job.", "Show it to whoever runs this desk.")

_HELD_BACK = {
    Reason.RATE_LIMITED: Outcome.RATE_LIMITED,
    Reason.BREAKER_OPEN: Outcome.BREAKER,
    Reason.BUDGET: Outcome.RATE_LIMITED,
    INTERRUPTED: Outcome.INTERRUPTED,
}


@dataclass(frozen=True)
class Again:
    """Try again in `seconds`. `counts`: it uses up one of the attempts."""

    seconds: float
    reason: str
    outcome: str
    failure: Failure
    counts: bool


def decide(error: BaseException, lease: Lease) -> Again | Failure:
    """The next try, or the failure that ends the job."""
    if isinstance(error, GiveUp):
        return error.failure
    if not isinstance(error, RetryLater):
        error = RetryLater(BUG)
    if error.reason in _HELD_BACK:
        least = 0.0 if error.reason == INTERRUPTED else 0.2
        seconds = max(BASE_SECONDS if error.after is None else error.after, least)
        return Again(seconds, error.reason, _HELD_BACK[error.reason], error.failure, counts=False)
    if lease.failures >= lease.max_retries:
        return error.failure
    return Again(backoff(lease.failures, error.after), Reason.BACKOFF, Outcome.RETRY, error.failure, counts=True)


def backoff(failures: int, at_least: float | None = None) -> float:
    """Seconds before the next try: min(1 s × 2ⁿ, 30 s) ± 20 %, never less than what the provider asked."""
    seconds = min(BASE_SECONDS * 2**failures, LONGEST_SECONDS) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(seconds, at_least or 0.0)
