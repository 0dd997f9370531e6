"""Models asked in order until one delivers, each for the kinds of failure that it is there for.

A product names the entries, asks one of them (by chat.py, so by the paid call) and checks its answer. Who steps in for whom,
and what all setbacks together mean for the job, is decided here. Whoever was really asked has its row in the ledger.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from apps.jobs.handlers import GiveUp, RetryLater, Run
from apps.jobs.states import Reason
from apps.jobs.values import Failure
from apps.orders import leave
from apps.providers.errors import ContentRefused, ProviderError, RequestTooLarge, Truncated

T = TypeVar("T")

ERROR, REFUSAL, TOO_LONG = "error", "refusal", "too_long"
FAILURES = frozenset({ERROR, REFUSAL, TOO_LONG})
ACCEPTED, HELD, INCAPABLE = "accepted", "held", "incapable"


@dataclass(frozen=True)
class Entry:
    """`after`: the kinds of failure of the models before it after which this one is asked."""

    model: str
    after: frozenset[str]
    provider: str = "xai"

    def steps_in_for(self, failure: str) -> bool:
        return failure in self.after


@dataclass(frozen=True)
class Setback:
    """One model did not deliver: the kind of failure, what it means if nobody else does, what was said and paid.

    `outcome` is what a person reads of it: the kind, or that it was held back or is incapable.
    """

    kind: str
    end: RetryLater | GiveUp
    said: str
    outcome: str
    answered: str = ""
    cost_usd: Decimal | None = None


def entry_of(text: str) -> Entry:
    """`model[:failure|failure…]`; without failures: after any error, and no refusal. Raises ValueError."""
    model, _, failures = text.partition(":")
    named = frozenset(failure.strip() for failure in failures.split("|") if failure.strip())
    after = named or frozenset({ERROR, TOO_LONG})
    unknown = after - FAILURES
    if unknown:
        raise ValueError(f"{text!r}: {', '.join(sorted(unknown))} is not one of {', '.join(sorted(FAILURES))}.")
    return Entry(model.strip(), after)


def ask_in_order(
    entries: Iterable[Entry], ask: Callable[[Entry], T | Setback], *, may_step_in: Callable[[str], bool]
) -> T | list[Setback]:
    """What the first one delivers, or the setback of each that was tried. An entry is asked after the failure it is there
    for, and where `may_step_in` allows that kind of failure to be passed on at all."""
    setbacks: list[Setback] = []
    for entry in entries:
        last = setbacks[-1].kind if setbacks else ""
        if last and not (entry.steps_in_for(last) and may_step_in(last)):
            continue
        answer = ask(entry)
        if not isinstance(answer, Setback):
            return answer
        setbacks.append(answer)
    assert setbacks, "the chain is empty: manage.py check names it"
    return setbacks


def end_of(run: Run, setbacks: list[Setback]) -> GiveUp | RetryLater:
    """What becomes of the job when nobody delivered; raises RetryLater while any of them may still.

    A try is counted when one was really asked in vain.
    """
    passing = [setback.end for setback in setbacks if isinstance(setback.end, RetryLater)]
    asked_in_vain = [end for end in passing if end.reason == Reason.BACKOFF]
    held = [end for end in passing if end.reason != Reason.BACKOFF]
    if asked_in_vain and run.lease.failures < run.lease.max_retries:
        raise asked_in_vain[-1]
    if held:
        raise held[-1]
    return setbacks[-1].end


def held_back(end: RetryLater) -> Setback:
    """It was not asked: money or leave was lacking."""
    return Setback(ERROR, end, end.failure.message, HELD)


def setback_of(error: ProviderError, *, refused: Failure) -> Setback:
    """What a provider's error means within a chain; `refused` is what a refusal says to people."""
    if isinstance(error, ContentRefused):
        said = error.detail or error.message
        return Setback(REFUSAL, GiveUp(refused), said, REFUSAL, cost_usd=error.cost_usd)
    kind = TOO_LONG if isinstance(error, RequestTooLarge | Truncated) else ERROR
    end = leave.end_for_job(error)
    held = isinstance(end, RetryLater) and end.reason != Reason.BACKOFF
    return Setback(kind, end, error.message, HELD if held else kind, cost_usd=error.cost_usd)
