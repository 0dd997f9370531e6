"""Statistics: exact totals, counted once, whatever is folded, pruned or under way meanwhile."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.desk.estimates import Statistics, statistics
from apps.jobs import lifecycle, tally
from apps.jobs.models import Job
from apps.jobs.values import Failure
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]


def stand(owner: User | None = None) -> Statistics:
    return statistics(kind="noop", lane=LANE, owner_id=owner.pk if owner else None)


def counts(owner: User | None = None) -> tuple[int, int, int, int]:
    now = stand(owner)
    return now.total_queued, now.total_processing, now.total_completed, now.total_failed


def complete_one() -> None:
    assert lifecycle.complete(claim())


def test_each_state_is_counted_for_everybody_and_for_one(enqueue: Enqueue, owner: User, other: User) -> None:
    for _ in range(3):
        enqueue()
    complete_one()
    assert lifecycle.fail(claim(), Failure("broken", "It broke."))
    enqueue(owner_id=other.pk)
    enqueue(run_after="2100-01-01T00:00:00Z")
    claim()
    assert counts() == (2, 1, 1, 1)
    assert counts(owner) == (1, 1, 1, 1)
    assert counts(other) == (1, 0, 0, 0)


def test_folding_changes_no_total_and_pruning_neither(enqueue: Enqueue, owner: User) -> None:
    for _ in range(4):
        enqueue()
        complete_one()
    assert counts(owner)[2] == 4
    assert tally.fold() == 4
    assert tally.fold() == 0
    assert counts(owner)[2] == counts()[2] == 4
    enqueue()
    complete_one()
    assert counts()[2] == 5, "what ended since the fold is there at once"
    tally.fold()
    Job.objects.all().delete()
    assert counts()[2] == 5, "what is pruned was still done"


def test_a_finish_that_commits_after_the_fold_is_not_missed(enqueue: Enqueue) -> None:
    """It ended before the fold by the clock, and only showed afterwards."""
    enqueue()
    lease = claim()
    finished, folded = threading.Event(), threading.Event()

    def finish_slowly() -> None:
        with transaction.atomic():
            lifecycle.complete(lease)
            finished.set()
            folded.wait(20)
        connection.close()

    slow = threading.Thread(target=finish_slowly)
    slow.start()
    assert finished.wait(20)
    tally.fold()
    folded.set()
    slow.join()
    assert counts()[2] == 1
    assert tally.fold() == 1
    assert counts()[2] == 1


def test_two_folds_at_once_count_once(enqueue: Enqueue) -> None:
    for _ in range(5):
        enqueue()
        complete_one()

    def fold() -> None:
        tally.fold()
        connection.close()

    folds = [threading.Thread(target=fold) for _ in range(4)]
    for each in folds:
        each.start()
    for each in folds:
        each.join()
    tally.fold()
    assert counts()[2] == 5


def test_the_wait_of_the_past_and_of_a_new_one(enqueue: Enqueue, owner: User) -> None:
    assert stand(owner).average_wait_seconds is None
    assert stand(owner).estimated_wait_seconds is None
    for _ in range(3):
        enqueue()
        complete_one()
    for whose in (None, owner):
        now = stand(whose)
        assert now.average_wait_seconds is not None
        assert now.average_wait_seconds < 30
        assert now.estimated_wait_seconds == 0.0, "a place is free"


def test_statistics_ask_a_constant_number_of_questions(enqueue: Enqueue, owner: User) -> None:
    def asked(whose: User | None) -> int:
        with CaptureQueriesContext(connection) as queries:
            stand(whose)
        return len(queries)

    enqueue()
    few = [asked(whose) for whose in (None, owner)]
    for _ in range(20):
        enqueue()
    assert [asked(whose) for whose in (None, owner)] == few
