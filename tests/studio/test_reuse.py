"""An identical finished prompt request may be used again: no call, no cost, and it says so."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import Budget, User
from apps.jobs.models import Job
from apps.jobs.states import FINAL
from apps.providers.models import Call
from apps.studio.models import PromptJob, Row, Workspace
from apps.studio.prompting.strategies import new_version
from apps.studio.rows import update_row
from apps.studio.services import generate_images, queue_prompt
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def allowing(workspace: Workspace) -> Workspace:
    Workspace.objects.filter(pk=workspace.pk).update(reuse_prompts=True)
    return workspace


def finished(job: Job) -> PromptJob:
    wait_until(lambda: Job.objects.get(pk=job.pk).status in FINAL, seconds=60, what="the prompt")
    return PromptJob.objects.select_related("reused_from", "job").get(job=job)


def write(owner: User, row: Row, **asked: object) -> PromptJob:
    return finished(queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url, **asked))  # type: ignore[arg-type]


def test_an_equal_request_makes_no_call_and_costs_nothing(
    stack: Stack, owner: User, row: Row, allowing: Workspace
) -> None:
    first = write(owner, row)
    bought = len(stack.simulator.ledger("xai"))
    Budget.objects.create(provider="xai", amount_usd=Decimal(0))
    again = write(owner, row)
    assert (again.generated_prompt, again.source) == (first.generated_prompt, "model")
    assert again.reused_from == first
    assert again.model_asked == first.model_asked
    assert not Call.objects.filter(job_id=again.pk).exists()
    assert len(stack.simulator.ledger("xai")) == bought, "and it did not wait for the budget that is used"
    third = write(owner, row)
    assert third.reused_from == first, "not a copy of a copy"


def test_images_get_the_prompt_that_is_used_again(stack: Stack, owner: User, row: Row, allowing: Workspace) -> None:
    first = write(owner, row)
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=1)
    wait_until(lambda: Job.objects.get(pk=made.jobs[0].pk).status == "completed", seconds=60, what="the image")
    assert made.jobs[0].image_job.__class__.objects.get(job=made.jobs[0]).prompt == first.generated_prompt


def test_nothing_is_used_again_unless_the_workspace_allows_it(stack: Stack, owner: User, row: Row) -> None:
    write(owner, row)
    assert write(owner, row).reused_from is None
    assert len(stack.simulator.ledger("xai")) == 2


def test_any_difference_is_another_request(
    stack: Stack, owner: User, row: Row, allowing: Workspace, photo: Callable[[str], str]
) -> None:
    write(owner, row)
    other = photo("coffee.png")
    assert write(owner, row, instructions="At night").reused_from is None
    assert write(owner, row, operation="enhance", existing_prompt="A cat in space").reused_from is None
    assert write(owner, row, ref_urls=[*row.ref_urls, other]).reused_from is None
    assert write(owner, row, ref_urls=[other, *row.ref_urls]).reused_from is None, "order is meaning"
    new_version(name="describe", text="You write prompts for an image model, in short words.")
    assert write(owner, row).reused_from is None


def test_the_same_file_under_another_address_is_the_same_picture(
    stack: Stack, owner: User, row: Row, allowing: Workspace, photo: Callable[[str], str]
) -> None:
    first = write(owner, row)
    update_row(user=owner, row_id=row.pk, fields={"ref_urls": [photo("chelsea.png")]})
    assert write(owner, row).reused_from == first


def test_a_made_up_prompt_is_never_used_again(stack: Stack, owner: User, row: Row, allowing: Workspace) -> None:
    PromptJob.objects.filter(pk=write(owner, row).pk).update(source="template")
    assert write(owner, row).reused_from is None


def test_the_api_and_the_page_say_that_it_was_used_again(
    stack: Stack, owner: User, row: Row, allowing: Workspace, client: Client
) -> None:
    first, again = write(owner, row), write(owner, row)
    client.force_login(owner)
    told = client.get(f"/api/prompt/queue/{again.job.uid}").json()
    assert (told["reusedFrom"], told["cost"], told["tried"]) == (str(first.job.uid), "0.00", [])
    assert "Nothing was paid" in client.get(f"/jobs/{again.job.uid}").content.decode()
