"""The quota on what waits: exact, however many ask at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.assets.urls import asset_url
from apps.core.errors import Problem
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.values import NewJob
from tests.api.conftest import caller_of, problem
from tests.factories import AssetFactory, RowFactory
from tests.jobs.conftest import claim

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
AT_ONCE = 60


def refused(enqueue: Enqueue, **wanted: object) -> Problem:
    with pytest.raises(Problem) as refusal:
        enqueue(**wanted)
    return refusal.value


def test_the_quota_is_of_what_waits_in_any_way(enqueue: Enqueue, settings: Settings) -> None:
    settings.QUEUE_QUOTA = 3
    first = enqueue()
    enqueue(waits_for_id=first.pk)
    enqueue(run_after="2100-01-01T00:00:00Z")
    problem = refused(enqueue)
    assert (problem.status, problem.code, problem.extra) == (429, "queue_full", {"waiting": 3, "quota": 3})
    assert problem.action
    claim()
    enqueue()


def test_a_bulk_is_taken_whole_or_not_at_all(owner: User, settings: Settings) -> None:
    settings.QUEUE_QUOTA = 3
    with pytest.raises(Problem):
        lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk) for _ in range(4)])
    assert not Job.objects.exists()


def test_a_users_own_quota_goes_before_the_settings(
    enqueue: Enqueue, owner: User, other: User, settings: Settings
) -> None:
    settings.QUEUE_QUOTA = 1
    User.objects.filter(pk=owner.pk).update(queue_quota=2)
    enqueue()
    enqueue()
    refused(enqueue)
    enqueue(owner_id=other.pk)
    refused(enqueue, owner_id=other.pk)
    User.objects.filter(pk=other.pk).update(queue_quota=0)
    enqueue(owner_id=other.pk)


def test_of_sixty_requests_for_the_last_place_one_gets_it(owner: User, settings: Settings) -> None:
    settings.QUEUE_QUOTA = 5
    lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk) for _ in range(4)])
    together = threading.Barrier(AT_ONCE)

    def ask(_: int) -> bool:
        try:
            connection.ensure_connection()
            together.wait(timeout=60)
            lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk)])
            return True
        except Problem:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, range(AT_ONCE)))
    assert answers.count(True) == 1
    assert Job.objects.count() == 5


def test_the_api_says_that_the_queue_is_full(owner: User, settings: Settings, tmp_path: Path) -> None:
    settings.QUEUE_QUOTA, settings.MEDIA_ROOT = 1, tmp_path
    lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk)])
    target = asset_url(AssetFactory(owner=owner))
    row = RowFactory(workspace__owner=owner, target_url=target, prompt_override="A shoe on warm sand")
    answer = caller_of(owner)("post", "/api/jobs/create", {"rowId": str(row.pk), "useAiPrompt": False, "count": 1})
    assert problem(answer, 429, "queue_full")["quota"] == 1
    assert Job.objects.count() == 1
