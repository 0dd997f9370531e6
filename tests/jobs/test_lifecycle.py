"""One test for each promise of a verb: what it does, and that it does nothing when its guard loses."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import User
from apps.jobs import endings, lifecycle, services
from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.values import Failure, NewJob
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
BROKEN = Failure("broken", "It broke.", "Mend it.")


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00:00Z")


def rescue(job: Job) -> str:
    with transaction.atomic():
        found = [row for row in lifecycle.expired() if row["id"] == job.pk]
    assert found
    row = found[0]
    return lifecycle.rescue(job.pk, row["fence"], crashes=row["crashes"], cancel_requested=row["cancel_requested"])


def test_claim_takes_priority_first_then_oldest(enqueue: Enqueue) -> None:
    low, first, second = enqueue(priority=3), enqueue(), enqueue()
    assert [claim().job_id for _ in range(3)] == [first.pk, second.pk, low.pk]
    assert claim() is None


def test_owners_take_turns(enqueue: Enqueue, owner: User, other: User) -> None:
    mine = [enqueue() for _ in range(3)]
    theirs = [enqueue(owner_id=other.pk) for _ in range(2)]
    order = [claim().job_id for _ in range(5)]
    assert order == [mine[0].pk, theirs[0].pk, mine[1].pk, theirs[1].pk, mine[2].pk]


def test_bulk_of_one_owner_does_not_push_others_back(owner: User, other: User) -> None:
    bulk = [NewJob(kind="noop", owner_id=owner.pk) for _ in range(5)]
    lifecycle.enqueue(bulk)
    single = NewJob(kind="noop", owner_id=other.pk)
    lifecycle.enqueue([single])
    assert [claim().uid for _ in range(2)] == [bulk[0].uid, single.uid]


def test_claim_counts_the_attempt_and_leases_the_job(enqueue: Enqueue) -> None:
    job = enqueue()
    lease = claim("w7")
    job.refresh_from_db()
    assert (lease.attempt, job.attempt, job.status, job.worker) == (1, 1, "processing", "w7")
    assert job.lease_until is not None


def test_complete_records_attempt_and_event(enqueue: Enqueue) -> None:
    job = enqueue()
    assert lifecycle.complete(claim())
    job.refresh_from_db()
    assert (job.status, job.lease_until, Attempt.objects.get(job=job).outcome) == ("completed", None, "completed")
    assert list(JobEvent.objects.filter(job=job).order_by("id").values_list("old", "new")) == [
        ("", "queued"),
        ("queued", "processing"),
        ("processing", "completed"),
    ]


def test_complete_and_claim_does_both(enqueue: Enqueue) -> None:
    first, second = enqueue(), enqueue()
    finished, lease = lifecycle.complete_and_claim(claim(), worker="w1")
    assert finished
    assert lease.job_id == second.pk
    assert lifecycle.complete_and_claim(lease, worker="w1") == (True, None)
    assert set(Job.objects.values_list("status", flat=True)) == {"completed"}
    assert Attempt.objects.filter(job=first).exists()


def test_complete_loses_after_rescue(enqueue: Enqueue) -> None:
    job = enqueue()
    stale = claim("zombie")
    expire(job)
    assert rescue(job) == "queued"
    fresh = claim("w2")
    assert fresh.attempt == 2
    assert not lifecycle.complete(stale)
    assert not lifecycle.fail(stale, BROKEN)
    assert not lifecycle.heartbeat(stale).held
    assert lifecycle.complete(fresh)


def test_three_crashes_fail_the_job(enqueue: Enqueue) -> None:
    job = enqueue()
    for expected in ("queued", "queued", "failed"):
        claim()
        expire(job)
        assert rescue(job) == expected
    job.refresh_from_db()
    assert (job.error_code, job.crashes, job.failures) == ("crashed_repeatedly", 3, 0)
    assert Attempt.objects.filter(job=job, outcome="crashed").count() == 3


def test_dependant_is_released_when_its_job_completes(enqueue: Enqueue) -> None:
    first = enqueue()
    second = enqueue(waits_for_id=first.pk)
    assert second.status == "waiting"
    lease = claim()
    assert claim() is None
    lifecycle.complete(lease)
    assert claim().job_id == second.pk


def test_reschedule_counts_errors_and_promote_brings_it_back(enqueue: Enqueue) -> None:
    job, later = enqueue(), enqueue()
    assert lifecycle.reschedule(
        claim(), seconds=0, reason="backoff_until", outcome="retry", failure=BROKEN, counts=True
    )
    job.refresh_from_db()
    assert (job.status, job.failures, job.reason) == ("scheduled", 1, "backoff_until")
    assert lifecycle.promote() == 1
    assert claim().job_id == job.pk, "it keeps its place before the one that came later"
    assert claim().job_id == later.pk


def test_future_retry_is_not_promoted(enqueue: Enqueue) -> None:
    enqueue()
    lifecycle.reschedule(claim(), seconds=60, reason="backoff_until", outcome="retry", failure=BROKEN, counts=True)
    assert lifecycle.promote() == 0


def test_park_gives_the_worker_back_and_resume_fences_the_old_one(enqueue: Enqueue) -> None:
    job = enqueue()
    lease = claim()
    assert lifecycle.park(lease, seconds=0, stage="waiting_for_provider")
    assert not lifecycle.complete(lease)
    again = lifecycle.resume(lane=LANE, worker="w2")
    assert (again.job_id, again.attempt, again.resumed) == (job.pk, 1, True)
    assert lifecycle.complete(again)


def test_parked_jobs_wait_for_their_time(enqueue: Enqueue) -> None:
    enqueue()
    lifecycle.park(claim(), seconds=60, stage="waiting_for_provider")
    assert lifecycle.resume(lane=LANE, worker="w2") is None


@pytest.mark.parametrize("status", ["queued", "waiting", "scheduled"])
def test_cancel_ends_what_has_not_started(enqueue: Enqueue, status: str) -> None:
    blocker = enqueue(kind="image")
    job = enqueue(
        **{
            "queued": {},
            "waiting": {"waits_for_id": blocker.pk},
            "scheduled": {"run_after": "2100-01-01T00:00:00Z"},
        }[status]
    )
    assert job.status == status
    assert [change.new for change in lifecycle.request_cancel([job.pk])] == ["cancelled"]
    assert lifecycle.request_cancel([job.pk]) == []
    assert claim() is None


def test_cancel_marks_what_runs_and_the_worker_ends_it(enqueue: Enqueue) -> None:
    job = enqueue()
    lease = claim()
    assert [change.new for change in lifecycle.request_cancel([job.pk])] == ["processing"]
    assert lifecycle.heartbeat(lease).cancel_requested
    assert not lifecycle.complete(lease)
    assert lifecycle.cancel_held(lease)
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_cancel_wakes_a_parked_job(enqueue: Enqueue) -> None:
    job = enqueue()
    lifecycle.park(claim(), seconds=600, stage="waiting_for_provider")
    lifecycle.request_cancel([job.pk])
    lease = lifecycle.resume(lane=LANE, worker="w2")
    assert lease is not None
    assert lifecycle.cancel_held(lease)


def test_cancel_of_a_crashed_job_wins_at_rescue(enqueue: Enqueue) -> None:
    job = enqueue()
    claim()
    lifecycle.request_cancel([job.pk])
    expire(job)
    assert rescue(job) == "cancelled"


def test_cancelled_job_takes_its_dependants_along(enqueue: Enqueue) -> None:
    first = enqueue()
    second = enqueue(waits_for_id=first.pk)
    lifecycle.request_cancel([first.pk])
    second.refresh_from_db()
    assert second.status == "cancelled"


def test_dedupe_key_makes_one_live_job(enqueue: Enqueue, owner: User) -> None:
    enqueue(dedupe_key="pack:1")
    assert lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk, dedupe_key="pack:1")]) == {}
    lifecycle.complete(claim())
    assert lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk, dedupe_key="pack:1")])


def test_reorder_moves_only_the_owners_own(enqueue: Enqueue, other: User) -> None:
    a, b, c = enqueue(), enqueue(), enqueue()
    x = enqueue(owner_id=other.pk)
    assert lifecycle.move_before(c.pk, a.pk)
    assert [claim().job_id for _ in range(4)] == [c.pk, x.pk, a.pk, b.pk]


def test_priority_change_takes_effect_at_once(enqueue: Enqueue) -> None:
    first, second = enqueue(), enqueue()
    assert lifecycle.change_priority(second.pk, 9)
    assert [claim().job_id, claim().job_id] == [second.pk, first.pk]
    assert not lifecycle.change_priority(first.pk, 9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "completed"},
        {"status": "queued", "lease_until": "2100-01-01T00:00:00Z"},
        {"status": "processing"},
        {"status": "scheduled"},
        {"priority": 11},
        {"crashes": 4},
        {"failures": 1},
        {"status": "failed", "finished_at": "2026-01-01T00:00:00Z"},
        {"cancel_requested_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_the_database_refuses_impossible_rows(enqueue: Enqueue, wrong: dict[str, object]) -> None:
    job = enqueue()
    with pytest.raises(IntegrityError):
        Job.objects.filter(pk=job.pk).update(**wrong)


def test_claim_walks_the_index_of_its_own_order(enqueue: Enqueue) -> None:
    from apps.jobs import sql

    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN " + sql.CLAIM, {"lane": LANE, "worker": "w", "lease": 60, "lane_limit": None, "owner_limit": None}
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "job_ready" in plan


def test_a_job_that_waits_shows_what_its_product_says(enqueue: Enqueue) -> None:
    first = enqueue()
    plain = enqueue(waits_for_id=first.pk)
    staged = enqueue(waits_for_id=first.pk, stage="cutting_out")
    person = enqueue(waits_for_person="needs_photo")
    told = [(job.status, job.reason, job.stage) for job in (plain, staged, person)]
    assert told == [
        ("waiting", "dependency", ""),
        ("waiting", "dependency", "cutting_out"),
        ("waiting", "needs_photo", ""),
    ]
    assert lifecycle.left_waiting() == [], "nobody looks for the job that a person is waited for"


def test_a_dependant_fails_in_the_words_of_its_own_kind(enqueue: Enqueue) -> None:
    first = enqueue()
    plain, image = enqueue(waits_for_id=first.pk), enqueue(kind="image", waits_for_id=first.pk)
    last = enqueue(waits_for_id=image.pk)
    lease = claim()
    with transaction.atomic():
        assert lifecycle.fail(lease, BROKEN)
        endings.end_failed([first], BROKEN)
    said = dict(Job.objects.filter(status="failed").values_list("pk", "error_message"))
    assert set(said) == {first.pk, plain.pk, image.pk, last.pk}
    assert said[plain.pk] == said[last.pk] == "What it waited for did not work."
    assert said[image.pk] == "The prompt it waited for could not be written."


def test_a_job_may_name_its_provider_itself_and_its_retry_keeps_it(enqueue: Enqueue, owner: User) -> None:
    assert enqueue(kind="image").provider == "wavespeed"
    job = enqueue(provider="openai", max_retries=1)
    assert job.provider == "openai"
    lifecycle.request_cancel([job.pk])
    again = services.retry_job(user=owner, uid=job.uid)
    assert (again.provider, again.max_retries, again.retry_of_id) == ("openai", 1, job.pk)
