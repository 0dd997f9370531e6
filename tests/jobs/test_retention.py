"""Pruning: archived first, families together, as much as fits into its time."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection

from apps.accounts.models import User
from apps.core.clock import database_now
from apps.core.errors import Problem
from apps.jobs import families, lifecycle, retention, services
from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.states import AfterChildren, Status
from tests.jobs.conftest import claim
from tests.jobs.families import teach

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]


@pytest.fixture(autouse=True)
def archive(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    teach(monkeypatch)
    settings.DATA_DIR = tmp_path
    return tmp_path / "archive" / "jobs.jsonl"


def finished(job: Job, *, days: float, status: str = Status.COMPLETED) -> Job:
    over = {"status": status, "finished_at": database_now() - timedelta(days=days), "error_code": ""}
    if status == Status.FAILED:
        over["error_code"] = "broken"
    Job.objects.filter(pk=job.pk).update(**over, reason="", open_children=0)
    return job


def there(*jobs: Job) -> list[Job]:
    return [job for job in jobs if Job.objects.filter(pk=job.pk).exists()]


def test_what_is_older_than_its_time_is_archived_and_goes(enqueue: Enqueue, archive: Path) -> None:
    enqueue()
    lease = claim()
    assert lease
    assert lifecycle.complete(lease)
    old = finished(Job.objects.get(pk=lease.job_id), days=31)
    young = finished(enqueue(), days=29)
    failed = finished(enqueue(), days=31, status=Status.FAILED)
    assert retention.prune() == 1
    assert there(old, young, failed) == [young, failed]
    assert not Attempt.objects.filter(job_id=old.pk).exists()
    assert not JobEvent.objects.filter(job_id=old.pk).exists()
    line = orjson.loads(archive.read_bytes())
    assert (line["uid"], line["status"]) == (str(old.uid), "completed")
    assert [(attempt["number"], attempt["outcome"]) for attempt in line["attempts"]] == [(1, "completed")]


def test_a_call_takes_as_many_batches_as_fit_into_its_time(enqueue: Enqueue) -> None:
    for _ in range(5):
        finished(enqueue(), days=31)
    assert retention.prune(seconds=0.0) == 0
    assert retention.prune(batch=2) == 5


def test_what_is_archived_and_not_yet_gone_goes_the_next_time(
    enqueue: Enqueue, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = finished(enqueue(), days=31)
    with monkeypatch.context() as patch:
        patch.setattr("apps.jobs.retention.JobEvent", None)  # the process dies between the file and the tables
        with pytest.raises(AttributeError):
            retention.prune()
    assert there(old) == [old]
    assert retention.prune() == 1
    assert archive.read_bytes().count(b"\n") == 2


def test_a_second_pruner_leaves_it_to_the_first(enqueue: Enqueue) -> None:
    finished(enqueue(), days=31)
    answers: list[int] = []

    def another() -> None:
        answers.append(retention.prune())
        connection.close()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [retention._ONE_AT_A_TIME])
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [retention._ONE_AT_A_TIME])
    assert answers == [0]
    assert retention.prune() == 1


def test_a_family_goes_together_and_with_its_parents_time(enqueue: Enqueue, owner: User) -> None:
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=["a", "b", "c"])
    families.make_children(parent.pk)
    children = list(Job.objects.filter(parent=parent))
    for child in children:
        finished(child, days=80)
    finished(parent, days=80, status=Status.FAILED)
    assert retention.prune() == 0
    finished(parent, days=91, status=Status.FAILED)
    with pytest.raises(Problem) as refused:
        services.retry_job(user=owner, uid=parent.uid)
    assert refused.value.code == "too_old"
    assert retention.prune(batch=2) == 4
    assert there(parent, *children) == []


def test_a_family_within_a_family_goes_from_the_inside(enqueue: Enqueue) -> None:
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=[])
    inner = enqueue(kind="family", after_children=AfterChildren.RUN, parent_id=parent.pk, slot="pack", plan=[])
    child = enqueue(kind="part", parent_id=inner.pk, slot="a")
    for job in (child, inner, parent):
        finished(job, days=31)
    assert retention.prune(batch=1) == 3
    assert there(parent, inner, child) == []


def test_an_open_child_keeps_its_family(enqueue: Enqueue) -> None:
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=["a", "b"])
    families.make_children(parent.pk)
    first, second = Job.objects.filter(parent=parent).order_by("pk")
    finished(first, days=31)
    finished(parent, days=31, status=Status.CANCELLED)
    retention.prune()
    assert there(parent, second) == [parent, second]
    finished(second, days=1)
    retention.prune()
    assert there(parent, second) == []
