"""A row's state follows from every job of it that is not over, whoever asked for it and however often."""

import uuid
from contextlib import suppress
from typing import Any

import pytest

from apps.core.errors import Problem
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.services import cancel_job
from apps.studio.models import ImageJob, Row
from apps.studio.rows import MOST_IMAGES_SHOWN, RowState, rows_with_state
from apps.studio.states import NEEDS_PROMPT, WAITING_FOR_PROMPT
from tests.factories import GeneratedImageFactory, JobFactory, RowFactory, finish

pytestmark = pytest.mark.django_db


def state_of(row: Row) -> RowState:
    row.refresh_from_db()
    return rows_with_state([row])[0]


def another_run(row: Row, *, images: int = 1, prompt: bool = False) -> list[Job]:
    """What one more press makes: a new generation, with a prompt job when a model is to write it."""
    row.generation = uuid.uuid4()
    row.save(update_fields=["generation"])
    asked = JobFactory(kind="prompt", row=row) if prompt else None
    return [JobFactory(row=row, waits_for=asked) for _ in range(images)]


def finish_first(job: Job) -> None:
    """Ends it although another one was asked for earlier."""
    lifecycle.change_priority(job.pk, 9)
    finish(job)


def test_a_row_whose_older_run_still_waits_is_not_done() -> None:
    row = RowFactory()
    older = JobFactory(row=row, priority=1)
    (newer,) = another_run(row)
    finish_first(newer)
    state = state_of(row)
    assert (state.status, state.runs) == ("queued", 1)
    assert [job.pk for job in state.unfinished] == [older.pk]


def test_every_unfinished_run_is_in_the_state_and_can_be_stopped() -> None:
    row = RowFactory()
    for _ in range(11):
        another_run(row, images=2)
    another_run(row, images=2, prompt=True)
    state = state_of(row)
    assert (state.status, state.runs, len(state.unfinished)) == ("queued", 12, 25)
    for job in state.unfinished:
        with suppress(Problem):  # a prompt is over with its last image
            cancel_job(user=row.workspace.owner, uid=job.uid)
    assert not Job.objects.live().exists()
    assert state_of(row).status == "idle"


def test_images_come_before_their_prompts_so_that_cancelling_fails_none() -> None:
    row = RowFactory()
    another_run(row, prompt=True)
    another_run(row, prompt=True)
    kinds = [job.kind for job in state_of(row).unfinished]
    assert kinds == ["image", "image", "prompt", "prompt"]


def test_an_older_run_that_works_makes_the_row_run() -> None:
    row = RowFactory()
    JobFactory(row=row)
    assert lifecycle.claim(lane="images", worker="tests") is not None
    another_run(row)
    assert state_of(row).status == "running"


def test_an_older_prompt_that_is_written_makes_the_row_run() -> None:
    row = RowFactory()
    another_run(row, prompt=True)
    assert lifecycle.claim(lane="prompts", worker="tests") is not None
    another_run(row, prompt=True)
    state = state_of(row)
    assert (state.status, state.runs) == ("running", 2)


def test_when_all_is_over_only_the_latest_run_counts() -> None:
    row = RowFactory()
    finish(JobFactory(row=row), error="no_credits")
    (newer,) = another_run(row)
    finish(newer)
    GeneratedImageFactory(row=row, job=newer)
    state = state_of(row)
    assert (state.status, state.runs, state.error) == ("done", 0, None)
    assert [job.pk for job in state.jobs] == [newer.pk]


def test_an_older_run_that_waits_for_a_typed_prompt_needs_a_person() -> None:
    row = RowFactory()
    prompt = JobFactory(kind="prompt", row=row)
    waiting = JobFactory(row=row, waits_for=prompt)
    lease = lifecycle.claim(lane="prompts", worker="tests")
    assert lease is not None
    Job.objects.filter(pk=waiting.pk).update(reason=NEEDS_PROMPT, stage=WAITING_FOR_PROMPT)
    (newer,) = another_run(row)
    finish(newer)
    assert state_of(row).status == "needs_you"


def test_a_prompt_asked_for_alone_is_a_run_of_its_own() -> None:
    row = RowFactory()
    JobFactory(kind="prompt", row=row)
    JobFactory(row=row)
    assert state_of(row).runs == 2


def test_queries_do_not_grow_with_rows_or_runs(django_assert_num_queries: Any) -> None:
    rows = [RowFactory() for _ in range(2)]
    for row in rows:
        another_run(row, prompt=True)
    with django_assert_num_queries(6):
        rows_with_state(rows)
    more = [*rows, *(RowFactory() for _ in range(8))]
    for row in more:
        another_run(row, images=3, prompt=True)
        another_run(row, images=3)
    with django_assert_num_queries(6):
        rows_with_state(more)


def test_the_jobs_of_one_row_are_never_those_of_another() -> None:
    mine, theirs = RowFactory(), RowFactory()
    another_run(mine)
    another_run(theirs)
    another_run(theirs)
    states = {state.row.pk: state for state in rows_with_state([mine, theirs])}
    assert states[mine.pk].runs == 1
    assert states[theirs.pk].runs == 2
    owners = {job.pk: ImageJob.objects.get(job=job).row_id for state in states.values() for job in state.jobs}
    assert all(owners[job.pk] == state.row.pk for state in states.values() for job in state.jobs)


def test_the_newest_pictures_come_first_and_no_more_than_are_shown_are_read() -> None:
    """A picture outlives its job: without one it is older than all that have one, whatever NULL sorts as."""
    row = RowFactory()
    oldest = GeneratedImageFactory(row=row, job=None)
    job = JobFactory(row=row)
    finish(job)
    newer = GeneratedImageFactory(row=row, job=job)
    kept = {"file": newer.file.name, "thumbnail": newer.thumbnail.name, "asset": None, "owner": newer.owner}
    older = [GeneratedImageFactory(row=row, job=None, **kept) for _ in range(70)]

    state = state_of(row)
    assert len(state.images) == MOST_IMAGES_SHOWN
    assert state.images[0] == newer
    assert state.images[1] == older[-1]
    assert oldest not in state.images
