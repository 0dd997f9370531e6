"""A row and its money: what is set aside when it is queued, who waits, what goes on when the budget is raised."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import Sum

from apps.accounts.models import Budget, User
from apps.assets.models import Asset
from apps.desk.estimates import describe
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.services import cancel_job, retry_job
from apps.orders import budgets
from apps.orders.budgets import fund
from apps.providers.models import Call, Earmark
from apps.providers.spending import standings
from apps.studio.models import PromptJob, Row
from apps.studio.quotes import quote_row, wanted_for_prompt
from apps.studio.rows import update_row
from apps.studio.services import Generated, generate_images, queue_prompt
from tests.support.stack import Stack, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PROMPT = "A bright studio photograph of a ginger cat resting between glowing galaxies, in soft light."


@pytest.fixture
def row_with_prompt(owner: User, row: Row) -> Row:
    return update_row(user=owner, row_id=row.pk, fields={"prompt_override": PROMPT})


def limit(amount: str, *, owner: User | None = None, provider: str = "", period: str = "day") -> Budget:
    return Budget.objects.create(owner=owner, provider=provider, period=period, amount_usd=Decimal(amount))


def generate(owner: User, row: Row, count: int) -> Generated:
    return generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=count)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def held() -> Decimal:
    return sum(Earmark.objects.values_list("held_usd", flat=True), Decimal(0))


def test_jobs_beyond_the_budget_are_accepted_and_wait(owner: User, row_with_prompt: Row) -> None:
    limit("0.10", owner=owner)
    jobs = generate(owner, row_with_prompt, 4).jobs
    assert [(job.status, job.reason) for job in jobs] == [("queued", "")] * 2 + [("scheduled", "budget")] * 2
    outlook = describe(jobs)[jobs[3].pk]
    assert (outlook.reason, outlook.wait_unknown, outlook.p50) == ("budget", "budget", None)
    assert Decimal(str(outlook.facts["budget"])) == Decimal("0.10")
    assert Decimal(str(outlook.facts["left"])) == Decimal("0.02")
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert outlook.until == midnight


def test_a_raised_budget_lets_them_go_on_in_their_order(owner: User, row_with_prompt: Row) -> None:
    budget = limit("0.04", owner=owner)
    jobs = generate(owner, row_with_prompt, 4).jobs
    assert budgets.fund() == 0
    Budget.objects.filter(pk=budget.pk).update(amount_usd=Decimal("0.13"))
    assert budgets.fund() == 2
    assert [fresh(job).status for job in jobs] == ["queued", "queued", "queued", "scheduled"]
    assert held() == Decimal("0.12")


def test_a_cancelled_job_gives_back_what_it_held(owner: User, row_with_prompt: Row) -> None:
    limit("0.04", owner=owner)
    first, second = generate(owner, row_with_prompt, 2).jobs
    cancel_job(user=owner, uid=first.uid)
    assert held() == 0
    assert budgets.fund() == 1
    assert fresh(second).status == "queued"


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_a_job_that_is_over_holds_nothing(owner: User, row_with_prompt: Row, end: str) -> None:
    generate(owner, row_with_prompt, 1)
    lease = lifecycle.claim(lane="images", worker="tests")
    assert lease is not None
    assert held() == Decimal("0.04")
    assert lifecycle.complete(lease) if end == "complete" else lifecycle.fail(lease, lifecycle.CRASHED)
    assert not Earmark.objects.exists()


def test_one_owner_without_money_does_not_hold_up_another(
    owner: User, row_with_prompt: Row, django_user_model: type[User]
) -> None:
    limit("0", owner=owner)
    other = django_user_model.objects.create_user("bob")
    generate(owner, row_with_prompt, 1)
    Asset.objects.update(owner=other)
    row_with_prompt.workspace.owner = other
    row_with_prompt.workspace.save()
    assert [job.status for job in generate(other, row_with_prompt, 1).jobs] == ["queued"]


def test_what_a_dead_worker_left_aside_is_given_back(owner: User, row_with_prompt: Row) -> None:
    job = generate(owner, row_with_prompt, 1).jobs[0]
    mark = Earmark.objects.get(pk=job.pk)
    cancel_job(user=owner, uid=job.uid)
    mark.save(force_insert=True)
    assert budgets.give_back_what_is_left() == 1
    assert not Earmark.objects.exists()


def test_a_retry_is_covered_like_any_other_job(owner: User, row_with_prompt: Row) -> None:
    limit("0.04", owner=owner)
    job = generate(owner, row_with_prompt, 1).jobs[0]
    cancel_job(user=owner, uid=job.uid)
    again = retry_job(user=owner, uid=job.uid)
    assert (again.status, held()) == ("queued", Decimal("0.04"))
    assert generate(owner, row_with_prompt, 1).jobs[0].reason == "budget"


def test_a_quote_names_prices_and_the_budget_that_is_short(owner: User, row: Row) -> None:
    limit("0.10", provider="wavespeed", period="month")
    quote = quote_row(user=owner, row_id=row.pk, count=3, use_ai_prompt=True)
    image, prompt = quote.items
    assert (image.total, image.model) == (Decimal("0.12"), "bytedance/seedream-v4.5/edit")
    assert prompt.each.source == "at_most"
    assert Decimal("0.01") < prompt.total < Decimal("0.05")
    assert quote.short is not None
    assert quote.short.limit.period == "month"


def test_forty_requests_at_once_set_aside_no_more_than_there_is(owner: User, row_with_prompt: Row) -> None:
    """Prompts and images, at two providers: whoever locks two budgets locks them in one order."""
    for amount, bound in (
        ("0.20", {"owner": owner}),
        ("0.14", {"provider": "wavespeed"}),
        ("0.05", {"provider": "xai"}),
    ):
        limit(amount, **bound)  # type: ignore[arg-type]
    start = Barrier(40)

    def ask(number: int) -> Generated:
        try:
            start.wait()
            return generate_images(user=owner, row_id=row_with_prompt.pk, use_ai_prompt=bool(number % 2), count=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(40) as pool:
        made = list(pool.map(ask, range(40)))
    assert len(made) == 40, "all are accepted"
    of = dict(Earmark.objects.values_list("provider").annotate(sum=Sum("held_usd")))
    assert of["wavespeed"] == Decimal("0.12"), "three images fit, not four"
    assert Decimal(0) < of["xai"] <= Decimal("0.05")
    assert held() <= Decimal("0.20")


@pytest.mark.workers
def test_the_budget_holds_through_real_workers_and_goes_on_when_raised(stack: Stack, owner: User, row: Row) -> None:
    budget = limit("0.09", provider="wavespeed")
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": PROMPT})
    jobs = generate(owner, row, 4).jobs
    waiting = [("completed", ""), ("completed", ""), ("scheduled", "budget"), ("scheduled", "budget")]

    def states() -> list[tuple[str, str]]:
        return [(job.status, job.reason) for job in Job.objects.filter(pk__in=[job.pk for job in jobs]).order_by("pk")]

    wait_until(lambda: states() == waiting, seconds=60, what="two made, two waiting")
    assert len(stack.simulator.ledger("wavespeed")) == 2
    Budget.objects.filter(pk=budget.pk).update(amount_usd=Decimal("1"))
    wait_until(lambda: {status for status, _ in states()} == {"completed"}, seconds=60, what="all four")
    assert len(stack.simulator.ledger("wavespeed")) == 4
    assert not Earmark.objects.exists()
    assert not Job.objects.filter(failures__gt=0).exists(), "waiting for money costs no try"


@pytest.mark.workers
def test_a_prompt_waits_for_the_budget_of_its_provider(stack: Stack, owner: User, row: Row) -> None:
    budget = limit("0", provider="xai")
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=1)
    assert made.prompt_job is not None
    assert (made.prompt_job.status, made.prompt_job.reason) == ("scheduled", "budget")
    assert describe(made.jobs)[made.jobs[0].pk].facts["waits"] == "budget"
    assert stack.simulator.ledger("xai") == []
    Budget.objects.filter(pk=budget.pk).update(amount_usd=Decimal("1"))
    wait_until(lambda: fresh(made.jobs[0]).status == "completed", seconds=60, what="the image")


@pytest.mark.workers
@pytest.mark.parametrize("usage", ["missing", {"prompt_tokens": None, "completion_tokens": None}])
def test_answers_without_figures_use_up_the_budget_all_the_same(
    stack: Stack, owner: User, row: Row, usage: object
) -> None:
    """Each costs what was set aside for it: a budget for three of the cheapest is good for three of them, or for fewer dear ones.

    A dear model is asked where there is room for it, which hangs on who gives back what at the moment.
    """
    one = wanted_for_prompt(PromptJob(row=row, ref_urls=row.ref_urls, target_url=row.target_url), owner.pk).amount
    limit(f"{one * 3:f}", owner=owner, provider="xai")
    stack.simulator.scenario("xai", times=None, usage=usage)
    for _ in range(5):
        queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url)
    prompts = Job.objects.filter(kind="prompt")
    left = prompts.exclude(status="completed").exclude(status="scheduled", reason="budget")
    wait_until(
        lambda: standings(owner_id=owner.pk)[0].spent > one * 2 and not left.exists(),
        seconds=120,
        what="as many as the budget is good for",
    )
    assert fund() == 0
    [standing] = standings(owner_id=owner.pk)
    assert standing.held == 0
    assert standing.spent <= one * 3
    assert set(Call.objects.filter(state="succeeded").values_list("cost_source", flat=True)) == {"estimated"}
