"""F1–F4, F7: a worker's child dies at every step where dying matters; the provider's ledger tells what was bought."""

import pytest

from apps.jobs import lanes
from apps.jobs.models import Attempt, Job
from apps.providers.models import Call
from apps.studio.models import GeneratedImage, PromptJob, Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

IMAGE_STEPS = (
    "after_claim", "before_submit", "after_submit", "after_accept", "after_fetch", "before_complete", "before_commit",
    "after_complete",
)  # fmt: skip
PROMPT_STEPS = ("after_claim", "before_chat", "after_chat", "after_answer", "before_complete", "before_commit")


def held_back(stack: FaultStack, workspace: Workspace, steps: tuple[str, ...], *, ai: bool) -> dict[str, Job]:
    """A row for each step, whose job dies there: armed while the lanes are paused."""
    for lane in ("prompts", "images"):
        lanes.pause(lane)
    jobs: dict[str, Job] = {}
    for step, row in zip(steps, scene.rows_in(workspace, len(steps)), strict=True):
        made = scene.generate(row, ai=ai)
        jobs[step] = made.prompt_job if made.prompt_job else made.jobs[0]
        stack.arm_for(jobs[step], step, "kill")
    for lane in ("prompts", "images"):
        lanes.resume(lane)
    return jobs


def test_killed_at_any_step_an_image_is_made_and_bought_once(stack: FaultStack, workspace: Workspace) -> None:
    jobs = held_back(stack, workspace, IMAGE_STEPS, ai=False)
    assert scene.wait_for(list(jobs.values()), seconds=90) == {"completed": len(IMAGE_STEPS)}, scene.errors()
    assert {step: stack.used(step, job) for step, job in jobs.items()} == dict.fromkeys(IMAGE_STEPS, 1)
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.images_bought, figures.images_bought_twice, figures.ambiguous) == (len(IMAGE_STEPS), 0, 0)
    assert GeneratedImage.objects.count() == len(IMAGE_STEPS)
    # Whoever died after the finish was no longer missed; everybody else is counted as one crash.
    crashes = Attempt.objects.filter(outcome="crashed")
    assert crashes.count() == len(IMAGE_STEPS) - 1
    # One order never left. It and the one whose answer was lost are alike to WaveSpeed, so either may adopt the task.
    lost = Call.objects.filter(state="lost")
    assert len(lost) <= 1
    assert {call.job_id for call in lost} <= {jobs["before_submit"].pk, jobs["after_submit"].pk}


def test_killed_at_any_step_a_prompt_is_written_and_unheard_answers_are_flagged(
    stack: FaultStack, workspace: Workspace
) -> None:
    jobs = held_back(stack, workspace, PROMPT_STEPS, ai=True)
    everything = list(Job.objects.all())
    assert scene.wait_for(everything, seconds=90) == {"completed": 2 * len(PROMPT_STEPS)}
    assert {step: stack.used(step, job) for step, job in jobs.items()} == dict.fromkeys(PROMPT_STEPS, 1)
    assert set(PromptJob.objects.values_list("source", flat=True)) == {"model"}
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.images_bought, figures.images_bought_twice) == (len(PROMPT_STEPS), 0)
    # The one whose answer had come and was not written down was paid twice; nobody can know of the one before it.
    assert figures.texts_bought == len(PROMPT_STEPS) + 1
    flagged = Call.objects.filter(purpose="chat", state="unknown", resent=True)
    assert {call.job_id for call in flagged} == {jobs["before_chat"].pk, jobs["after_chat"].pk}
    assert figures.unknown_flagged == 2


def test_a_job_that_kills_three_workers_fails_and_the_others_go_on(stack: FaultStack, workspace: Workspace) -> None:
    poison, *good = scene.rows_in(workspace, 4)
    lanes.pause("images")  # else a worker may be quicker than the arming
    bad = scene.generate(poison).jobs[0]
    stack.arm_for(bad, "after_claim", "kill:9")
    lanes.resume("images")
    others = [job for row in good for job in scene.generate(row).jobs]
    assert scene.wait_for(others) == {"completed": 3}
    assert scene.wait_for([bad], seconds=90) == {"failed": 1}
    bad.refresh_from_db()
    assert (bad.error_code, bad.crashes) == ("crashed_repeatedly", 3)
    assert stack.used("after_claim", bad) == 3
    assert not Call.objects.filter(job_id=bad.pk).exists()
