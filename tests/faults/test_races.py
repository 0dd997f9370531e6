"""F29, F30, F12: many at once for one job; a cancel against a finish, and every other pair, in random order."""

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from apps.jobs import endings, lanes, lifecycle
from apps.jobs.models import Attempt, Job, JobEvent, Lane
from apps.jobs.states import FINAL
from apps.jobs.values import Failure, Lease, NewJob
from tests.faults import scene

pytestmark = pytest.mark.django_db(transaction=True)
LANE = "listings"
BROKEN = Failure("broken", "It broke.", "Mend it.")
ROUNDS = 200


def at_once(*works: Callable[[], object]) -> list[object]:
    """Runs them together from one barrier, each on a connection of its own; answers what each returned or raised."""
    barrier, answers = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            answers[place] = work()  # type: ignore[call-overload]
        except Exception as error:
            answers[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.fixture
def owner_id() -> int:
    lanes.ensure_lanes()
    Lane.objects.filter(name=LANE).update(limit=None)
    lanes.forget_limits()
    return scene.person().pk


def job_of(owner_id: int, **wanted: object) -> int:
    new = NewJob(**{"kind": "noop", "owner_id": owner_id, **wanted})  # type: ignore[arg-type]
    return lifecycle.enqueue([new])[new.uid]


@pytest.mark.parametrize("limits", [{"limit": None}, {"limit": 1}, {"limit": 9, "owner_limit": 1}])
def test_fifty_workers_and_one_job_make_one_claim(owner_id: int, limits: dict[str, int | None]) -> None:
    Lane.objects.filter(name=LANE).update(**limits)
    lanes.forget_limits()
    lanes.limits_of(LANE)
    for _ in range(4):
        job = job_of(owner_id)
        answers = at_once(*[lambda: lifecycle.claim(lane=LANE, worker="w")] * 50)
        won = [answer for answer in answers if isinstance(answer, Lease)]
        assert [lease.job_id for lease in won] == [job]
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert lifecycle.complete(won[0])


def test_limits_hold_while_jobs_are_finished_and_claimed_in_one_statement(owner_id: int) -> None:
    """Four workers, three places, two for one person: at no moment more, and none of the statements fails."""
    Lane.objects.filter(name=LANE).update(limit=3, owner_limit=2)
    lanes.forget_limits()
    others = scene.person("bob").pk
    lifecycle.enqueue([NewJob(kind="noop", owner_id=who) for who in (owner_id, others) for _ in range(60)])
    most: Counter[str] = Counter()

    def work() -> None:
        lease = lifecycle.claim(lane=LANE, worker="w")
        while Job.objects.filter(status="queued").exists() or lease:
            running = list(Job.objects.processing().values_list("owner_id", flat=True))
            most["lane"] = max(most["lane"], len(running))
            most["owner"] = max(most["owner"], *Counter(running).values(), 0)
            lease = (
                lifecycle.complete_and_claim(lease, worker="w")[1] if lease else lifecycle.claim(lane=LANE, worker="w")
            )

    assert at_once(*[work] * 4) == [None] * 4
    assert Job.objects.filter(status="completed").count() == 120
    assert (most["lane"], most["owner"]) <= (3, 2)


def test_a_cancel_races_a_finish_and_there_is_one_end(owner_id: int) -> None:
    """200 rounds here, 2,000 by the soak: complete, fail, reschedule or park against a cancel, each in random order."""
    cancel_against_finish(owner_id, rounds=ROUNDS)


def cancel_against_finish(owner_id: int, *, rounds: int) -> None:
    lottery = random.Random(rounds)
    ends: Counter[str] = Counter()
    for _ in range(rounds // 4):
        jobs = [job_of(owner_id) for _ in range(4)]
        leases = [lifecycle.claim(lane=LANE, worker="w") for _ in jobs]
        dependants = [job_of(owner_id, waits_for_id=job) for job in jobs]
        works: list[Callable[[], object]] = [
            lambda lease=lease: _finish(lottery.choice(["complete", "fail", "park", "again"]), lease)  # type: ignore[misc]
            for lease in leases
        ]
        works += [lambda job=job: lifecycle.request_cancel([job]) for job in jobs]  # type: ignore[misc]
        lottery.shuffle(works)
        assert [answer for answer in at_once(*works) if isinstance(answer, Exception)] == []
        _workers_go_on()
        assert set(Job.objects.filter(pk__in=jobs).values_list("status", flat=True)) <= set(FINAL)
        assert not Job.objects.filter(pk__in=dependants, status="waiting").exists()
        finals = JobEvent.objects.filter(job_id__in=jobs, new__in=FINAL).values_list("job_id", flat=True)
        assert sorted(finals) == sorted(jobs), "each ended once"
        for job in Job.objects.filter(pk__in=jobs):
            done = Attempt.objects.filter(job=job, outcome="completed").exists()
            assert done == (job.status == "completed")
            ends[job.status] += 1
        lifecycle.request_cancel(list(Job.objects.live().values_list("pk", flat=True)))
        _workers_go_on()
    assert ends["completed"]
    assert ends["cancelled"]


def _finish(how: str, lease: Lease) -> None:
    if how == "complete":
        won = lifecycle.complete(lease)
    elif how == "fail":
        won = lifecycle.fail(lease, BROKEN)
        endings.fail_dependants([lease.job_id] if won else [])
    elif how == "park":
        won = lifecycle.park(lease, seconds=0, stage="")
    else:
        won = lifecycle.reschedule(
            lease, seconds=0, reason="backoff_until", outcome="retry", failure=BROKEN, counts=True
        )
    if not won:
        lifecycle.cancel_held(lease)


def _workers_go_on() -> None:
    """What is left is resumed or claimed as by a worker, who says goodbye to what was cancelled."""
    lifecycle.promote()
    while lease := lifecycle.resume(lane=LANE, worker="w") or lifecycle.claim(lane=LANE, worker="w"):
        if not lifecycle.complete(lease):
            assert lifecycle.cancel_held(lease)


def test_a_dependant_that_somebody_holds_is_released_all_the_same(owner_id: int) -> None:
    """A verb has the waiting row locked while its prompt job completes: the release waits for it and is not skipped."""
    from django.db import transaction

    for _ in range(5):
        first = job_of(owner_id)
        second = job_of(owner_id, waits_for_id=first)
        lease = lifecycle.claim(lane=LANE, worker="w")
        assert lease is not None
        locked, completing = threading.Event(), threading.Event()

        def hold(second: int = second, locked: threading.Event = locked, go: threading.Event = completing) -> None:
            with transaction.atomic():
                lifecycle.change_priority(second, 7)
                locked.set()
                go.wait(0.3)

        def finish(lease: Lease = lease, locked: threading.Event = locked, go: threading.Event = completing) -> bool:
            locked.wait(10)
            done = lifecycle.complete(lease)
            go.set()
            return done

        assert at_once(hold, finish) == [None, True]
        released = lifecycle.claim(lane=LANE, worker="w")
        assert released is not None
        assert released.job_id == second
        assert lifecycle.complete(released)


def test_a_stale_finish_that_claims_its_own_job_again_has_not_finished_it(owner_id: int) -> None:
    job = job_of(owner_id)
    stale = lifecycle.claim(lane=LANE, worker="w")
    assert stale is not None
    lifecycle.reschedule(stale, seconds=0, reason="backoff_until", outcome="retry", failure=BROKEN, counts=True)
    lifecycle.promote()
    finished, lease = lifecycle.complete_and_claim(stale, worker="w")
    assert not finished
    assert lease is not None
    assert (lease.job_id, lease.attempt) == (job, 2)


def test_whoever_waits_for_one_that_waits_ends_with_it(owner_id: int) -> None:
    first = job_of(owner_id)
    second = job_of(owner_id, waits_for_id=first)
    third = job_of(owner_id, waits_for_id=second)
    lifecycle.request_cancel([first])
    assert set(Job.objects.filter(pk__in=[first, second, third]).values_list("status", flat=True)) == {"cancelled"}


def test_a_cancel_that_waits_for_a_claim_marks_the_claimed_job(owner_id: int) -> None:
    from django.db import transaction

    job = job_of(owner_id)
    claimed, leases = threading.Event(), []

    def claim() -> None:
        with transaction.atomic():
            leases.append(lifecycle.claim(lane=LANE, worker="w"))
            claimed.set()
            threading.Event().wait(0.3)

    def cancel() -> list[str]:
        claimed.wait(10)
        return [change.new for change in lifecycle.request_cancel([job])]

    assert at_once(claim, cancel) == [None, ["processing"]]
    assert lifecycle.cancel_held(leases[0])  # type: ignore[arg-type]
