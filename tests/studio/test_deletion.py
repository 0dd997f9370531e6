"""Rows and workspaces are deleted beside workers that finish their jobs; what has no place any more is not worked for."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.core.clock import database_now
from apps.core.errors import Problem
from apps.desk import operations
from apps.jobs import endings, lanes, lifecycle
from apps.jobs.executor import execute
from apps.jobs.handlers import Done, handler_of
from apps.jobs.models import Job, Lane
from apps.jobs.noop import NoopHandler
from apps.jobs.services import cancel_job, change_job, retry_job
from apps.jobs.shift import Shift
from apps.jobs.values import Failure, Lease, NewJob
from apps.orders.decisions import settle_call
from apps.providers.models import Call
from apps.studio import deletion, services
from apps.studio.deletion import bring_rows_back, delete_row, delete_workspace, finish_deletions
from apps.studio.edits import edit_prompt
from apps.studio.handlers import prompts as prompt_handler
from apps.studio.handlers.images import ImageHandler
from apps.studio.handlers.prompts import PromptHandler
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.prompting.asking import Written
from apps.studio.results import Fetched, store_images
from apps.studio.rows import create_rows, subject_of
from apps.studio.services import generate_images, queue_prompt
from tests.factories import StaffFactory
from tests.faults.test_races import at_once
from tests.support.stack import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
BROKEN = Failure("broken", "It broke.")
KEPT = Fetched(file="images/a.jpg", thumbnail="thumbnails/a.webp", width=8, height=8, bytes=1)


@pytest.fixture(autouse=True)
def _fresh(db: None) -> None:
    lanes.ensure_lanes()
    Lane.objects.update(limit=None)
    lanes.forget_limits()


def claimed(lane: str) -> Lease:
    lease = lifecycle.claim(lane=lane, worker="w")
    assert lease is not None
    return lease


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


class Deleter(threading.Thread):
    """Another connection that deletes; `error` is what it met."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work, self.error = work, None

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def start_and_wait_until_it_waits(self) -> None:
        self.start()
        wait_until(lambda: not self.is_alive() or somebody_waits_for_a_lock(), what="it ends or waits")


@pytest.fixture(params=["row", "workspace"])
def deleter(request: pytest.FixtureRequest, row: Row) -> Iterator[Deleter]:
    works = {
        "row": lambda: delete_row(user=row.workspace.owner, row_id=row.pk),
        "workspace": lambda: delete_workspace(row.workspace),
    }
    thread = Deleter(works[request.param])
    yield thread
    thread.join(30)


