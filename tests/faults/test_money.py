"""F2, F6, F26, F31: answers that never come, workers that wake up late, cancels that come late: nothing is bought twice."""

import io
import os
import signal
from datetime import timedelta

import pytest
from django.test import Client
from PIL import Image

from apps.accounts.models import User
from apps.jobs.models import Job
from apps.jobs.services import cancel_job
from apps.orders.decisions import settle_call
from apps.providers.models import Call
from apps.studio.late import forget_late_images, still_paid
from apps.studio.models import GeneratedImage, PromptJob, Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack
from tests.support.stack import wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def one_image(workspace: Workspace) -> Job:
    return scene.generate(scene.rows_in(workspace, 1)[0]).jobs[0]


def states(job: Job) -> list[str]:
    return list(Call.objects.filter(job_id=job.pk).order_by("created_at").values_list("state", flat=True))


def test_orders_taken_and_never_answered_are_found_again(stack: FaultStack, workspace: Workspace) -> None:
    """Equal orders of one press, their answers cut off: each finds one of the tasks, and none is sent again."""
    stack.spoil(times=2, create_then_timeout="drop")
    jobs = scene.generate(scene.rows_in(workspace, 1)[0], count=2).jobs
    assert scene.wait_for(jobs) == {"completed": 2}, scene.errors()
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.images_bought, figures.images_bought_twice, figures.ambiguous) == (2, 0, 0)
    assert [states(job) for job in jobs] == [["succeeded"], ["succeeded"]]


@pytest.mark.parametrize("seconds", [-600, -130, 3600])
def test_their_clock_may_be_wrong_and_nothing_is_bought_twice(
    stack: FaultStack, workspace: Workspace, seconds: int
) -> None:
    stack.simulator.skew(seconds)
    stack.spoil(create_then_timeout="drop")
    job = one_image(workspace)
    assert scene.wait_for([job]) == {"completed": 1}, scene.errors()
    assert states(job) == ["succeeded"]
    assert invariants.check(stack.simulator.ledger()).images_bought == 1


def test_their_clock_is_put_right_between_a_lost_answer_and_the_look(stack: FaultStack, workspace: Workspace) -> None:
    stack.simulator.skew(3600)
    stack.spoil(create_then_timeout="drop")
    job = one_image(workspace)
    wait_until(lambda: len(stack.simulator.ledger("wavespeed")) == 1, what="the order is taken")
    stack.simulator.skew(-600)
    assert scene.wait_for([job]) == {"completed": 1}, scene.errors()
    assert states(job) == ["succeeded"]
    assert invariants.check(stack.simulator.ledger()).images_bought == 1


def test_an_order_that_never_arrived_is_sent_again(stack: FaultStack, workspace: Workspace) -> None:
    stack.spoil(drop_connection="before")
    job = one_image(workspace)
    assert scene.wait_for([job]) == {"completed": 1}, scene.errors()
    assert states(job) == ["lost", "succeeded"]
    assert invariants.check(stack.simulator.ledger()).images_bought == 1


def test_an_order_nobody_can_look_up_is_flagged_and_settled_by_a_person(
    stack: FaultStack, workspace: Workspace, owner: User
) -> None:
    listing = {"path": "/api/v3/predictions", "method": "POST"}
    broken = stack.simulator.scenario("wavespeed", match=listing, times=None, status=500)
    stack.spoil(create_then_timeout="drop")
    job = one_image(workspace)
    assert scene.wait_for([job]) == {"failed": 1}
    job.refresh_from_db()
    assert job.error_code == "outcome_unknown"
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.images_bought, figures.ambiguous, figures.unknown_flagged) == (1, 1, 1)
    stack.simulator.end_scenario(broken)
    bought = [entry["id"] for entry in stack.simulator.ledger() if entry["provider"] == "wavespeed"]
    call = Call.objects.get(job_id=job.pk)
    # Reconcile looks by itself as well; whoever is first, the order has one call and its picture is kept.
    wait_until(lambda: Call.objects.get(pk=call.pk).state == "succeeded" or _adopted(owner, call, bought[0]))
    wait_until(lambda: GeneratedImage.objects.filter(job=job, late=True).count() == 1, what="the late picture")


def _adopted(owner: User, call: Call, task: str) -> bool:
    from apps.core.errors import Problem

    try:
        settle_call(user=owner, call_id=call.pk, decision="adopt", prediction_id=task)
    except Problem:
        return False
    return True


def test_a_result_that_comes_after_cancel_is_kept_and_marked(
    stack: FaultStack, workspace: Workspace, owner: User
) -> None:
    stack.spoil(task_delay_ms=2500)
    job = one_image(workspace)
    wait_until(lambda: Call.objects.filter(job_id=job.pk, state="accepted").exists(), what="the order")
    assert cancel_job(user=owner, uid=job.uid).state == "requested"
    assert scene.wait_for([job]) == {"cancelled": 1}
    wait_until(lambda: GeneratedImage.objects.filter(job=job, late=True).exists(), what="the late picture")
    assert states(job) == ["succeeded"]


def test_cancelled_in_time_nothing_is_bought(stack: FaultStack, workspace: Workspace, owner: User) -> None:
    row = scene.rows_in(workspace, 1)[0]
    made = scene.generate(row, ai=True)
    stack.arm_for(made.prompt_job, "after_claim", "hang:2")  # type: ignore[arg-type]
    for job in made.jobs:
        assert cancel_job(user=owner, uid=job.uid).state == "cancelled"
    assert scene.wait_for([*made.jobs, made.prompt_job])  # type: ignore[list-item]
    assert [entry for entry in stack.simulator.ledger() if entry["provider"] == "wavespeed"] == []


