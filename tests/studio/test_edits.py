"""Changing the prompt of an image that waits."""

from uuid import uuid4

import pytest

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.desk.estimates import describe
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.studio.edits import edit_prompt
from apps.studio.models import ImageJob, Row, Workspace
from tests.api.conftest import caller_of, problem
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
NEW = "A red fox in snow"


@pytest.fixture
def row(workspace: Workspace) -> Row:
    return Row.objects.create(workspace=workspace)


def prompt_of(job: Job) -> str:
    return ImageJob.objects.get(job=job).prompt


def test_a_queued_image_gets_another_prompt_and_keeps_its_place(owner: User, row: Row) -> None:
    first, second = JobFactory(row=row), JobFactory(row=row)
    edit_prompt(user=owner, uid=first.uid, prompt=f" {NEW} ")
    assert prompt_of(first) == NEW
    told = describe(list(Job.objects.all()))
    assert (told[first.pk].position, told[second.pk].position) == (0, 1)


def test_one_that_waits_for_a_prompt_need_not_wait_any_more(owner: User, row: Row) -> None:
    written = JobFactory(row=row, kind="prompt")
    job = JobFactory(row=row, waits_for=written)
    assert edit_prompt(user=owner, uid=job.uid, prompt=NEW).status == "queued"
    lifecycle.complete(lifecycle.claim(lane="prompts", worker="w1"))
    assert prompt_of(job) == NEW, "what is written later does not replace it"


def test_what_has_started_or_belongs_to_others_is_not_changed(owner: User, row: Row) -> None:
    job = JobFactory(row=row)
    stranger = User.objects.create_user("eve")
    for user, uid, prompt, code in (
        (stranger, job.uid, NEW, "not_found"),
        (owner, uuid4(), NEW, "not_found"),
        (owner, job.uid, "  ", "prompt_missing"),
    ):
        with pytest.raises(Problem) as refusal:
            edit_prompt(user=user, uid=uid, prompt=prompt)
        assert refusal.value.code == code
    lifecycle.claim(lane="images", worker="w1")
    call = caller_of(owner)
    answer = call("patch", f"/api/jobs/{job.uid}", {"prompt": NEW})
    assert problem(answer, 409, "already_started")["jobStatus"] == "processing"
    assert prompt_of(job) == "A shoe on warm sand"


def test_the_api_changes_the_prompt(owner: User, row: Row) -> None:
    job = JobFactory(row=row)
    answer = caller_of(owner)("patch", f"/api/jobs/{job.uid}", {"prompt": NEW})
    assert (answer.status_code, answer.json()["prompt"]) == (200, NEW)
