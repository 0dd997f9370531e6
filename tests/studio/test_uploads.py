"""Pictures that we uploaded once, and that the provider no longer has."""

import pytest

from apps.accounts.models import User
from apps.jobs.models import Job
from apps.studio.models import Row
from apps.studio.rows import update_row
from apps.studio.services import generate_images
from tests.studio.test_policies import GOOD
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def made(owner: User, row: Row) -> Job:
    job = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1).jobs[0]
    wait_until(lambda: Job.objects.get(pk=job.pk).finished_at, seconds=60, what="the image")
    return Job.objects.get(pk=job.pk)


def test_pictures_that_the_provider_lost_are_sent_again(stack: Stack, owner: User, row: Row) -> None:
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": GOOD})
    assert made(owner, row).status == "completed"
    stack.simulator.reset()  # it forgets what was uploaded
    again = made(owner, row)
    assert (again.status, again.failures) == ("completed", 1)


def test_a_picture_that_is_not_readable_at_all_ends_the_job_with_words(stack: Stack, owner: User, row: Row) -> None:
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": GOOD})
    stack.simulator.scenario(
        "wavespeed", times=None, task_status="failed", task_code=1402, task_error="Failed to read image"
    )
    job = made(owner, row)
    assert (job.status, job.error_code, job.attempt) == ("failed", "provider_input_unreadable", 2)