def test_a_row_deleted_in_the_middle_leaves_no_half_work(stack: FaultStack, workspace: Workspace, owner: User) -> None:
    from apps.studio.deletion import delete_row

    row = scene.rows_in(workspace, 1)[0]
    job = scene.generate(row).jobs[0]
    wait_until(lambda: Call.objects.filter(job_id=job.pk, state="accepted").exists(), what="the order")
    assert still_paid([row.pk]) == 1, "told to whoever deletes it"
    delete_row(user=owner, row_id=row.pk)
    scene.wait_for([job])
    wait_until(lambda: states(job) == ["succeeded"], what="the order settled")
    kept = GeneratedImage.objects.get(job=job)
    assert (kept.row_id, kept.late, still_paid([row.pk])) == (None, True, 0)
    client = Client()
    client.force_login(owner)
    assert f"/media/images/{kept.pk}/thumbnail" in client.get("/queue").content.decode(), "its owner finds it"
    assert client.get(f"/api/jobs?rowId={row.pk}").json()["results"][0]["images"][0]["imageId"] == str(kept.pk)
    assert forget_late_images() == 0
    GeneratedImage.objects.update(created_at=kept.created_at - timedelta(days=31))
    Call.objects.filter(job_id=job.pk).update(finished_at=kept.created_at - timedelta(days=31))
    assert forget_late_images() == 1


def test_a_row_deleted_with_its_picture_takes_it_along(stack: FaultStack, workspace: Workspace, owner: User) -> None:
    from apps.studio.deletion import delete_row

    row = scene.rows_in(workspace, 1)[0]
    job = scene.generate(row).jobs[0]
    assert scene.wait_for([job]) == {"completed": 1}, scene.errors()
    delete_row(user=owner, row_id=row.pk)
    assert not GeneratedImage.objects.exists()


def test_a_worker_that_wakes_up_late_changes_nothing(stack: FaultStack, workspace: Workspace) -> None:
    """SIGSTOP past the lease at three steps, then SIGCONT: each write of the sleeper is void, and it sends nothing."""
    steps = ("before_submit", "after_submit", "before_complete")
    jobs = {}
    for step, row in zip(steps, scene.rows_in(workspace, len(steps)), strict=True):
        jobs[step] = scene.generate(row).jobs[0]
        stack.arm_for(jobs[step], step, "stop")
    try:
        assert scene.wait_for(list(jobs.values()), seconds=90) == {"completed": 3}, scene.errors()
    finally:
        sleepers = [stack.process_at(step, job) for step, job in jobs.items()]
        for sleeper in sleepers:
            os.kill(sleeper, signal.SIGCONT)
    wait_until(lambda: all(not stack.is_busy(sleeper) for sleeper in sleepers), what="the sleepers are done")
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.images_bought, figures.images_bought_twice, figures.double_completions) == (3, 0, 0)
    assert GeneratedImage.objects.count() == 3
    assert figures.crashes == 3


def test_a_result_that_cannot_be_fetched_is_never_ordered_again(stack: FaultStack, workspace: Workspace) -> None:
    stack.spoil(output_url=None, output_status=404)
    stack.spoil(output_url=None, output_body="<html>no picture</html>")
    jobs = [scene.generate(row).jobs[0] for row in scene.rows_in(workspace, 2)]
    assert scene.wait_for(jobs, seconds=60) == {"failed": 2}
    assert {job.failures for job in Job.objects.all()} == {4}
    assert invariants.check(stack.simulator.ledger()).images_bought == 2


def test_a_result_that_cannot_be_shown_is_kept_and_can_be_downloaded(stack: FaultStack, workspace: Workspace) -> None:
    """Paid for is paid for: fetched again in case it was cut, never ordered again, and kept as it came at last."""
    drawing = io.BytesIO()
    Image.new("P", (32, 32)).save(drawing, "GIF")
    stack.spoil(output_url=scene.upload_result(stack.simulator, drawing.getvalue(), "result.gif"), nsfw=True)
    job = one_image(workspace)
    assert scene.wait_for([job], seconds=60) == {"completed": 1}, scene.errors()
    kept = GeneratedImage.objects.get(job=job)
    assert (kept.unreadable, kept.nsfw, kept.bytes) == ("image_not_readable", True, len(drawing.getvalue()))
    client = Client()
    client.force_login(workspace.owner)
    sent = client.get(f"/media/images/{kept.pk}")
    assert b"".join(sent.streaming_content) == drawing.getvalue()  # type: ignore[attr-defined]
    assert sent["Content-Disposition"].startswith("attachment")
    assert client.get(f"/media/images/{kept.pk}/thumbnail")["Content-Type"] == "image/webp"
    shown = client.get(f"/workspaces/{workspace.pk}").content.decode()
    assert "Paid for and kept, and cannot be shown here" in shown
    assert invariants.check(stack.simulator.ledger()).images_bought == 1


def test_a_text_nobody_heard_the_answer_of_is_sent_once_more_and_then_not(
    stack: FaultStack, workspace: Workspace
) -> None:
    stack.simulator.scenario("xai", times=None, drop_connection="after")
    made = scene.generate(scene.rows_in(workspace, 1)[0], ai=True)
    assert made.prompt_job is not None
    assert scene.wait_for([made.prompt_job, *made.jobs], seconds=90) == {"completed": 2}, scene.errors()
    assert PromptJob.objects.get(job=made.prompt_job).source == "template"
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.texts_bought, figures.ambiguous, figures.unknown_flagged) == (2, 2, 2)