def test_a_prompt_that_is_finished_while_its_row_is_deleted(
    owner: User, row: Row, deleter: Deleter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the job and needs the row; the deleter held the row and needed the job."""
    queue_prompt(user=owner, row_id=row.pk, target_url="", apply_to_row=True)
    lease = claimed("prompts")
    store = prompt_handler._storing(PromptJob.objects.get(job=lease.job_id), Written("A shoe.", "model", "a", "b"))

    def stored() -> None:
        deleter.start_and_wait_until_it_waits()
        store()

    monkeypatch.setattr(PromptHandler, "run", lambda self, run: Done(store=stored))
    execute(lease, worker="w", shift=Shift.begin())
    deleter.join(30)
    assert deleter.error is None
    assert Job.objects.get(pk=lease.job_id).status == "completed"
    assert PromptJob.objects.get(job=lease.job_id).generated_prompt == "A shoe."
    assert not Row.everything.filter(pk=row.pk).exists()


def test_a_picture_that_is_stored_while_its_row_is_deleted(
    owner: User, row: Row, deleter: Deleter, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1)
    lease = claimed("images")
    image_job = ImageJob.objects.select_related("job").get(job=lease.job_id)

    def stored() -> None:
        deleter.start_and_wait_until_it_waits()
        store_images(image_job, [KEPT], late=False)

    monkeypatch.setattr(ImageHandler, "run", lambda self, run: Done(store=stored))
    execute(lease, worker="w", shift=Shift.begin())
    deleter.join(30)
    assert deleter.error is None
    assert Job.objects.get(pk=lease.job_id).status == "completed"
    assert GeneratedImage.objects.filter(job=lease.job_id).count() == 1
    assert not Row.everything.filter(pk=row.pk).exists()


def test_a_generate_that_is_under_way_ends_first_and_its_jobs_are_cancelled(owner: User, row: Row) -> None:
    """Both orders: the jobs are made and cancelled, or there is no such row. Never a job of a row that is not there."""
    for _ in range(12):
        mine = create_rows(user=owner, workspace_id=row.workspace_id, rows=[{"target_url": row.target_url}])[0]
        answers = at_once(
            lambda mine=mine: generate_images(user=owner, row_id=mine.pk, use_ai_prompt=True, count=2),  # type: ignore[misc]
            lambda mine=mine: delete_row(user=owner, row_id=mine.pk),  # type: ignore[misc]
        )
        assert answers[1] is None
        assert not isinstance(answers[0], Exception) or "not_found" in str(answers[0])
        assert not Job.objects.live().filter(subject=subject_of(mine)).exists()
        assert not Row.everything.filter(pk=mine.pk).exists()


def test_of_two_generates_of_a_row_the_second_waits_and_sees_the_first_ones_jobs(
    owner: User, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A press on the row is under way, and has its owner's queue, when the same row is generated with others."""
    asked = {"user": owner, "row_id": row.pk, "use_ai_prompt": False, "count": 1}
    second = Deleter(lambda: generate_images(**asked, unless_busy=True))  # type: ignore[arg-type, return-value, func-returns-value]
    size = services.output_size

    def once_the_other_waits(row: Row, target: str) -> tuple[int, int]:
        if threading.current_thread() is not second:
            second.start_and_wait_until_it_waits()
        return size(row, target)

    monkeypatch.setattr(services, "output_size", once_the_other_waits)
    generate_images(**asked)  # type: ignore[arg-type]
    second.join(30)
    assert isinstance(second.error, Problem)
    assert second.error.code == "row_busy"
    assert Job.objects.count() == 1


def test_rows_added_while_their_workspace_is_deleted_are_not_left(owner: User, workspace: Workspace) -> None:
    answers = at_once(
        lambda: delete_workspace(workspace),
        lambda: create_rows(user=owner, workspace_id=workspace.pk, rows=[{}, {}]),
    )
    assert answers[0] is None
    assert not Row.everything.exists()
    assert not Workspace.everything.exists()


def test_the_last_two_images_of_a_prompt_cancelled_at_once_end_the_prompt(owner: User, row: Row) -> None:
    for _ in range(12):
        made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=2)
        answers = at_once(*[lambda job=job: cancel_job(user=owner, uid=job.uid) for job in made.jobs])  # type: ignore[misc]
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert Job.objects.get(pk=made.prompt_job.pk).status == "cancelled"  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["person", "stop", "row", "waited for"])
def test_a_kind_hears_of_every_cancel_once_and_in_its_transaction(
    owner: User, row: Row, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, bool]] = []
    hook = lambda self, job: heard.append((job.pk, connection.in_atomic_block))  # noqa: E731
    monkeypatch.setattr(NoopHandler, "cancelled", hook)
    handler_of.cache_clear()
    first = NewJob(kind="noop", owner_id=owner.pk, subject=subject_of(row))
    job_id = lifecycle.enqueue([first])[first.uid]
    if way == "waited for":
        second = NewJob(kind="noop", owner_id=owner.pk, waits_for_id=job_id)
        second_id = lifecycle.enqueue([second])[second.uid]
        cancel_job(user=owner, uid=first.uid)
        assert heard == [(job_id, True), (second_id, True)]
        return
    lease = claimed("listings")
    if way == "person":
        cancel_job(user=owner, uid=first.uid)
    elif way == "stop":
        assert operations.stop() == 1
    else:
        delete_row(user=owner, row_id=row.pk)
    assert heard == [(job_id, True)]
    assert lifecycle.rescue(job_id, lease.fence, crashes=0, cancel_requested=True) == ""  # its lease still runs
    assert lifecycle.cancel_held(lease)
    assert heard == [(job_id, True)]


def failed_image(owner: User, row: Row) -> Job:
    job = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1).jobs[0]
    assert lifecycle.fail(claimed("images"), BROKEN)
    return Job.objects.get(pk=job.pk)


def failed_prompt(owner: User, row: Row) -> Job:
    job = queue_prompt(user=owner, row_id=row.pk, target_url="")
    assert lifecycle.fail(claimed("prompts"), BROKEN)
    return Job.objects.get(pk=job.pk)


