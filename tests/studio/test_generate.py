"""AI Generate, by real workers against the simulator: the prompt, then the images."""

import pytest

from apps.accounts.models import User
from apps.jobs.models import Job
from apps.jobs.states import FINAL
from apps.providers.models import Call
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row
from apps.studio.rows import rows_with_state
from apps.studio.services import generate_images
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def finished(jobs: list[Job]) -> bool:
    return all(Job.objects.get(pk=job.pk).status in FINAL for job in jobs)


def test_ai_generate_writes_the_prompt_then_makes_the_images(stack: Stack, owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=2, priority=8)
    assert made.prompt_status == "generating"
    assert {job.status for job in made.jobs} == {"waiting"}
    wait_until(lambda: finished(made.jobs), seconds=60, what="both images")
    prompt = PromptJob.objects.get(job=made.prompt_job)
    assert {job.status for job in Job.objects.filter(pk__in=[job.pk for job in made.jobs])} == {"completed"}
    assert (prompt.source, prompt.model_asked) == ("model", "grok-4.7")
    assert set(ImageJob.objects.values_list("prompt", flat=True)) == {prompt.generated_prompt}
    assert GeneratedImage.objects.filter(row=row).count() == 2
    assert rows_with_state([Row.objects.get(pk=row.pk)])[0].status == "done"
    submits = Call.objects.filter(purpose="submit")
    assert {call.state for call in submits} == {"succeeded"}
    assert all(call.cost_usd for call in Call.objects.all())
    assert len(stack.simulator.ledger("wavespeed")) == 2
