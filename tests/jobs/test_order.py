"""The order: positions told are the claims that come first, owners take turns, and nothing starves."""

import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.desk.estimates import describe
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Hold, Job, JobEvent
from apps.jobs.services import change_job
from apps.jobs.values import Failure, NewJob
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
FAILURE = Failure("broken", "It broke.")
OWNERS = 4
# A longer look: PRESSROOM_ORDER_EXAMPLES=300 pytest tests/jobs/test_order.py
EXAMPLES = int(os.environ.get("PRESSROOM_ORDER_EXAMPLES", "12"))


class Queue:
    """A lane and everything that can happen to it, chosen by `pick`; `leases` are the jobs that run."""

    def __init__(self, owners: list[int], pick: random.Random) -> None:
        self.owners, self.pick = owners, pick
        self.leases: list[Any] = []

    def new(self, count: int = 1, **wanted: Any) -> None:
        owner, priority = self.pick.choice(self.owners), self.pick.choice([1, 5, 5, 8])
        lifecycle.enqueue([NewJob(kind="noop", owner_id=owner, priority=priority, **wanted) for _ in range(count)])

    def enqueue(self) -> None:
        self.new()

    def bulk(self) -> None:
        self.new(count=self.pick.randint(2, 5))

    def dependant(self) -> None:
        if live := self._ids(finished_at=None):
            self.new(waits_for_id=self.pick.choice(live))

    def claim(self) -> None:
        if lease := claim():
            self.leases.append(lease)

    def finish(self) -> None:
        if self.leases:
            lifecycle.complete(self._lease())

    def finish_and_claim(self) -> None:
        if self.leases and (lease := lifecycle.complete_and_claim(self._lease(), worker="w1")[1]):
            self.leases.append(lease)

    def reschedule(self) -> None:
        if self.leases:
            lease = self._lease()
            lifecycle.reschedule(
                lease, seconds=0, reason="rate_limited_until", outcome="rate_limited", failure=FAILURE, counts=False
            )

    def promote(self) -> None:
        lifecycle.promote()

    def reprioritise(self) -> None:
        if pending := self._ids(finished_at=None):
            lifecycle.change_priority(self.pick.choice(pending), self.pick.randint(1, 9))

    def reorder(self) -> None:
        if len(queued := self._ids(status="queued")) > 1:
            move = self.pick.choice([lifecycle.move_before, lifecycle.move_after])
            move(*self.pick.sample(queued, 2))

    def age(self) -> None:
        old = self.pick.sample(queued := self._ids(status="queued"), len(queued) // 2)
        Job.objects.filter(pk__in=old).update(queued_at="2020-01-01T00:00:00Z", aged_at=None)
        lifecycle.age(seconds=300)

    def cancel(self) -> None:
        if live := self._ids(finished_at=None):
            lifecycle.request_cancel([self.pick.choice(live)])

    def rescue(self) -> None:
        if self.leases:
            lease = self._lease()
            Job.objects.filter(pk=lease.job_id).update(lease_until="2020-01-01T00:00:00Z")
            with transaction.atomic():
                for row in lifecycle.expired():
                    lifecycle.rescue(
                        row["id"], row["fence"], crashes=row["crashes"], cancel_requested=row["cancel_requested"]
                    )

    def hold_owner(self) -> None:
        lanes.hold(Hold.Scope.OWNER, str(self.pick.choice(self.owners)), reason="budget")

    def lift_holds(self) -> None:
        Hold.objects.all().delete()

    def _ids(self, **filters: Any) -> list[int]:
        return list(Job.objects.filter(**filters).order_by("id").values_list("pk", flat=True))

    def _lease(self) -> Any:
        return self.leases.pop(self.pick.randrange(len(self.leases)))


QUICKLY = {
    "deadline": None,
    "derandomize": "PRESSROOM_ORDER_EXAMPLES" not in os.environ,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
    "phases": [Phase.explicit, Phase.generate],  # shrinking takes minutes: every step asks the database
}
OPERATIONS = [name for name in vars(Queue) if not name.startswith("_") and name != "new"]


def told() -> dict[int, int | None]:
    """The position of every queued job that nothing holds."""
    held = set(Hold.objects.values_list("key", flat=True))
    queued = [job for job in Job.objects.filter(status="queued") if str(job.owner_id) not in held]
    outlooks = describe(queued)
    return {job.pk: outlooks[job.pk].position for job in queued}


def true_order() -> list[int]:
    """What the claim takes if nothing new arrives, tried and undone."""
    order: list[int] = []
    with transaction.atomic():
        while lease := claim():
            order.append(lease.job_id)
        transaction.set_rollback(True)
    return order


@settings(max_examples=EXAMPLES, **QUICKLY)
@given(
    operations=st.lists(st.sampled_from(OPERATIONS), min_size=20, max_size=50),
    seed=st.integers(min_value=0, max_value=2**32),
)
def test_a_position_is_the_number_of_claims_that_come_first(
    people: list[int], operations: list[str], seed: int
) -> None:
    Job.objects.all().delete()
    Hold.objects.all().delete()
    queue = Queue(people, random.Random(seed))
    queue.bulk()
    for operation in operations:
        getattr(queue, operation)()
        assert told() == {pk: place for place, pk in enumerate(true_order())}, f"after {operation}"


@pytest.fixture
def people(db: None) -> list[int]:
    return [User.objects.create_user(f"person{n}").pk for n in range(OWNERS)]


@settings(max_examples=10, **QUICKLY)
@given(
    operations=st.lists(st.sampled_from(["enqueue", "bulk", "claim", "finish", "finish_and_claim"]), max_size=60),
    seed=st.integers(min_value=0, max_value=2**32),
)
def test_backlogged_owners_never_differ_by_more_than_two(people: list[int], operations: list[str], seed: int) -> None:
    """Two owners with work in the line all the time, whatever the others bring, and however uneven their own shares."""
    Job.objects.all().delete()
    first, second, *others = people
    lifecycle.enqueue([NewJob(kind="noop", owner_id=first) for _ in range(80)])
    lifecycle.enqueue([NewJob(kind="noop", owner_id=second) for _ in range(80)])
    queue = Queue(others, random.Random(seed))
    served: Counter[int] = Counter()
    for operation in [*operations, *["claim"] * 40]:
        started = set(queue_leases(queue))
        getattr(queue, operation)()
        served.update(owner for pk, owner in queue_leases(queue) if (pk, owner) not in started)
        assert abs(served[first] - served[second]) <= 2


def queue_leases(queue: Queue) -> list[tuple[int, int]]:
    return [(lease.job_id, lease.owner_id) for lease in queue.leases]


def test_a_job_from_long_ago_does_not_let_a_newcomer_pass_those_who_wait(
    enqueue: Enqueue, owner: User, other: User, people: list[int]
) -> None:
    old = enqueue()
    lifecycle.reschedule(claim(), seconds=0, reason="backoff_until", outcome="retry", failure=FAILURE, counts=True)
    for _ in range(10):  # turns go by
        enqueue(owner_id=other.pk)
        enqueue(owner_id=other.pk)
        lifecycle.complete(claim())
    lifecycle.promote()
    lifecycle.enqueue([NewJob(kind="noop", owner_id=people[0]) for _ in range(10)])
    assert true_order()[0] == old.pk
    newcomer_first = [Job.objects.get(pk=pk).owner_id for pk in true_order()[1:7]]
    assert Counter(newcomer_first)[people[0]] <= 3, "they take turns"


def grow_old(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(queued_at="2020-01-01T00:00:00Z", aged_at=None)


def test_what_waits_too_long_gains_one_priority_a_period(enqueue: Enqueue) -> None:
    old, young = enqueue(priority=3), enqueue(priority=4)
    grow_old(old)
    assert lifecycle.age(seconds=300) == 1
    assert lifecycle.age(seconds=300) == 0, "one step a period"
    old.refresh_from_db()
    assert old.priority == 4
    assert true_order() == [young.pk, old.pk], "it joins the higher line as a newcomer"
    assert JobEvent.objects.filter(job=old).latest("id").reason == "aged"


def test_aging_ends_below_urgent_and_leaves_held_lines_alone(enqueue: Enqueue) -> None:
    top, held = enqueue(priority=9), enqueue(priority=3)
    grow_old(top)
    grow_old(held)
    lanes.pause(LANE)
    assert lifecycle.age(seconds=300) == 0
    lanes.resume(LANE)
    assert lifecycle.age(seconds=300) == 1
    top.refresh_from_db()
    assert top.priority == 9


def test_aging_reaches_everything_in_the_end(enqueue: Enqueue, other: User) -> None:
    """The last of a long line is served before work of a higher priority that keeps coming."""
    starving = enqueue(priority=1)
    for _ in range(9):
        grow_old(starving)
        enqueue(priority=8, owner_id=other.pk)
        lifecycle.age(seconds=300)
        lifecycle.complete(claim())
    starving.refresh_from_db()
    assert starving.status == "completed"


def test_aging_walks_the_claims_own_index() -> None:
    from apps.jobs import sql

    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        asked = {"lanes": [LANE], "ceiling": 9, "limit": 100, "seconds": 300, "ageless": []}
        cursor.execute("EXPLAIN " + sql.AGE, asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "job_ready" in plan


def test_before_and_after_put_a_job_right_there(enqueue: Enqueue, owner: User, other: User) -> None:
    a, b, c, d = (enqueue() for _ in range(4))
    x = enqueue(owner_id=other.pk)
    change_job(user=owner, uid=a.uid, after=c.uid)
    assert true_order() == [b.pk, x.pk, c.pk, a.pk, d.pk]
    change_job(user=owner, uid=d.uid, before=c.uid)
    assert true_order() == [b.pk, x.pk, d.pk, c.pk, a.pk]
    change_job(user=owner, uid=d.uid, before=c.uid)
    assert true_order() == [b.pk, x.pk, d.pk, c.pk, a.pk], "already there is no error"


def test_reordering_and_priority_harm_nobody_else(enqueue: Enqueue, owner: User, other: User) -> None:
    mine = [enqueue() for _ in range(3)]
    theirs = [enqueue(owner_id=other.pk) for _ in range(3)]
    place = {job.pk: told()[job.pk] for job in theirs}
    change_job(user=owner, uid=mine[2].uid, before=mine[0].uid)
    change_job(user=owner, uid=mine[1].uid, priority=4)
    assert all(told()[pk] <= was for pk, was in place.items())


def test_the_same_priority_again_keeps_the_place(enqueue: Enqueue, owner: User) -> None:
    first, second = enqueue(), enqueue()
    change_job(user=owner, uid=first.uid, priority=first.priority)
    assert true_order() == [first.pk, second.pk]


def test_priority_ten_is_for_staff_and_for_those_who_may_say_urgent(enqueue: Enqueue, owner: User) -> None:
    job = enqueue()
    with pytest.raises(Problem) as refusal:
        change_job(user=owner, uid=job.uid, priority=10)
    assert (refusal.value.status, refusal.value.code) == (403, "priority_reserved")
    assert change_job(user=owner, uid=job.uid, priority=10, urgent_allowed=True).priority == 10


def test_the_order_does_not_hang_on_the_plan(people: list[int]) -> None:
    """A join that is hashed keeps no order of the side that it hashes: the claim must say its order itself."""
    crowd = [NewJob(kind="noop", owner_id=owner, priority=1 + place % 9) for place, owner in enumerate(people * 50)]
    lifecycle.enqueue(crowd)
    wanted = list(Job.objects.order_by("-priority", "turn", "seq").values_list("pk", flat=True))
    connection.close()  # what is prepared keeps its plan
    try:
        with connection.cursor() as cursor:
            for way in ("nestloop", "mergejoin", "indexscan", "bitmapscan"):
                cursor.execute(f"SET enable_{way} = off")
        assert true_order()[:20] == wanted[:20]
    finally:
        connection.close()
