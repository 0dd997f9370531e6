"""Limits with eight worker processes, measured in the record and at the simulator. Larger: tests.benchmarks.limits."""

from pathlib import Path

import pytest

from apps.jobs.models import Job
from tests.benchmarks import limits
from tests.support.stack import wait_until

# A call lasts so long that the places fill before the first is free again, on a busy machine too: the limit is reached.
LONG = 4_000  # milliseconds

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def test_a_lanes_and_an_owners_limit_hold_exactly(tmp_path: Path) -> None:
    lane, at_provider, owner = limits.lane_and_owner(tmp_path, each=5, delay_ms=LONG)
    assert (lane.most, at_provider.most) == (5, 5), "reached, and never passed"
    assert owner.most == 2


def test_a_providers_calls_at_once_hold_exactly(tmp_path: Path) -> None:
    (at_once,) = limits.provider_concurrency(tmp_path, each=4, delay_ms=LONG)
    assert at_once.most == 3


def test_parked_jobs_count_for_their_lane(tmp_path: Path) -> None:
    lane, tasks = limits.tasks_in_flight(tmp_path, each=3, delay_ms=2 * LONG)
    assert (lane.most, tasks.most) == (4, 4)


def test_requests_a_minute_hold_and_cost_no_try(tmp_path: Path) -> None:
    with limits.workers(tmp_path, XAI_REQUESTS_PER_MINUTE="6") as stack:
        limits.lane_limits("prompts")
        limits.prompts(limits.rows_of(1), 12)
        done = Job.objects.filter(status="completed")
        wait_until(lambda: done.count() == 6, what="the six of this minute")
        held = Job.objects.filter(reason="rate_limited_until")
        wait_until(held.exists, what="the others told to wait")
        assert stack.simulator.stats("xai")["most_in_any_minute"] == 6
    assert not Job.objects.filter(failures__gt=0).exists()
    assert not Job.objects.filter(status="failed").exists()
