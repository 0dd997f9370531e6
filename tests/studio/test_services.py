"""What is refused before anything is queued, and cancel and retry in each state, without workers."""

import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from apps.accounts.models import User
from apps.assets.images import MAX_BYTES
from apps.assets.models import Asset
from apps.assets.storage import write_once
from apps.assets.urls import asset_id_of
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.services import cancel_job, find_job, retry_job
from apps.studio import services
from apps.studio.deletion import delete_row
from apps.studio.links import image_url
from apps.studio.models import PromptJob, Row
from apps.studio.services import generate_images, queue_prompt
from tests.factories import GeneratedImageFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_row_without_target_is_refused(owner: User, row: Row) -> None:
    Row.objects.filter(pk=row.pk).update(target_url="")
    with pytest.raises(Problem, match="target_missing"):
        generate_images(user=owner, row_id=row.pk, use_ai_prompt=True)
    assert not Job.objects.exists()


def test_somebody_elses_row_does_not_exist(row: Row) -> None:
    stranger = User.objects.create_user("eve")
    with pytest.raises(Problem, match="not_found"):
        generate_images(user=stranger, row_id=row.pk, use_ai_prompt=True)


@pytest.mark.parametrize(
    "ask",
    [
        lambda **asked: generate_images(use_ai_prompt=True, **asked),
        lambda **asked: queue_prompt(target_url="", **asked),
    ],
    ids=["images", "prompt"],
)
def test_a_row_deleted_while_its_pictures_are_fetched_is_not_found(
    owner: User, row: Row, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., object]
) -> None:
    """Another tab deletes it; nothing is queued for a row that is not there."""
    fetched = services.checked

    def slow(*args: Any, **named: Any) -> list[str]:
        delete_row(user=owner, row_id=row.pk) if Row.objects.filter(pk=row.pk).exists() else None
        return fetched(*args, **named)

    monkeypatch.setattr(services, "checked", slow)
    with pytest.raises(Problem, match="not_found"):
        ask(user=owner, row_id=row.pk)
    assert not Job.objects.exists()


def test_enhance_needs_a_prompt(owner: User, row: Row) -> None:
    with pytest.raises(Problem, match="prompt_missing"):
        queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url, operation="enhance")


def test_images_and_prompt_are_queued_together(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=3)
    assert [job.status for job in made.jobs] == ["waiting"] * 3
    assert {job.waits_for_id for job in made.jobs} == {made.prompt_job.pk}
    assert Row.objects.get(pk=row.pk).generation is not None


def test_cancelling_the_prompt_cancels_the_images_that_wait(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=2)
    assert cancel_job(user=owner, uid=made.prompt_job.uid).state == "cancelled"
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}


def test_cancelling_every_image_cancels_the_prompt_nobody_needs(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=2)
    for job in made.jobs:
        cancel_job(user=owner, uid=job.uid)
    assert find_job(user=owner, uid=made.prompt_job.uid).status == "cancelled"


def test_an_image_tried_again_waits_again_for_its_prompt(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=2)
    assert made.prompt_job
    cancel_job(user=owner, uid=made.jobs[0].uid)  # the other one still needs the prompt
    again = retry_job(user=owner, uid=made.jobs[0].uid)
    assert (again.status, again.waits_for_id, again.stage) == ("waiting", made.prompt_job.pk, "waiting_for_prompt")


def test_a_job_of_somebody_else_is_not_found(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True)
    with pytest.raises(Problem, match="not_found"):
        cancel_job(user=User.objects.create_user("eve"), uid=made.prompt_job.uid)


def test_a_picture_of_our_own_is_a_target_however_large_it_came(owner: User, row: Row) -> None:
    """4096 × 4096 pixels, which a workspace offers, come as more than a person may upload."""
    noise = io.BytesIO()
    Image.frombytes("RGB", (2700, 2700), os.urandom(3 * 2700**2)).save(noise, "PNG", compress_level=0)
    data = noise.getvalue()
    assert len(data) > MAX_BYTES
    write_once("images/large.png", data)
    made = GeneratedImageFactory(row=row, file="images/large.png", width=2700, height=2700, bytes=len(data))
    queue_prompt(user=owner, row_id=row.pk, target_url=image_url(made))
    named = PromptJob.objects.get().target_url
    assert Asset.objects.get(pk=asset_id_of(named)).width == 2700
