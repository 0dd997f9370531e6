"""Each reason why a job waits: reached, told by the service, told by the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.desk import operations
from apps.desk.estimates import FAR, describe
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Hold, Job, Lane, Worker
from apps.jobs.states import AfterChildren, Reason, known_reasons
from apps.jobs.values import Failure, NewJob
from apps.pages.words import Line, waiting
from apps.studio.states import NEEDS_PROMPT
from tests.api.conftest import caller_of
from tests.factories import AttemptFactory, JobFactory, RowFactory

pytestmark = pytest.mark.django_db
LANE = "images"
SOON = timedelta(seconds=40)


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ada", password="a long password")


@pytest.fixture
def queue(owner: User) -> Callable[..., Job]:
    """Image jobs of one row, in a lane on which a worker is alive."""
    Lane.objects.filter(name=LANE).update(limit=None, owner_limit=None)
    lanes.forget_limits()
    now = timezone.now()
    Worker.objects.create(name="w1", lanes=["prompts", LANE], processes=4, started_at=now, alive_at=now)
    row = RowFactory(workspace__owner=owner)
    return lambda **wanted: JobFactory(row=row, **wanted)


def limit(**limits: int) -> None:
    Lane.objects.filter(name=LANE).update(**limits)
    lanes.forget_limits()


def run_one() -> Any:
    return lifecycle.claim(lane=LANE, worker="w1")


def dependency(queue: Callable[..., Job]) -> Job:
    return queue(waits_for=queue(kind="prompt"))


def children(queue: Callable[..., Job]) -> Job:
    new = NewJob(kind="noop", owner_id=queue().owner_id, after_children=AfterChildren.END)
    return Job.objects.get(pk=lifecycle.enqueue([new])[new.uid])


def needs_prompt(queue: Callable[..., Job]) -> Job:
    job = dependency(queue)
    lifecycle.wait_for_person([job.pk], reason=NEEDS_PROMPT)
    return job


def lane_paused(queue: Callable[..., Job]) -> Job:
    lanes.pause(LANE, by="jo")
    return queue()


def provider_held(queue: Callable[..., Job]) -> Job:
    operations.hold_provider("wavespeed", by="jo", note="prices changed")
    return queue()


def owner_held(queue: Callable[..., Job]) -> Job:
    job = queue()
    operations.hold_owner(job.owner.username, by="jo")
    return job


def owner_limit(queue: Callable[..., Job]) -> Job:
    limit(owner_limit=1)
    queue()
    run_one()
    return queue()


def lane_limit(queue: Callable[..., Job]) -> Job:
    limit(limit=1)
    queue()
    run_one()
    return queue()


def held(reason: str) -> Callable[[Callable[..., Job]], Job]:
    def hold(queue: Callable[..., Job]) -> Job:
        lanes.hold(Hold.Scope.PROVIDER, "wavespeed", reason=reason, until=timezone.now() + SOON)
        return queue()

    return hold


def budget(queue: Callable[..., Job]) -> Job:
    job = queue()
    lifecycle.hold_back([job.pk], until=timezone.now() + SOON)
    return job


def backoff(queue: Callable[..., Job]) -> Job:
    job = queue()
    lifecycle.reschedule(
        run_one(),
        seconds=40,
        reason="backoff_until",
        outcome="retry",
        failure=Failure("provider_unavailable", "WaveSpeed answered 503."),
        counts=True,
    )
    return job


def scheduled_for(queue: Callable[..., Job]) -> Job:
    new = NewJob(kind="noop", owner_id=queue().owner_id, run_after=timezone.now() + SOON)
    return Job.objects.get(pk=lifecycle.enqueue([new])[new.uid])


def no_worker(queue: Callable[..., Job]) -> Job:
    Worker.objects.update(alive_at=timezone.now() - timedelta(minutes=5))
    return queue()


# The code, how it comes about, whether its end is known, what is told beside it.
REASONS = {
    Reason.DEPENDENCY: (dependency, False, {"kind": "prompt"}),
    Reason.CHILDREN: (children, False, {}),
    NEEDS_PROMPT: (needs_prompt, False, {}),
    Reason.LANE_PAUSED: (lane_paused, False, {"by": "jo"}),
    Reason.PROVIDER_HELD: (provider_held, False, {"by": "jo", "note": "prices changed", "provider": "wavespeed"}),
    Reason.OWNER_HELD: (owner_held, False, {"by": "jo"}),
    Reason.OWNER_LIMIT: (owner_limit, False, {"limit": 1, "running": 1}),
    Reason.LANE_LIMIT: (lane_limit, False, {"limit": 1, "running": 1}),
    Reason.RATE_LIMITED: (held("rate_limited_until"), True, {"provider": "wavespeed"}),
    Reason.BREAKER_OPEN: (held("breaker_open_until"), True, {"provider": "wavespeed"}),
    Reason.BUDGET: (budget, True, {}),
    Reason.BACKOFF: (backoff, True, {"attempt": 2, "of": 4}),
    Reason.SCHEDULED: (scheduled_for, True, {}),
    Reason.NO_WORKER: (no_worker, False, {}),
}


def test_every_reason_is_here() -> None:
    assert set(REASONS) == set(known_reasons())


@pytest.mark.parametrize("reason", list(REASONS))
def test_a_waiting_job_says_why(reason: Reason, queue: Callable[..., Job], owner: User) -> None:
    wait_for, ends, facts = REASONS[reason]
    job = wait_for(queue)
    job.refresh_from_db()
    outlook = describe([job])[job.pk]
    assert outlook.reason == reason
    assert (outlook.until is not None) == ends
    assert facts.items() <= outlook.facts.items()

    answer = caller_of(owner)("get", f"/api/jobs/{job.uid}").json()
    assert (answer["waitingReason"], answer["status"]) == (reason, "queued")
    assert (answer["waitingUntil"] is not None) == ends
    assert answer["estimatedWait"] is None
    assert answer["estimatedWaitUnknown"], "a wait that is not known says why"

    words = waiting(Line.of(job, outlook))
    assert words.word
    assert f"{words.lead}{words.rest}"
    assert "_" not in f"{words.lead}{words.rest}", "codes stand in details, never alone"


def test_a_job_that_is_next_has_no_reason(queue: Callable[..., Job]) -> None:
    outlook = describe([job := queue()])[job.pk]
    assert (outlook.position, outlook.reason) == (0, "")


def measured(kind: str = "image", seconds: int = 10) -> None:
    """Three attempts that took so long each."""
    for job in Job.objects.filter(kind=kind)[:3]:
        ended = timezone.now()
        AttemptFactory(job=job, kind=kind, number=90, started_at=ended - timedelta(seconds=seconds), finished_at=ended)


def test_a_wait_follows_from_durations_and_places(queue: Callable[..., Job]) -> None:
    limit(limit=2)
    jobs = [queue() for _ in range(6)]
    run_one()
    run_one()
    assert describe([jobs[5]])[jobs[5].pk].wait_unknown == "no_history"
    measured()
    outlook = describe([jobs[5]])[jobs[5].pk]
    assert outlook.position == 3
    assert outlook.p50 == pytest.approx(4 * 10 / 2, rel=0.05), "four must finish, two at a time, ten seconds each"
    limit(limit=4)
    assert describe([jobs[5]])[jobs[5].pk].p50 == pytest.approx(2 * 10 / 4, rel=0.05)


def test_a_hold_with_an_end_is_part_of_the_wait(queue: Callable[..., Job]) -> None:
    job = held("rate_limited_until")(queue)
    queue()
    queue()
    measured()
    outlook = describe([job])[job.pk]
    assert outlook.p50 is not None
    assert 35 < outlook.p50 <= 40


def test_requests_a_minute_pace_the_wait(queue: Callable[..., Job], settings: Any) -> None:
    settings.PROVIDER_LIMITS = {"wavespeed": {"concurrent": 0, "per_minute": 2}}
    jobs = [queue() for _ in range(7)]
    measured(seconds=1)
    p50 = describe([jobs[6]])[jobs[6].pk].p50
    assert p50 is not None
    assert p50 > 120, "five requests more than this minute has left, two a minute"


def test_outlooks_cost_a_constant_number_of_queries(queue: Callable[..., Job]) -> None:
    def asked(jobs: list[Job]) -> int:
        with CaptureQueriesContext(connection) as queries:
            describe(Job.objects.filter(pk__in=[job.pk for job in jobs]))
        return len(queries)

    few = [queue() for _ in range(2)] + [dependency(queue)]
    asked(few)  # what is remembered for a second is asked for here
    for_few = asked(few)
    many = [*few, *(queue() for _ in range(12)), *(dependency(queue) for _ in range(5))]
    assert asked(many) == for_few


def test_far_back_in_a_long_line_no_wait_is_told(queue: Callable[..., Job], owner: User) -> None:
    queue()
    queue()
    queue()
    measured()
    lifecycle.enqueue([NewJob(kind="image", owner_id=owner.pk) for _ in range(FAR)])
    nearest, last = Job.objects.filter(status="queued").order_by("id")[FAR - 1], Job.objects.latest("id")
    told = describe([nearest, last])
    assert (told[nearest.pk].position, told[last.pk].position) == (FAR - 1, FAR)
    assert told[nearest.pk].p50 is not None
    assert (told[last.pk].p50, told[last.pk].wait_unknown) == (None, "far_back")
