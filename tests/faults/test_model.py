"""F40: random operations on the lifecycle against PostgreSQL; every invariant of the tables holds after each of them.

Some hundred steps here; `python -m tests.faults.soak --operations 50000` runs as many as it is told.
"""

import contextlib
import os
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.jobs import dispatch, endings, families, lanes, lifecycle, services
from apps.jobs.endings import end_failed
from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.states import FINAL, AfterChildren
from apps.jobs.values import Failure, Lease, NewJob
from tests.faults import invariants
from tests.jobs.families import teach

pytestmark = pytest.mark.django_db(transaction=True)

LANE = "listings"
BROKEN = Failure("broken", "It broke.", "Mend it.")
STEPS = int(os.environ.get("PRESSROOM_MODEL_STEPS", "40"))
EXAMPLES = int(os.environ.get("PRESSROOM_MODEL_EXAMPLES", "12"))
# The rules of invariants.RULES that speak of jobs alone, asked in one statement. The tick is an operation like any other.
ABOUT_JOBS = {
    name: query
    for name, query in invariants.RULES.items()
    if not any(word in query for word in ("studio_", "providers_", "%(ticks)s"))
}
BROKEN_RULES = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS ({query})" for name, query in ABOUT_JOBS.items())


class Lifecycle(RuleBasedStateMachine):
    """Workers keep every lease they ever had, so stale ones are used as often as good ones."""

    def __init__(self) -> None:
        super().__init__()
        JobEvent.objects.all().delete()
        Attempt.objects.all().delete()
        Job.objects.all().delete()
        self.leases: list[Lease] = []
        self.ended: dict[int, str] = {}
        self.owners = [User.objects.get_or_create(username=name)[0].pk for name in ("ada", "bob")]

    def lease(self, pick: int) -> Lease | None:
        return self.leases[pick % len(self.leases)] if self.leases else None

    @rule(owner=st.integers(0, 1), priority=st.integers(1, 10), pick=st.integers(0, 50), waits=st.booleans())
    def enqueue(self, owner: int, priority: int, pick: int, waits: bool) -> None:
        live = list(Job.objects.live().values_list("pk", flat=True))
        waits_for = live[pick % len(live)] if waits and live else None
        new = NewJob(kind="noop", owner_id=self.owners[owner], priority=priority, waits_for_id=waits_for)
        assert len(lifecycle.enqueue([new])) == 1

    @rule(owner=st.integers(0, 1), runs=st.booleans(), sealed=st.booleans())
    def enqueue_parent(self, owner: int, runs: bool, sealed: bool) -> None:
        after = AfterChildren.RUN if runs else AfterChildren.END
        new = NewJob(kind="family", owner_id=self.owners[owner], after_children=after, plan=["a", "b", "c"])
        parent = lifecycle.enqueue([new])[new.uid]
        if sealed:
            families.make_children(parent)

    @rule(pick=st.integers(0, 50), slot=st.sampled_from("abcd"))
    def enqueue_child(self, pick: int, slot: str) -> None:
        """Into any parent, also one that is over: then it is not made. A fan-in of its own joins as a child too."""
        parents = list(Job.objects.exclude(after_children="").order_by("pk"))
        if parents:
            parent = parents[pick % len(parents)]
            inner = AfterChildren.RUN if slot == "d" else None
            kind = "family" if inner else "part"
            new = NewJob(
                kind=kind, owner_id=parent.owner_id, parent_id=parent.pk, slot=slot, after_children=inner, plan=["a"]
            )
            made = lifecycle.enqueue([new])
            assert not made or parent.status == "waiting"

    @rule(pick=st.integers(0, 50))
    def carry_the_plan_on(self, pick: int) -> None:
        parents = list(Job.objects.exclude(after_children="").order_by("pk"))
        if parents:
            families.make_children(parents[pick % len(parents)].pk)

    @rule(pick=st.integers(0, 50))
    def retry(self, pick: int) -> None:
        over = list(Job.objects.filter(status__in=["failed", "cancelled"]).select_related("owner").order_by("pk"))
        if over:
            old = over[pick % len(over)]
            with contextlib.suppress(Problem):  # it is being tried again already
                services.retry_job(user=old.owner, uid=old.uid)

    @rule(pick=st.integers(0, 50))
    def skip(self, pick: int) -> None:
        self._with_job(pick, lambda job: lifecycle.skip([job], reason="not_needed"))

    @rule(pick=st.integers(0, 50))
    def cancel(self, pick: int) -> None:
        self._with_job(pick, lambda job: endings.cancel([job], reason="cancelled_by_owner"))

    @rule()
    def claim(self) -> None:
        if lease := lifecycle.claim(lane=LANE, worker="w"):
            self.leases.append(lease)

    @rule()
    def resume(self) -> None:
        if lease := lifecycle.resume(lane=LANE, worker="w"):
            self.leases.append(lease)

    @rule(pick=st.integers(0, 50))
    def complete(self, pick: int) -> None:
        self._write(pick, lifecycle.complete, "completed")

    @rule(pick=st.integers(0, 50))
    def complete_and_claim(self, pick: int) -> None:
        if lease := self.lease(pick):
            finished, following = lifecycle.complete_and_claim(lease, worker="w")
            self._ended(finished, lease, "completed")
            if following:
                self.leases.append(following)

    @rule(pick=st.integers(0, 50), counts=st.booleans())
    def fail(self, pick: int, counts: bool) -> None:
        def fail(lease: Lease) -> bool:
            with transaction.atomic():
                lifecycle.lock([lease.job_id])
                won = lifecycle.fail(lease, BROKEN, counts=counts)
                if won:
                    end_failed([Job.objects.get(pk=lease.job_id)], BROKEN)
            return won

        self._write(pick, fail, "failed")

    @rule(pick=st.integers(0, 50))
    def cancel_held(self, pick: int) -> None:
        self._write(pick, lifecycle.cancel_held, "cancelled")

    @rule(pick=st.integers(0, 50), counts=st.booleans(), seconds=st.sampled_from([0, 0, 100]))
    def reschedule(self, pick: int, counts: bool, seconds: float) -> None:
        lease = self.lease(pick)
        if lease and not (counts and lease.failures >= lease.max_retries):  # retries.decide fails it then
            lifecycle.reschedule(
                lease, seconds=seconds, reason="backoff_until", outcome="retry", failure=BROKEN, counts=counts
            )

    @rule(pick=st.integers(0, 50), seconds=st.sampled_from([0, 0, 100]))
    def park(self, pick: int, seconds: float) -> None:
        if lease := self.lease(pick):
            lifecycle.park(lease, seconds=seconds, stage="waiting_for_provider")

    @rule(pick=st.integers(0, 50))
    def heartbeat(self, pick: int) -> None:
        if lease := self.lease(pick):
            held = lifecycle.heartbeat(lease).held
            job = Job.objects.get(pk=lease.job_id)
            assert held == (job.fence == lease.fence and job.lease_until is not None)

    @rule(pick=st.integers(0, 50))
    def request_cancel(self, pick: int) -> None:
        self._with_job(pick, lambda job: lifecycle.request_cancel([job]))

    @rule(pick=st.integers(0, 50), priority=st.integers(1, 10))
    def change_priority(self, pick: int, priority: int) -> None:
        self._with_job(pick, lambda job: lifecycle.change_priority(job, priority))

    @rule(pick=st.integers(0, 50))
    def nudge(self, pick: int) -> None:
        self._with_job(pick, lifecycle.nudge)

    @rule()
    def leases_run_out(self) -> None:
        Job.objects.filter(lease_until__isnull=False).update(lease_until="2020-01-01T00:00:00Z")

    @rule()
    def tick(self) -> None:
        dispatch.dispatch()

    @rule(pause=st.booleans())
    def pause(self, pause: bool) -> None:
        (lanes.pause if pause else lanes.resume)(LANE)

    @invariant()
    def nothing_impossible(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BROKEN_RULES, {"lanes": [LANE]})
            assert not (names := cursor.fetchall()), names
        told = dict(Job.objects.filter(pk__in=self.ended).values_list("pk", "status"))
        assert told == self.ended, "what a worker was told about the end is so"

    def _write(self, pick: int, verb: Callable[[Lease], bool], status: str) -> None:
        if lease := self.lease(pick):
            before = Job.objects.get(pk=lease.job_id)
            won = verb(lease)
            assert not (won and (before.fence != lease.fence or before.lease_until is None)), "a stale lease wrote"
            self._ended(won, lease, status)

    def _ended(self, won: bool, lease: Lease, status: str) -> None:
        if won:
            assert lease.job_id not in self.ended, "it ended twice"
            self.ended[lease.job_id] = status

    def _with_job(self, pick: int, verb: Callable[[int], object]) -> None:
        jobs = list(Job.objects.order_by("pk").values_list("pk", "status"))
        if jobs:
            job, status = jobs[pick % len(jobs)]
            verb(job)
            assert status not in FINAL or Job.objects.get(pk=job).status == status


def test_no_order_of_operations_breaks_an_invariant() -> None:
    with pytest.MonkeyPatch.context() as patch:
        teach(patch)
        _run()


def _run() -> None:
    lanes.ensure_lanes()
    bounds = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize="PRESSROOM_MODEL_STEPS" not in os.environ,
    )
    run_state_machine_as_test(Lifecycle, settings=bounds)
