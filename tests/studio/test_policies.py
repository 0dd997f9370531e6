"""What becomes of a row when its prompt cannot be written, by real workers against a simulator that misbehaves."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.services import cancel_job, retry_job
from apps.jobs.states import FINAL
from apps.providers.models import Earmark
from apps.studio.deletion import delete_row
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.rows import rows_with_state, update_row
from apps.studio.services import Generated, generate_images, queue_prompt
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
GOOD = (
    "A bright studio photograph of a ginger cat resting between glowing galaxies, soft light, deep blues and warm reds."
)


@pytest.fixture
def answers(stack: Stack) -> Callable[..., None]:
    """Makes Grok answer so, for every call or for those to one model."""

    def answer(*, model: str | None = None, times: int | None = None, **effect: object) -> None:
        match = {"path": "/chat/completions"} | ({"model": model} if model else {})
        stack.simulator.scenario("xai", match=match, times=times, **effect)

    return answer


def settled(made: Generated) -> list[Job]:
    def done() -> list[Job] | None:
        jobs = list(Job.objects.filter(pk__in=[job.pk for job in made.jobs]))
        return jobs if all(job.status in FINAL or job.reason == "needs_prompt" for job in jobs) else None

    return wait_until(done, seconds=60, what="the row's jobs")  # type: ignore[return-value]


def state_of(row: Row) -> str:
    return rows_with_state([Row.objects.select_related("workspace").get(pk=row.pk)])[0].status


def ai_generate(owner: User, row: Row, count: int = 1) -> Generated:
    return generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=count, priority=8)


def test_policies_when_every_model_refuses(
    answers: Callable[..., None], owner: User, workspace: Workspace, row: Row
) -> None:
    answers(refusal="I cannot help with that.")
    expected = {
        "template": ("completed", "template", "done"),
        "default": ("completed", "default", "done"),
        "wait": ("failed", "", "needs_you"),
        "fail": ("failed", "", "error"),
    }
    for policy, (prompt_status, source, row_state) in expected.items():
        Workspace.objects.filter(pk=workspace.pk).update(on_prompt_failure=policy)
        GeneratedImage.objects.all().delete()
        made = ai_generate(owner, row)
        settled(made)
        prompt = PromptJob.objects.select_related("job").get(job=made.prompt_job)
        assert (prompt.job.status, prompt.source, state_of(row)) == (prompt_status, source, row_state), policy
        assert [tried["outcome"] for tried in prompt.tried] == ["refusal"], "a refusal is not shopped around"
        for job in made.jobs:
            cancel_quietly(owner, job)


def cancel_quietly(owner: User, job: Job) -> None:
    if Job.objects.get(pk=job.pk).status not in FINAL:
        cancel_job(user=owner, uid=job.uid)


def test_a_person_types_the_prompt_that_was_waited_for(
    answers: Callable[..., None], owner: User, workspace: Workspace, row: Row
) -> None:
    answers(refusal="I cannot help with that.")
    Workspace.objects.filter(pk=workspace.pk).update(on_prompt_failure="wait", default_prompt="")
    made = ai_generate(owner, row)
    settled(made)
    assert state_of(row) == "needs_you"
    assert not Earmark.objects.filter(job_id=made.jobs[0].pk, held_usd__gt=0).exists(), "a person may take days"
    with pytest.raises(Problem, match="prompt_missing"):
        generate_images(user=owner, row_id=row.pk, use_ai_prompt=False)
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": GOOD})
    released = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False)
    assert [job.pk for job in released.jobs] == [job.pk for job in made.jobs]
    assert [job.status for job in settled(released)] == ["completed"]
    assert ImageJob.objects.get(job=made.jobs[0]).prompt_source == "manual"


def test_a_rejected_answer_is_mended_by_the_next_model(answers: Callable[..., None], owner: User, row: Row) -> None:
    answers(model="grok-4.7", text="## Prompt\n* a cat\n* in space")
    answers(model="grok-4.3", text=GOOD)
    made = ai_generate(owner, row)
    settled(made)
    prompt = PromptJob.objects.get(job=made.prompt_job)
    assert (prompt.generated_prompt, prompt.model_asked) == (GOOD, "grok-4.3")
    assert [(tried["model"], tried["outcome"]) for tried in prompt.tried] == [
        ("grok-4.7", "error"),
        ("grok-4.3", "accepted"),
    ]


def test_all_models_broken_are_retried_then_the_template_is_used(
    stack: Stack, answers: Callable[..., None], owner: User, row: Row
) -> None:
    answers(status=500)
    made = ai_generate(owner, row)
    Job.objects.filter(pk=made.prompt_job.pk).update(max_retries=1)
    settled(made)
    prompt = PromptJob.objects.select_related("job").get(job=made.prompt_job)
    assert (prompt.source, prompt.job.failures) == ("template", 1)
    assert prompt.job.attempts.count() == 2


def test_cancel_while_the_provider_works_ends_the_job_and_keeps_a_late_result(
    stack: Stack, owner: User, row: Row
) -> None:
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": GOOD})
    stack.simulator.scenario("wavespeed", task_delay_ms=4000)
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1)
    job = made.jobs[0]
    wait_until(lambda: Job.objects.get(pk=job.pk).stage == "waiting_for_provider", what="submitted")
    assert cancel_job(user=owner, uid=job.uid).state == "requested"
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "cancelled", what="cancelled")
    with pytest.raises(Problem, match="already_finished"):
        cancel_job(user=owner, uid=job.uid)
    late = wait_until(lambda: GeneratedImage.objects.filter(job=job).first(), what="the late result")
    assert late.late  # type: ignore[attr-defined]
    assert rows_with_state([Row.objects.get(pk=row.pk)])[0].images == []


def test_a_row_deleted_while_its_jobs_run_leaves_nothing_running(stack: Stack, owner: User, row: Row) -> None:
    made = ai_generate(owner, row, count=2)
    delete_row(user=owner, row_id=row.pk)
    ids = [made.prompt_job.pk, *[job.pk for job in made.jobs]]
    wait_until(lambda: all(job.status in FINAL for job in Job.objects.filter(pk__in=ids)), what="all over")
    assert set(Job.objects.filter(pk__in=[job.pk for job in made.jobs]).values_list("status", flat=True)) == {
        "cancelled"
    }


def test_retry_of_a_failed_job_names_the_old_one_and_completes(stack: Stack, owner: User, row: Row) -> None:
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": GOOD})
    stack.simulator.scenario("wavespeed", task_status="failed", task_code=1401, task_error="Bad size")
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1)
    assert [job.status for job in settled(made)] == ["failed"]
    again = retry_job(user=owner, uid=made.jobs[0].uid)
    assert again.retry_of_id == made.jobs[0].pk
    wait_until(lambda: Job.objects.get(pk=again.pk).status == "completed", what="the retry")


def test_references_null_empty_one_and_many(
    stack: Stack, owner: User, workspace: Workspace, row: Row, photo: Callable[[str], str]
) -> None:
    default = photo("rocket.jpg")
    Workspace.objects.filter(pk=workspace.pk).update(default_ref_urls=[default])
    cases: list[tuple[list[str] | None, list[str]]] = [
        (None, [default]),
        ([], []),
        ([photo("coffee.png")], [photo("coffee.png")]),
        ([photo("coffee.png"), photo("chelsea.png")], [photo("coffee.png"), photo("chelsea.png")]),
    ]
    for given, used in cases:
        Row.objects.filter(pk=row.pk).update(ref_urls=given)
        made = ai_generate(owner, row)
        asked = PromptJob.objects.get(job=made.prompt_job)
        assert len(asked.ref_urls) == len(used)
        assert ImageJob.objects.get(job=made.jobs[0]).image_urls[-1] == row.target_url
        assert [job.status for job in settled(made)] == ["completed"]


def test_a_prompt_alone_fills_the_row_when_asked(stack: Stack, owner: User, row: Row) -> None:
    job = queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url, apply_to_row=True)
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "completed", what="the prompt")
    assert Row.objects.get(pk=row.pk).prompt_override == PromptJob.objects.get(job=job).generated_prompt