@pytest.mark.parametrize("failed", [failed_image, failed_prompt])
def test_what_has_no_place_any_more_is_not_tried_again(
    owner: User, row: Row, failed: Callable[[User, Row], Job]
) -> None:
    job = failed(owner, row)
    delete_row(user=owner, row_id=row.pk)
    with pytest.raises(Problem, match="row_gone") as refused:
        retry_job(user=owner, uid=job.uid)
    assert refused.value.status == 409
    assert refused.value.action
    assert operations.redrive([job], dry_run=False).left == 1
    assert Job.objects.count() == 1


def test_an_order_of_unknown_outcome_whose_row_is_gone_is_not_sent_again(owner: User, row: Row) -> None:
    job = failed_image(owner, row)
    call = Call.objects.create(
        job_id=job.pk,
        owner=owner,
        provider="wavespeed",
        purpose="submit",
        state="unknown",
        attempt=1,
        inputs={},
        created_at=database_now(),
    )
    delete_row(user=owner, row_id=row.pk)
    with pytest.raises(Problem, match="row_gone"):
        settle_call(user=StaffFactory(is_superuser=True), everybody=True, call_id=call.pk, decision="send_again")
    call.refresh_from_db()
    assert (call.state, call.resent) == ("unknown", False)
    assert Job.objects.count() == 1


def test_nothing_is_changed_of_what_waited_for_a_row_that_is_gone(owner: User, row: Row) -> None:
    first, second = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=2).jobs
    delete_row(user=owner, row_id=row.pk)
    for change in (
        lambda: change_job(user=owner, uid=first.uid, priority=8),
        lambda: change_job(user=owner, uid=first.uid, before=second.uid),
        lambda: edit_prompt(user=owner, uid=first.uid, prompt="Another one"),
    ):
        with pytest.raises(Problem) as refused:
            change()
        assert refused.value.status == 409
    assert set(Job.objects.values_list("status", "priority")) == {("cancelled", 5)}


def test_a_deletion_that_died_in_the_middle_is_finished_and_nothing_is_bought_meanwhile(
    owner: User, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = failed_image(owner, row)
    waits = generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1).jobs[0]
    asked = queue_prompt(user=owner, row_id=row.pk, target_url="")
    with monkeypatch.context() as broken:
        broken.setattr(endings, "cancel", lambda *_ids, **_why: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delete_row(user=owner, row_id=row.pk)
    for ask in (
        lambda: generate_images(user=owner, row_id=row.pk, use_ai_prompt=False),
        lambda: delete_row(user=owner, row_id=row.pk),
    ):
        with pytest.raises(Problem, match="not_found"):
            ask()
    with pytest.raises(Problem, match="row_gone"):
        retry_job(user=owner, uid=old.uid)
    for lane in ("images", "prompts"):  # a worker comes before the sweep
        execute(claimed(lane), worker="w", shift=Shift.begin())
    codes = Job.objects.filter(pk__in=[waits.pk, asked.pk]).values_list("status", "error_code")
    assert list(codes) == [("failed", "row_gone")] * 2
    assert not Call.objects.exists()
    assert finish_deletions() == 0  # it may still be under way
    monkeypatch.setattr(deletion, "LEFT_AFTER", deletion.LEFT_AFTER * 0)
    assert finish_deletions() == 1
    assert not Row.everything.exists()


def test_a_row_that_is_brought_back_while_it_is_deleted_stays_with_its_new_jobs(
    owner: User, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request comes when the deletion has marked the row and cancelled its jobs, and is about to remove it."""
    new: list[Job] = []
    cancel_jobs = deletion._cancel_jobs

    def brought_back_after(row_ids: list[object]) -> None:
        cancel_jobs(row_ids)  # type: ignore[arg-type]
        assert bring_rows_back(user=owner, workspace_id=row.workspace_id, row_ids=[row.pk]) == [row.pk]
        new.extend(generate_images(user=owner, row_id=row.pk, use_ai_prompt=False, count=1).jobs)

    monkeypatch.setattr(deletion, "_cancel_jobs", brought_back_after)
    delete_row(user=owner, row_id=row.pk)
    assert Row.objects.filter(pk=row.pk).exists()
    assert Job.objects.get(pk=new[0].pk).status == "queued"
    assert ImageJob.objects.filter(job_id=new[0].pk, row_id=row.pk).exists()
