"""Who is asked for a prompt when the first model does not deliver, by real workers against a simulator that misbehaves."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from apps.accounts.models import Budget, User
from apps.jobs.models import Job
from apps.jobs.states import FINAL
from apps.providers import breakers, pricing
from apps.providers.models import Breaker, Call
from apps.studio.models import PromptJob, Row, Workspace
from apps.studio.services import queue_prompt
from apps.studio.workspaces import model_warnings
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
FIRST, SECOND, THIRD = "grok-4.7", "grok-4.3", "grok-4.20-non-reasoning"
GOOD = "A ginger cat asleep on a windowsill at dusk, warm lamp light, shallow focus, muted reds and deep blues."


@pytest.fixture
def answers(stack: Stack) -> Callable[..., None]:
    def answer(asked: str, **effect: object) -> None:
        stack.simulator.scenario("xai", match={"path": "/chat/completions", "model": asked}, times=None, **effect)

    return answer


@pytest.fixture
def write(stack: Stack, owner: User, row: Row) -> Callable[[], PromptJob]:
    """Asks for a prompt and waits for its end."""

    def written() -> PromptJob:
        job = queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url)
        PromptJob.objects.filter(job=job).update(on_failure="fail")
        wait_until(lambda: Job.objects.get(pk=job.pk).status in FINAL, seconds=60, what="the prompt")
        return PromptJob.objects.select_related("job").get(job=job)

    return written


def outcomes(prompt: PromptJob) -> list[tuple[str, str]]:
    return [(tried["model"], tried["outcome"]) for tried in prompt.tried]


def test_the_record_says_who_was_asked_what_each_said_and_cost(
    answers: Callable[..., None], write: Callable[[], PromptJob]
) -> None:
    answers(FIRST, status=500)
    answers(SECOND, text="**Prompt:** a cat")
    answers(THIRD, text=GOOD)
    prompt = write()
    assert outcomes(prompt) == [(FIRST, "error"), (SECOND, "error"), (THIRD, "accepted")]
    assert (prompt.source, prompt.model_asked, prompt.generated_prompt) == ("model", THIRD, GOOD)
    assert prompt.tried[0]["cost"] is None, "a failed call is not charged"
    assert prompt.tried[1]["said"]
    paid = sum(Decimal(tried["cost"]) for tried in prompt.tried[1:])
    assert paid == sum(call.cost_usd for call in Call.objects.filter(job_id=prompt.pk, cost_usd__isnull=False))
    assert paid > 0


def test_a_refusal_is_shopped_around_only_when_the_owner_says_so(
    answers: Callable[..., None], write: Callable[[], PromptJob], workspace: Workspace
) -> None:
    answers(FIRST, refusal="I cannot help with that.")
    answers(SECOND, text=GOOD)
    kept = write()
    assert (outcomes(kept), kept.job.error_code) == ([(FIRST, "refusal")], "prompt_refused")
    Workspace.objects.filter(pk=workspace.pk).update(shop_refusals=True)
    shopped = write()
    assert outcomes(shopped) == [(FIRST, "refusal"), (SECOND, "accepted")]


def test_models_that_are_not_there_for_refusals_are_not_asked_after_one(
    answers: Callable[..., None], write: Callable[[], PromptJob], workspace: Workspace
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(shop_refusals=True)
    for model in (FIRST, SECOND, THIRD):
        answers(model, refusal="I cannot help with that.")
    prompt = write()
    assert outcomes(prompt) == [(FIRST, "refusal"), (SECOND, "refusal")], prompt.tried


def test_each_model_is_asked_for_its_own_budget(answers: Callable[..., None], write: Callable[[], PromptJob]) -> None:
    """The first model's answer could cost more than is left, the last one's cannot."""
    asked = {"pictures": 2, "characters": 1200, "max_tokens": 2000}
    dear, cheap = (pricing.at_most("xai", model, **asked) for model in (FIRST, SECOND))
    assert dear is not None
    assert cheap is not None
    assert dear > cheap
    Budget.objects.create(provider="xai", amount_usd=(dear + cheap) / 2)
    prompt = write()
    assert outcomes(prompt) == [(FIRST, "held"), (SECOND, "accepted")]
    assert "do not reach for it" in prompt.tried[0]["said"]


def test_after_one_answer_that_never_came_the_chain_is_asked_to_its_end(
    answers: Callable[..., None], write: Callable[[], PromptJob]
) -> None:
    """One question is perhaps paid twice; that the second answer was of no use leaves it at one."""
    answers(FIRST, drop_connection="after")
    answers(SECOND, text="**Prompt:** a cat")
    answers(THIRD, text=GOOD)
    prompt = write()
    assert outcomes(prompt) == [(FIRST, "error"), (SECOND, "error"), (THIRD, "accepted")], prompt.tried
    unheard = Call.objects.get(job_id=prompt.pk, state="unknown")
    assert (unheard.model_asked, unheard.resent) == (FIRST, True)


def test_an_open_breaker_passes_the_question_on(write: Callable[[], PromptJob]) -> None:
    for _ in range(breakers.FEWEST_CALLS):
        breakers.count_failure(provider="xai", model=FIRST, reason="provider_overloaded")
    assert Breaker.objects.get(model=FIRST).state == "open"
    prompt = write()
    assert outcomes(prompt) == [(FIRST, "held"), (SECOND, "accepted")]
    assert not Call.objects.filter(model_asked=FIRST).exists()


def test_an_answer_from_another_model_is_recorded(answers: Callable[..., None], write: Callable[[], PromptJob]) -> None:
    answers(FIRST, model="grok-4.3", text=GOOD)
    prompt = write()
    assert (prompt.model_asked, prompt.model_answered) == (FIRST, "grok-4.3")
    assert prompt.tried[0]["answered"] == "grok-4.3"


def test_a_retired_image_model_is_warned_about(workspace: Workspace, settings: object) -> None:
    assert model_warnings(workspace) == []
    settings.PROMPT_MODELS = ["grok-4-fast", "grok-2-vision-1212:error"]  # type: ignore[attr-defined]
    first, second = model_warnings(workspace)
    assert "grok-4.3 answers instead, at its own price" in first
    assert "answers no more" in second
