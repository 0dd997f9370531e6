"""One paid call, whoever makes it and of whatever provider: the only way that money leaves.

    with paid(run, provider=…, purpose=…, model=…, inputs=…, price=…, seconds=…) as order:
        answer = client.ask(…, seconds=order.seconds, leaves_by=order.leaves_by)
        order.outcome = Answered(result=…, cost_usd=…)          # answered now
        order.outcome = Taken(answer.id)                        # or: taken, look later

The block only sends, and says what came back. What it raises as a ProviderError is settled in the ledger and reported
to the breakers, and goes on to the caller with what it cost; anything else that ends it leaves the intent behind, and
settling.py says what is done about that.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings

from apps.core.database import give_back_connection
from apps.core.failpoints import failpoint
from apps.jobs.handlers import Run
from apps.orders import budgets, leave
from apps.orders.quotes import Price
from apps.orders.settling import WhenUnknown, check_none_may_exist, policy_of
from apps.providers import calls
from apps.providers.errors import ProviderError
from apps.providers.models import Call

log = structlog.get_logger(__name__)

LONGEST_TO_LEAVE_SECONDS = 10.0


@dataclass(frozen=True)
class Answered:
    """The work is done: this is the answer, as the ledger keeps it. USD; without a cost the estimate is booked."""

    result: Any
    model_answered: str = ""
    usage: Mapping[str, Any] | None = None
    cost_usd: Decimal | None = None
    cost_source: str = ""
    provider_id: str = ""
    http_status: int | None = None


@dataclass(frozen=True)
class Taken:
    """The provider works on it under this id. Its price is booked now: a task's reply carries no cost."""

    provider_id: str


@dataclass
class Order:
    """A call on its way: how many seconds it has, and the moment (time.monotonic()) after which it must not leave."""

    call: Call
    seconds: float
    leaves_by: float
    outcome: Answered | Taken | None = None


@contextmanager
def paid(
    run: Run,
    *,
    provider: str,
    purpose: str,
    model: str,
    inputs: Mapping[str, Any],
    price: Price,
    seconds: float,
) -> Iterator[Order]:
    """Covers, asks leave, checks, records, lets the block send, settles and reports.

    Raises RetryLater, at no try's expense, when money or leave is lacking; OutcomeUnknown when an earlier call of this
    job may still exist; LeaseLost or Cancelled when the job is no longer ours to pay for. Nothing was sent then.
    """
    check_none_may_exist(job_id=run.lease.job_id, provider=provider, purpose=purpose)
    budgets.cover(run.lease, provider=provider, amount=price.amount or Decimal(0))
    seconds = min(seconds, run.remaining)
    with leave.permit(provider=provider, model=model, seconds=seconds):
        # Before the check: a worker that is paused right after it must not believe that it is still in time.
        leaves_by = time.monotonic() + _seconds_to_leave()
        run.check()  # the permit may have been waited for: a job that was taken away is not paid for
        call = calls.begin(
            job_id=run.lease.job_id,
            attempt=run.lease.attempt,
            owner_id=run.lease.owner_id,
            provider=provider,
            purpose=purpose,
            product=settings.KINDS[run.lease.kind].product,
            model=model,
            inputs=inputs,
            estimate_usd=price.amount,
            sends_again=policy_of(provider, purpose).when_unknown is WhenUnknown.SEND_ONCE_MORE,
        )
        order = Order(call, seconds, leaves_by)
        failpoint(f"before_{purpose}")
        give_back_connection()
        try:
            yield order
            failpoint(f"after_{purpose}")
            match order.outcome:
                case Answered() as answer:
                    calls.succeeded(call, **vars(answer))
                    failpoint("after_answer")
                case Taken(provider_id):
                    calls.accepted(call, provider_id=provider_id)
                    failpoint("after_accept")
                    book_price(call, price)
                case None:
                    raise RuntimeError(f"The block of a paid {purpose} ended and said nothing of its outcome.")
        except ProviderError as error:
            (calls.failed if error.outcome_known else calls.unknown)(call, error)
            error.cost_usd = call.cost_usd
            leave.report(provider=provider, model=model, error=error)
            raise
    leave.report(provider=provider, model=model, error=None)


def book_price(call: Call, price: Price) -> None:
    """What a task cost, as far as it was told: the provider's quote, our table, or the estimate."""
    if price.amount is None:
        log.warning("price_unknown", model=call.model_asked)
    else:
        calls.set_cost(call, cost_usd=price.amount, cost_source=price.cost_source)


def _seconds_to_leave() -> float:
    """From the intent's commit until the request has left, or it does not leave at all.

    Worker A is paused in between, and its job is given to worker B. B believes that there is no order only after
    LOOKUP_GRACE_SECONDS; what A sends within half of them is in the provider's list by then.
    """
    return min(LONGEST_TO_LEAVE_SECONDS, settings.LOOKUP_GRACE_SECONDS / 2)
