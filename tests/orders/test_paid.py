"""One paid call: what is asked before it leaves, what stands in the ledger whatever ends it, and what is never sent twice."""

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.clock import database_now
from apps.jobs import holds, lifecycle
from apps.jobs.handlers import Cancelled, LeaseLost, RetryLater, Run
from apps.jobs.models import Job
from apps.jobs.states import Reason
from apps.jobs.values import Failure
from apps.orders.paid import Answered, Order, Taken, paid
from apps.orders.quotes import Price
from apps.providers.errors import InvalidRequest, OutcomeUnknown, TransientNetwork
from apps.providers.models import Breaker, Call, Earmark
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db(transaction=True)
CHAT, SUBMIT = ("xai", "chat"), ("wavespeed", "submit")
EDIT = ("openai", "edit")  # of unknown outcome: a person is asked


def claimed(kind: str = "prompt") -> Run:
    lease = lifecycle.claim(lane=JobFactory(kind=kind).lane, worker="tests")
    assert lease is not None
    return Run(lease=lease, ends=float("inf"))


@pytest.fixture
def run() -> Run:
    return claimed()


def ordering(
    run: Run, asked: tuple[str, str] = CHAT, *, price: Price | None = None, model: str = "m"
) -> AbstractContextManager[Order]:
    provider, purpose = asked
    price = price or Price(Decimal("0.03"), "at_most")
    return paid(run, provider=provider, purpose=purpose, model=model, inputs={"a": 1}, price=price, seconds=30)


def unheard(run: Run, asked: tuple[str, str] = CHAT) -> None:
    """A call that left and that nobody heard the answer of."""
    with pytest.raises(TransientNetwork), ordering(run, asked):
        raise TransientNetwork(asked[0], sent=None)


def calls() -> list[tuple[str, bool]]:
    return list(Call.objects.order_by("created_at").values_list("state", "resent"))


def test_an_answer_is_in_the_ledger_with_what_it_cost(run: Run) -> None:
    with ordering(run) as order:
        assert Call.objects.get().state == "intent", "committed before it leaves"
        order.outcome = Answered({"text": "A cat"}, cost_usd=Decimal("0.01"), cost_source="reported", provider_id="r-1")
    call = Call.objects.get()
    assert (call.state, call.cost_usd, call.cost_source) == ("succeeded", Decimal("0.01"), "reported")
    assert (call.result, call.provider_id, call.product) == ({"text": "A cat"}, "r-1", "studio")
    assert Earmark.objects.get(pk=run.lease.job_id).held_usd == Decimal("0.02"), "the difference is held again"


def test_an_answer_without_a_figure_costs_its_estimate(run: Run) -> None:
    with ordering(run) as order:
        order.outcome = Answered({"text": "A cat"})
    assert Call.objects.values_list("cost_usd", "cost_source").get() == (Decimal("0.03"), "estimated")


def test_what_is_taken_is_booked_at_its_quoted_price() -> None:
    with ordering(claimed("image"), SUBMIT, price=Price(Decimal("0.04"), "quoted")) as order:
        order.outcome = Taken("task-1")
    call = Call.objects.get()
    assert (call.state, call.provider_id) == ("accepted", "task-1")
    assert (call.cost_usd, call.cost_source) == (Decimal("0.04"), "quoted")


@pytest.mark.parametrize(
    ("error", "state", "cost"),
    [
        (TransientNetwork("xai", sent=False), "failed", None),
        (TransientNetwork("xai", sent=None), "unknown", None),
        (InvalidRequest("xai", cost_usd=Decimal("0.02")), "failed", Decimal("0.02")),
        (InvalidRequest("xai"), "failed", Decimal("0.03")),
    ],
)
def test_an_error_is_settled_and_goes_on_with_what_it_cost(
    run: Run, error: TransientNetwork, state: str, cost: Decimal | None
) -> None:
    with pytest.raises(type(error)) as met, ordering(run):
        raise error
    assert Call.objects.values_list("state", "cost_usd").get() == (state, cost)
    assert met.value.cost_usd == cost


def test_every_outcome_is_told_to_the_breakers(run: Run) -> None:
    with pytest.raises(TransientNetwork), ordering(run):
        raise TransientNetwork("xai", sent=False)
    assert Breaker.objects.get(provider="xai", model="m").failures == 1
    with ordering(run) as order:
        order.outcome = Answered({})
    breaker = Breaker.objects.get(provider="xai", model="m")
    assert (breaker.calls, breaker.failures) == (2, 1)


def test_a_block_that_says_nothing_leaves_the_intent_to_be_settled(run: Run) -> None:
    with pytest.raises(RuntimeError, match="said nothing"), ordering(run):
        pass
    assert calls() == [("intent", False)]


def test_a_job_that_is_held_back_makes_no_call(run: Run) -> None:
    hold_xai()
    with pytest.raises(RetryLater) as held, ordering(run):
        raise AssertionError("it must not be sent")
    assert held.value.reason == Reason.RATE_LIMITED
    assert not calls()


def hold_xai() -> None:
    until = database_now() + timedelta(seconds=60)
    holds.hold_back("xai", reason=Reason.RATE_LIMITED, until=until, cause="rate_limited")


def test_a_job_that_was_taken_away_makes_no_call(run: Run) -> None:
    assert lifecycle.fail(run.lease, Failure("gone", "It was ended under the worker.", "Try it again."))
    with pytest.raises(LeaseLost), ordering(run):
        raise AssertionError("it must not be sent")
    assert not calls()


def test_a_cancelled_job_makes_no_call(run: Run) -> None:
    Job.objects.filter(pk=run.lease.job_id).update(cancel_requested_at=database_now())
    with pytest.raises(Cancelled), ordering(run):
        raise AssertionError("it must not be sent")
    assert not calls()


def test_an_unheard_chat_is_sent_once_more_flagged_and_not_a_third_time(run: Run) -> None:
    unheard(run)
    assert calls() == [("unknown", False)]
    unheard(run)
    assert calls() == [("unknown", True), ("unknown", False)]
    with pytest.raises(OutcomeUnknown, match="Grok was asked twice"), ordering(run):
        raise AssertionError("it must not be sent")
    assert len(calls()) == 2


def test_only_a_call_that_was_really_sent_again_is_flagged(run: Run) -> None:
    """The provider is held when the chat is to be sent once more: later there is still that second time."""
    unheard(run)
    hold_xai()
    with pytest.raises(RetryLater), ordering(run):
        raise AssertionError("it must not be sent")
    assert calls() == [("unknown", False)]
    holds.let_go("xai", [Reason.RATE_LIMITED])
    with ordering(run) as order:
        order.outcome = Answered({"text": "A cat"})
    assert calls() == [("unknown", True), ("succeeded", False)]


@pytest.mark.parametrize("asked", [SUBMIT, EDIT])
def test_nothing_is_sent_while_an_earlier_order_may_exist(asked: tuple[str, str]) -> None:
    run = claimed("image")
    unheard(run, asked)
    with pytest.raises(OutcomeUnknown) as refused, ordering(run, asked):
        raise AssertionError("it must not be sent")
    assert not refused.value.outcome_known, "so its job settles the earlier one"
    assert calls() == [("unknown", False)]


def test_after_an_order_that_surely_never_arrived_another_is_sent() -> None:
    run = claimed("image")
    unheard(run, SUBMIT)
    Call.objects.update(state="lost", finished_at=database_now())
    with ordering(run, SUBMIT) as order:
        order.outcome = Taken("task-2")
    assert calls() == [("lost", False), ("accepted", False)]
