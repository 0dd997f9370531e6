"""What a row says while its job is held: by whom or what, why, what to do and until when, from the database to the words."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from apps.accounts.models import Budget, User
from apps.desk import operations
from apps.desk.estimates import describe
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Hold, Job, Lane, Worker
from apps.jobs.states import Reason
from apps.orders import leave
from apps.pages.words import Line, waiting
from apps.providers import errors, governor, spending
from apps.providers.models import Breaker
from tests.api.conftest import caller_of
from tests.factories import CallFactory, JobFactory, RowFactory

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "a/model"


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("ada", password="a long password")


@pytest.fixture
def job(owner: User) -> Job:
    """An image that nothing but a hold keeps from starting."""
    Lane.objects.filter(name="images").update(limit=None, owner_limit=None)
    lanes.forget_limits()
    now = timezone.now()
    Worker.objects.create(name="w1", lanes=["images"], processes=4, started_at=now, alive_at=now)
    return JobFactory(row=RowFactory(workspace__owner=owner))


def told(job: Job) -> tuple[str, str]:
    """The reason and the sentences."""
    outlook = describe([Job.objects.get(pk=job.pk)])[job.pk]
    said = waiting(Line.of(job, outlook))
    return outlook.reason, strip_tags(f"{said.lead} {said.rest}")


def pause_lane() -> None:
    lanes.pause("images", by="Jo", note="new prices")


def drain_lane() -> None:
    operations.drain("images", by="Jo", note="new prices")


def stop_all() -> None:
    operations.stop(by="Jo", note="new prices")


def hold_provider() -> None:
    operations.hold_provider("wavespeed", by="Jo", note="new prices")


def hold_owner() -> None:
    operations.hold_owner("ada", by="Jo", note="new prices")


@pytest.mark.parametrize(
    ("hold", "reason", "what", "goes_on"),
    [
        (pause_lane, Reason.LANE_PAUSED, "Images were paused by Jo", "when Jo resumes them"),
        (drain_lane, Reason.LANE_PAUSED, "Images were paused by Jo", "when Jo resumes them"),
        (stop_all, Reason.LANE_PAUSED, "Images were paused by Jo", "when Jo resumes them"),
        (hold_provider, Reason.PROVIDER_HELD, "WaveSpeed was switched off by Jo", "when Jo switches it on again"),
        (hold_owner, Reason.OWNER_HELD, "Your jobs were held back by Jo", "when Jo releases them"),
    ],
)
def test_what_a_person_held_is_told_as_that(
    job: Job, hold: Callable[[], None], reason: Reason, what: str, goes_on: str
) -> None:
    hold()
    why, words = told(job)
    assert why == reason
    assert words.startswith(what)
    assert ": new prices." in words
    assert f"It keeps its place and goes on {goes_on}. Ask Jo if it lasts." in words


@pytest.mark.parametrize("scope", ["provider", "owner"])
def test_a_hold_with_an_end_says_when(job: Job, scope: str) -> None:
    until = timezone.now() + timedelta(minutes=3)
    if scope == "provider":
        operations.hold_provider("wavespeed", by="Jo", until=until)
    else:
        operations.hold_owner("ada", by="Jo", until=until)
    assert f"goes on at {until:%H:%M:%S} UTC, or when Jo" in told(job)[1]


CAUSES: dict[type[errors.ProviderError], tuple[str, str]] = {
    errors.PaymentRequired: ("WaveSpeed has no credits left.", "Whoever runs this desk must top up"),
    errors.AuthFailed: ("WaveSpeed does not accept this desk's key.", "Whoever runs this desk must correct it"),
    errors.QuotaExhausted: ("This desk's allowance at WaveSpeed is used up", "It renews by itself, or whoever runs"),
    errors.Overloaded: ("WaveSpeed is overloaded or broken", "Nothing to do: it goes on by itself"),
    errors.TransientNetwork: ("WaveSpeed does not answer", "Nothing to do: it goes on by itself"),
    errors.OutcomeUnknown: ("WaveSpeed does not answer", "Nothing to do: it goes on by itself"),
    errors.MalformedOutput: ("WaveSpeed sends answers that cannot be read.", "Nothing to do: it goes on by itself"),
}


def test_every_error_that_opens_a_breaker_has_a_cause_here() -> None:
    known = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind for kind in known if kind.health in ("down", "refuses_us")} == set(CAUSES)


def meet(kind: type[errors.ProviderError]) -> None:
    """As often as it takes to open a breaker; the last job to be turned away is held with its model's breaker."""
    for _ in range(5):
        error = kind("wavespeed")
        leave.report(provider="wavespeed", model=MODEL, error=error)
        if error.health == "refuses_us":
            leave.end_for_job(error)
    Job.objects.update(attempt=1)


