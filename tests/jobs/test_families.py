"""Parents and children: counted in the statement that ends a child, made in resumable chunks, ended and retried together."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from uuid import uuid4

import orjson
import pytest
from django.db import connection, transaction

from apps.accounts.models import User
from apps.core.broker import hints
from apps.core.errors import Problem
from apps.jobs import announce, dispatch, endings, families, lifecycle, loop, services
from apps.jobs.models import Job, JobEvent
from apps.jobs.states import AfterChildren
from apps.jobs.values import Failure, NewJob
from tests.faults.test_races import at_once
from tests.jobs.conftest import LANE, claim
from tests.jobs.families import FamilyHandler, PartHandler, stored, teach

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
BROKEN = Failure("broken", "It broke.", "Mend it.")
PLAN = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    teach(monkeypatch)
    stored.clear()


@pytest.fixture
def family(enqueue: Enqueue) -> Callable[..., Job]:
    def make(*slots: str, **wanted: object) -> Job:
        parent = enqueue(**{"kind": "family", "after_children": AfterChildren.END, "plan": list(slots)} | wanted)
        families.make_children(parent.pk)
        return parent

    return make


def told(job: Job) -> tuple[str, int, int]:
    job.refresh_from_db()
    return job.status, job.open_children, job.failed_children


def fail_one() -> None:
    lease = claim()
    assert lease is not None
    with transaction.atomic():
        lifecycle.lock([lease.job_id])
        assert lifecycle.fail(lease, BROKEN)
        endings.end_failed([Job.objects.get(pk=lease.job_id)], BROKEN)


def complete_one() -> None:
    lease = claim()
    assert lease is not None
    assert lifecycle.complete(lease)


def child(parent: Job, slot: str) -> Job:
    return Job.objects.get(parent=parent, slot=slot)


def test_a_parent_waits_and_ends_with_its_last_child(family: Callable[..., Job]) -> None:
    parent = family(*PLAN)
    assert told(parent) == ("waiting", 3, 0)
    assert (parent.reason, parent.lease_until, parent.attempt) == ("children", None, 0)
    for left in (2, 1):
        complete_one()
        assert told(parent) == ("waiting", left, 0)
    complete_one()
    assert told(parent) == ("completed", 0, 0)
    assert claim() is None, "the parent never ran"
    events = list(JobEvent.objects.filter(job=parent).values_list("old", "new", "reason"))
    assert events == [("", "waiting", "children"), ("waiting", "completed", "children")]


def test_finish_and_claim_counts_as_a_finish(family: Callable[..., Job]) -> None:
    parent = family(*PLAN)
    lease = claim()
    while lease:
        finished, lease = lifecycle.complete_and_claim(lease, worker="w1")
        assert finished
    assert told(parent) == ("completed", 0, 0)


@pytest.mark.parametrize("end", ["fail", "cancel", "cancel_held", "crash", "dependency"])
def test_a_child_that_does_not_complete_fails_its_parent_and_never_leaves_it_waiting(
    family: Callable[..., Job], enqueue: Enqueue, end: str
) -> None:
    parent = family("a", "b")
    complete_one()
    last = child(parent, "b")
    if end == "fail":
        fail_one()
    elif end == "cancel":
        endings.cancel([last.pk], reason="cancelled_by_owner")
    elif end == "cancel_held":
        lease = claim()
        endings.cancel([last.pk], reason="cancelled_by_owner")
        assert told(parent) == ("waiting", 1, 0), "its worker has not obeyed yet"
        assert lease is not None
        assert lifecycle.cancel_held(lease)
    elif end == "crash":
        for _ in range(3):
            claim()
            Job.objects.filter(pk=last.pk).update(lease_until="2020-01-01T00:00:00Z")
            dispatch.dispatch()
    else:
        first = enqueue()
        Job.objects.filter(pk=last.pk).update(status="waiting", reason="dependency", waits_for=first, queued_at=None)
        fail_one()
    assert told(parent) == ("failed", 0, 1)
    assert (parent.error_code, parent.error_remedy) == ("children_failed", "retry")


def test_a_skipped_child_is_as_good_as_done(family: Callable[..., Job], enqueue: Enqueue) -> None:
    parent = family("a", "b")
    complete_one()
    waits = enqueue(waits_for_id=child(parent, "b").pk)
    changes = lifecycle.skip([child(parent, "b").pk, parent.pk], reason="not_needed")
    assert [change.new for change in changes if change.job_id != parent.pk] == ["skipped", "skipped"]
    assert told(parent) == ("completed", 0, 0)
    waits.refresh_from_db()
    assert waits.status == "skipped", "nothing is left to wait for"
    assert lifecycle.skip([waits.pk], reason="not_needed") == []


def test_fan_in_runs_after_its_children_and_then_counts_in_its_own_parent(enqueue: Enqueue) -> None:
    pack = enqueue(kind="family", after_children=AfterChildren.END, plan=["pictures"])
    module = enqueue(kind="family", after_children=AfterChildren.RUN, parent_id=pack.pk, slot="module", plan=PLAN)
    lifecycle.seal(pack.pk)
    families.make_children(module.pk)
    complete_one()
    fail_one()
    assert told(module) == ("waiting", 1, 1)
    complete_one()
    assert told(module) == ("queued", 0, 1), "it sees for itself how they ended"
    assert told(pack) == ("waiting", 1, 0)
    lease = claim()
    assert lease is not None
    assert lease.job_id == module.pk
    assert lifecycle.complete(lease)
    assert told(pack) == ("completed", 0, 0)


def test_a_parent_does_not_end_before_its_plan_is_carried_out(enqueue: Enqueue) -> None:
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=PLAN)
    enqueue(kind="part", parent_id=parent.pk, slot="a")
    complete_one()
    assert told(parent) == ("waiting", 1, 0), "one for the plan"
    families.make_children(parent.pk)
    assert told(parent) == ("waiting", 2, 0)
    complete_one()
    complete_one()
    assert told(parent) == ("completed", 0, 0)


def test_an_empty_plan_is_done_at_once(family: Callable[..., Job]) -> None:
    assert told(family()) == ("completed", 0, 0)


def test_chunks_are_made_again_after_a_crash_and_never_twice(enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "CHUNK", 10)
    slots = [f"s{number}" for number in range(45)]
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=slots)
    asked = 0

    def plan() -> Iterator[NewJob]:
        nonlocal asked
        for slot in slots:
            if asked == 25:
                raise RuntimeError("the process dies")
            asked += 1
            yield NewJob(kind="part", owner_id=parent.owner_id, slot=slot)

    with pytest.raises(RuntimeError):
        families.enqueue_many(parent.pk, plan())
    assert told(parent) == ("waiting", 21, 0), "two chunks, and one for the plan"
    assert families.carry_on() == 0, "its maker may still be at it"
    Job.objects.update(created_at="2020-01-01T00:00:00Z")
    assert families.carry_on() == 1
    assert told(parent) == ("waiting", 45, 0)
    assert sorted(Job.objects.filter(parent=parent).values_list("slot", flat=True)) == sorted(slots)
    assert len(stored) == 25, "what its kind keeps was written for those just made"
    assert families.make_children(parent.pk)
    assert told(parent) == ("waiting", 45, 0)


def test_two_who_make_the_same_children_at_once_make_each_once(
    enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "CHUNK", 7)
    slots = [f"s{number}" for number in range(60)]
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=slots)
    answers = at_once(*[lambda: families.make_children(parent.pk)] * 4)
    assert answers == [True] * 4
    assert told(parent) == ("waiting", 60, 0)
    assert sorted(stored) == sorted(slots)


def test_children_that_end_at_once_are_all_counted(family: Callable[..., Job]) -> None:
    """Rounds of eight children ended by eight workers, in every way; a cancel of the parent joins in half of them."""
    lottery = random.Random(8)
    for round_ in range(12):
        parent = family(*[str(number) for number in range(8)])
        leases = [claim() for _ in range(8)]

        def end(lease: object, how: str) -> None:
            if how == "complete":
                lifecycle.complete(lease)  # type: ignore[arg-type]
            elif how == "next":
                lifecycle.complete_and_claim(lease, worker="w")  # type: ignore[arg-type]
            else:
                with transaction.atomic():
                    lifecycle.lock([lease.job_id])  # type: ignore[attr-defined]
                    if lifecycle.fail(lease, BROKEN):  # type: ignore[arg-type]
                        endings.fail_dependants([lease.job_id])  # type: ignore[attr-defined]

        works: list[Callable[[], object]] = [
            lambda lease=lease: end(lease, lottery.choice(["complete", "next", "fail"]))  # type: ignore[misc]
            for lease in leases
        ]
        if round_ % 2:
            works.append(partial(endings.cancel, [parent.pk], reason="cancelled_by_owner"))
        lottery.shuffle(works)
        assert [answer for answer in at_once(*works) if isinstance(answer, Exception)] == []
        for lease in leases:
            lifecycle.cancel_held(lease)  # type: ignore[arg-type]
        status, open_children, failed = told(parent)
        bad = Job.objects.filter(parent=parent, status__in=["failed", "cancelled"]).count()
        assert (open_children, failed) == (0, bad)
        assert status in (("failed" if bad else "completed"), "cancelled" if round_ % 2 else "")


def test_cancel_of_a_parent_ends_it_and_its_open_children(family: Callable[..., Job]) -> None:
    parent = family(*PLAN)
    complete_one()
    lease = claim()
    endings.cancel([parent.pk], reason="cancelled_by_owner")
    assert told(parent) == ("cancelled", 1, 1)
    assert [child(parent, slot).status for slot in PLAN] == ["completed", "processing", "cancelled"]
    assert lease is not None
    assert lifecycle.cancel_held(lease)
    assert told(parent) == ("cancelled", 0, 2)


def test_a_cancel_whose_process_died_is_carried_on_by_the_tick(family: Callable[..., Job]) -> None:
    parent = family(*PLAN)
    lifecycle.request_cancel([parent.pk])
    assert told(parent) == ("cancelled", 3, 0)
    assert dispatch.dispatch()["families"] == 1
    assert told(parent) == ("cancelled", 0, 3)


def test_many_children_are_cancelled_a_part_at_a_time(
    family: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "CHILDREN_AT_ONCE", 2)
    monkeypatch.setattr(lifecycle, "BATCH", 2)
    parent = family(*PLAN)
    endings.cancel([parent.pk], reason="cancelled_by_owner")
    assert told(parent) == ("cancelled", 1, 2)
    assert families.carry_on() == 1
    assert told(parent) == ("cancelled", 0, 3)


def test_a_parent_and_its_children_may_be_cancelled_together(family: Callable[..., Job]) -> None:
    parent = family(*PLAN)
    everybody = [parent.pk, *Job.objects.filter(parent=parent).values_list("pk", flat=True)]
    lifecycle.request_cancel(everybody)
    assert told(parent) == ("cancelled", 0, 3)


def test_a_hanging_parent_is_settled_by_the_tick(family: Callable[..., Job]) -> None:
    parent = family("a")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jobs_job SET status = 'completed', finished_at = now() WHERE parent_id = %s", [parent.pk]
        )
    assert dispatch.dispatch()["families"] == 1
    assert told(parent) == ("completed", 0, 0)


def test_retry_of_a_parent_makes_only_what_is_missing(family: Callable[..., Job], owner: User) -> None:
    parent = family(*PLAN)
    complete_one()
    fail_one()
    lifecycle.skip([child(parent, "c").pk], reason="not_needed")
    assert told(parent) == ("failed", 0, 1)
    again = services.retry_job(user=owner, uid=parent.uid)
    assert told(again) == ("waiting", 1, 0)
    assert list(Job.objects.filter(parent=again).values_list("slot", flat=True)) == ["b"]
    fail_one()
    third = services.retry_job(user=owner, uid=again.uid)
    assert list(Job.objects.filter(parent=third).values_list("slot", flat=True)) == ["b"]
    complete_one()
    assert told(third) == ("completed", 0, 0)


def test_a_child_that_is_tried_again_in_time_mends_its_parent(family: Callable[..., Job], owner: User) -> None:
    parent = family("a", "b")
    fail_one()
    assert told(parent) == ("waiting", 1, 1)
    failed = child(parent, "a")
    again = services.retry_job(user=owner, uid=failed.uid)
    assert (again.parent_id, again.slot) == (parent.pk, "a")
    assert told(parent) == ("waiting", 2, 0)
    assert families.progress([parent.pk]) == {parent.pk: {"queued": 2}}
    complete_one()
    complete_one()
    assert told(parent) == ("completed", 0, 0)


def test_a_child_that_is_tried_again_too_late_goes_alone_and_is_not_made_twice(
    family: Callable[..., Job], owner: User
) -> None:
    parent = family("a", "b")
    fail_one()
    fail_one()
    alone = services.retry_job(user=owner, uid=child(parent, "a").uid)
    assert (alone.parent_id, told(parent)) == (None, ("failed", 0, 2))
    again = services.retry_job(user=owner, uid=parent.uid)
    assert list(Job.objects.filter(parent=again).values_list("slot", flat=True)) == ["b"]


def test_a_child_of_a_parent_that_is_over_is_not_made(family: Callable[..., Job], owner: User) -> None:
    parent = family(*PLAN)
    endings.cancel([parent.pk], reason="cancelled_by_owner")
    late = NewJob(kind="part", owner_id=owner.pk, parent_id=parent.pk, slot="late")
    assert lifecycle.enqueue([late]) == {}
    assert not families.enqueue_many(parent.pk, [late])


def test_a_family_counts_once_in_the_quota(family: Callable[..., Job], enqueue: Enqueue, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(queue_quota=2)
    family(*[str(number) for number in range(20)])
    enqueue()
    with pytest.raises(Problem) as full:
        enqueue()
    assert full.value.extra == {"waiting": 2, "quota": 2}


def test_a_quiet_kind_is_told_of_by_its_subject_once_in_a_while(
    family: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(monkeypatch, quiet=True)
    monkeypatch.setattr(announce, "QUIET_MILLISECONDS", 600_000)
    subject = f"batch:{uuid4()}"
    with hints.client.pubsub() as channel:
        channel.subscribe(announce.CHANNEL)
        assert channel.get_message(timeout=20)["type"] == "subscribe"
        parent = family(*PLAN, subject=subject)
        for _ in PLAN:
            complete_one()
        events: list[dict[str, object]] = []
        while not any(event.get("status") == "completed" for event in events):
            events += orjson.loads(channel.get_message(timeout=20)["data"])
    mine = [(bool(event["id"]), event.get("job")) for event in events if event["subject"] == subject]
    assert mine == [(True, str(parent.uid)), (False, None), (True, str(parent.uid))]


def test_kinds_that_do_not_age_keep_their_priority(
    family: Callable[..., Job], enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(monkeypatch, ages=False)
    parent, alone = family("a"), enqueue()
    assert lifecycle.age(seconds=0) == 1
    assert (child(parent, "a").priority, Job.objects.get(pk=alone.pk).priority) == (5, 6)


def test_a_parent_waits_in_no_lane(family: Callable[..., Job]) -> None:
    """The packs of a lane with one place do not keep their own children from it."""
    from apps.jobs import lanes
    from apps.jobs.models import Lane

    Lane.objects.filter(name=LANE).update(limit=1)
    lanes.forget_limits()
    parents = [family("a") for _ in range(3)]
    for _ in parents:
        complete_one()
    assert [told(parent)[0] for parent in parents] == ["completed"] * 3


def test_a_child_of_a_cancelled_parent_never_starts(
    family: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(PartHandler, "run", lambda self, run: ran.append(str(run.lease.uid)))
    parent = family(*PLAN)
    with monkeypatch.context() as patch:
        patch.setattr(endings, "cancel_children", lambda parent_id: 0)  # the canceller dies before it comes to them
        endings.cancel([parent.pk], reason="cancelled_by_owner")
    assert Job.objects.filter(parent=parent, status="queued").count() == 3
    loop.work(LANE)
    assert ran == []
    assert set(Job.objects.filter(parent=parent).values_list("status", "attempt")) == {("cancelled", 1)}
    assert told(parent)[:2] == ("cancelled", 0)


def test_siblings_wait_for_the_one_that_their_plan_names(enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = wired_family(enqueue, monkeypatch)
    shared, waiting = child(parent, "cutout"), Job.objects.filter(parent=parent, status="waiting")
    assert set(waiting.values_list("slot", "waits_for_id", "stage")) == {
        ("main", shared.pk, "cutting_out"),
        ("back", shared.pk, "cutting_out"),
    }
    complete_one()
    assert not waiting.exists()
    complete_one()
    complete_one()
    assert told(parent) == ("completed", 0, 0)


def test_a_retry_of_a_family_wires_what_is_missing_again(
    enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch, owner: User
) -> None:
    parent = wired_family(enqueue, monkeypatch)
    fail_one()
    assert set(Job.objects.filter(parent=parent).values_list("status", flat=True)) == {"failed"}
    again = services.retry_job(user=owner, uid=parent.uid)
    shared = child(again, "cutout")
    assert set(Job.objects.filter(parent=again, status="waiting").values_list("waits_for_id", flat=True)) == {shared.pk}
    complete_one()
    fail_one()
    complete_one()
    third = services.retry_job(user=owner, uid=again.uid)
    assert list(Job.objects.filter(parent=third).values_list("status", "waits_for_id")) == [("queued", None)]


def test_a_child_tried_again_waits_for_the_newest_try_of_what_it_needs(
    enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch, owner: User
) -> None:
    parent = wired_family(enqueue, monkeypatch, "other")
    fail_one()
    main = child(parent, "main")
    with pytest.raises(Problem) as refused:
        services.retry_job(user=owner, uid=main.uid)
    assert (refused.value.code, refused.value.status) == ("dependency_failed", 409)
    shared = services.retry_job(user=owner, uid=child(parent, "cutout").uid)
    again = services.retry_job(user=owner, uid=main.uid)
    assert (again.status, again.waits_for_id, again.stage) == ("waiting", shared.pk, "cutting_out")


def wired_family(enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch, *alone: str) -> Job:
    """One cut-out, two pictures that wait for it, and others that do not."""

    def children(self: FamilyHandler, parent: Job) -> list[NewJob]:
        pictures = [("main", "cutout"), ("back", "cutout"), ("cutout", None), *((slot, None) for slot in alone)]
        return [NewJob(kind="part", owner_id=parent.owner_id, slot=slot, waits_for_slot=on) for slot, on in pictures]

    monkeypatch.setattr(FamilyHandler, "children", children)
    monkeypatch.setattr(PartHandler, "waiting_stage", "cutting_out")
    parent = enqueue(kind="family", after_children=AfterChildren.END, plan=[])
    families.make_children(parent.pk)
    return parent