@pytest.mark.parametrize("kind", list(CAUSES))
def test_an_open_breaker_names_its_cause_everywhere(job: Job, owner: User, kind: type[errors.ProviderError]) -> None:
    said, todo = CAUSES[kind]
    meet(kind)
    why, words = told(job)
    assert why == Reason.BREAKER_OPEN
    assert words.startswith(said)
    assert todo in words
    assert "tries it" in words, "when it is tried again"

    api = caller_of(owner)("get", f"/api/jobs/{job.uid}").json()
    assert api["waitingReason"] == "breaker_open_until"
    assert (api["waitingFacts"]["cause"], api["waitingFacts"]["message"]) == (
        kind.code,
        words[: words.index(" " + todo)],
    )
    (lane,) = (lane for lane in operations.stats() if lane.lane == "images")
    assert kind.code in {hold.cause for hold in lane.holds}


def test_a_breaker_on_trial_says_so_and_no_start(job: Job) -> None:
    """F29: nobody is told "starts now" while one call tries for all."""
    meet(errors.PaymentRequired)
    Hold.objects.all().delete()
    Breaker.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    assert told(job)[1].endswith("The first in line tries it next, then the rest go on.")
    with governor.permit(provider="wavespeed", model=MODEL, seconds=30):
        why, words = told(job)
        assert why == Reason.BREAKER_OPEN
        assert words.endswith("One job tries it now; when that works, the rest go on.")
        assert "starts now" not in words
        leave.report(provider="wavespeed", model=MODEL, error=None)
    assert told(job)[0] == "", "it worked: nothing is held any more"


def test_our_own_limits_are_not_told_as_the_providers_wish(job: Job, settings: object) -> None:
    settings.PROVIDER_LIMITS = {"wavespeed": {"concurrent": 0, "per_minute": 1}}  # type: ignore[attr-defined]
    with leave.permit(provider="wavespeed", model=MODEL, seconds=30):
        pass
    with pytest.raises(leave.RetryLater) as held:
        leave.permit(provider="wavespeed", model=MODEL, seconds=30)
    assert held.value.failure.code == "requests_a_minute"
    why, words = told(job)
    assert why == Reason.RATE_LIMITED
    assert "This desk has sent WaveSpeed as many requests as it may in a minute." in words
    assert "asked us" not in words


def test_a_used_up_budget_says_what_is_spent_and_what_is_set_aside(job: Job, owner: User) -> None:
    Budget.objects.create(owner=owner, amount_usd=Decimal("0.30"))
    CallFactory(owner=owner, cost_usd=Decimal("0.24"))
    other = JobFactory(row=RowFactory(workspace__owner=owner))
    with transaction.atomic():
        spending.set_aside([spending.Wanted(other.pk, owner.pk, "wavespeed", Decimal("0.04"))])
        short = spending.set_aside([spending.Wanted(job.pk, owner.pk, "wavespeed", Decimal("0.04"))])
    assert (short[job.pk].spent, short[job.pk].held, short[job.pk].left) == (
        Decimal("0.24"), Decimal("0.04"), Decimal("0.02"),
    )  # fmt: skip
    lifecycle.hold_back([job.pk], until=short[job.pk].renews)
    why, words = told(job)
    assert why == Reason.BUDGET
    assert words.startswith(
        "Today's $0.30 do not reach for it: $0.24 spent, $0.04 set aside for other jobs, $0.02 left."
    )
    assert "Spending shows how it stands." in words
    page = Client()
    page.force_login(owner)
    assert "$0.24" in page.get("/spending").content.decode(), "the page that it sends to says the same"
