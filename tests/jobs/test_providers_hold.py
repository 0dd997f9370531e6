"""A provider that asks us to wait, fails, or refuses us: what the queue does, with real handlers against the simulator.

The worker's loop runs in this process, so that a test says when the tick comes; time passes by moving what the database
remembers.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from apps.desk.estimates import describe
from apps.jobs import loop
from apps.jobs.dispatch import dispatch
from apps.jobs.models import Attempt, Hold, Job
from apps.providers.models import Breaker
from tests.benchmarks.limits import images, lane_limits, prompts, rows_of
from tests.support.simulator import SimulatorProcess
from tests.support.stack import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
why_held = import_module("apps.jobs.migrations.0005_why_held")


@pytest.fixture(scope="module")
def process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def simulator(process: SimulatorProcess, settings: Settings, tmp_path: Path) -> SimulatorProcess:
    process.reset()
    settings.MEDIA_ROOT = tmp_path
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"xai": "simulator", "wavespeed": "simulator"}
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"xai": process.xai_base, "wavespeed": process.wavespeed_base}
    for lane in ("prompts", "images"):
        lane_limits(lane)
    return process


def let_time_pass(seconds: float) -> None:
    """Everything the queue and the governor remember becomes so much older, but for leases."""
    remembered = {
        "jobs_hold": ["until"],
        "jobs_job": ["run_after", "wake_at"],
        "providers_breaker": ["window_started_at", "open_until", "probe_until"],
    }
    with connection.cursor() as cursor:
        for table, columns in remembered.items():
            changes = ", ".join(f"{column} = {column} - make_interval(secs => {seconds})" for column in columns)
            cursor.execute(f"UPDATE {table} SET {changes}")


def work(lane: str) -> None:
    dispatch()
    loop.work(lane)


def carry_on(lane: str, jobs: list[Job]) -> bool:
    let_time_pass(15)
    work(lane)
    return statuses(jobs) == {"completed"}


def reasons(jobs: list[Job]) -> set[str]:
    fresh = list(Job.objects.filter(pk__in=[job.pk for job in jobs]))
    return {outlook.reason for outlook in describe(fresh).values()}


def statuses(jobs: list[Job]) -> set[str]:
    return set(Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("status", flat=True))


def no_try_was_used(jobs: list[Job]) -> bool:
    return not Job.objects.filter(pk__in=[job.pk for job in jobs], failures__gt=0).exists()


def test_a_429_holds_the_provider_until_its_retry_after_and_uses_no_try(simulator: SimulatorProcess) -> None:
    simulator.scenario("xai", status=429, headers={"Retry-After": "40"})
    jobs = prompts(rows_of(2), 2)
    work("prompts")
    assert simulator.stats("xai")["total"] == 1, "those behind it do not try one after another"
    outlook = describe([Job.objects.get(pk=jobs[1].pk)])[jobs[1].pk]
    assert outlook.until is not None
    assert reasons(jobs) == {"rate_limited_until"}
    work("prompts")
    let_time_pass(35)
    work("prompts")
    assert simulator.stats("xai")["total"] == 1, "nor before its time"
    let_time_pass(10)
    work("prompts")
    assert statuses(jobs) == {"completed"}
    assert no_try_was_used(jobs)
    assert Attempt.objects.filter(outcome="rate_limited").count() == 1


def test_a_breaker_opens_tries_one_job_and_closes(simulator: SimulatorProcess) -> None:
    broken = simulator.scenario("wavespeed", match={"path": "seedream"}, times=None, status=503, delay_ms=300)
    jobs = images(rows_of(3), 2)
    wait_until(lambda: work("images") or Breaker.objects.filter(state="open").exists(), what="the breaker opened")
    calls = simulator.stats("wavespeed")["total"]
    tries = sum(Job.objects.values_list("failures", flat=True))
    let_time_pass(5)
    work("images")
    assert simulator.stats("wavespeed")["total"] == calls, "open: nobody calls"
    assert sum(Job.objects.values_list("failures", flat=True)) == tries, "and nobody loses a try"
    assert reasons(jobs) == {"breaker_open_until"}

    let_time_pass(60)
    dispatch()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_work_and_hang_up, ["images"] * 4))
    assert simulator.stats("wavespeed")["total"] == calls + 1, "half-open: one job tries"
    assert Breaker.objects.get(provider="wavespeed").state == "open", "and it failed"

    simulator.end_scenario(broken)
    let_time_pass(120)
    wait_until(lambda: carry_on("images", jobs), what="all done")
    assert Breaker.objects.get(provider="wavespeed").state == "closed"


def _work_and_hang_up(lane: str) -> None:
    try:
        loop.work(lane)
    finally:
        connection.close()


REFUSALS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a bad key": ("xai", "prompts", {"status": 401}),
    "no credits": ("wavespeed", "images", {"status": 402}),
}


@pytest.mark.parametrize("case", list(REFUSALS))
def test_a_refused_key_and_missing_credits_open_at_once_and_leave_jobs_queued(
    simulator: SimulatorProcess, case: str
) -> None:
    provider, lane, effect = REFUSALS[case]
    simulator.scenario(
        provider, times=1, match={"method": "POST", "path": "seedream"} if lane == "images" else None, **effect
    )
    jobs = prompts(rows_of(3), 1) if lane == "prompts" else images(rows_of(3), 1)
    with capture_logs() as logs:
        work(lane)
    assert simulator.stats(provider)["total"] == 1, "one was enough"
    assert statuses(jobs) <= {"queued", "scheduled"}
    assert reasons(jobs) == {"breaker_open_until"}
    assert no_try_was_used(jobs)
    assert [entry["provider"] for entry in logs if entry.get("alert")] == [provider]

    let_time_pass(400)
    wait_until(lambda: carry_on(lane, jobs), what="all done once it is put right")


@pytest.mark.parametrize("case", list(REFUSALS))
def test_what_was_put_right_goes_on_at_once_when_a_person_releases_it(simulator: SimulatorProcess, case: str) -> None:
    provider, lane, effect = REFUSALS[case]
    match = {"method": "POST", "path": "seedream"} if lane == "images" else None
    broken = simulator.scenario(provider, times=None, match=match, **effect)
    jobs = prompts(rows_of(2), 1) if lane == "prompts" else images(rows_of(2), 1)
    work(lane)
    assert reasons(jobs) == {"breaker_open_until"}
    simulator.end_scenario(broken)
    work(lane)
    assert not statuses(jobs) & {"completed", "processing"}, "nobody asks before it is time"

    call_command("queue", "release", "provider", provider)
    assert not Hold.objects.exists()
    assert not Breaker.objects.exclude(state="closed").exists()
    assert statuses(jobs) == {"queued"}, "also what had been tried: it is due now"
    assert reasons(jobs) <= {"", "no_worker"}
    work(lane)
    wait_until(lambda: due_work(lane) and statuses(jobs) == {"completed"}, what="all done, and no time was passed over")
    assert no_try_was_used(jobs)


def due_work(lane: str) -> bool:
    """What is parked is looked at, as it becomes due by the clock on the wall."""
    work(lane)
    return True


def test_a_trial_that_goes_well_lets_everybody_go_on(simulator: SimulatorProcess) -> None:
    simulator.scenario("xai", times=1, status=402)
    jobs = prompts(rows_of(3), 1)
    work("prompts")
    assert reasons(jobs) == {"breaker_open_until"}
    tried = Job.objects.get(status="scheduled")
    let_time_pass(61)
    Job.objects.filter(pk=tried.pk).update(run_after=timezone.now() + timedelta(hours=1))
    work("prompts")
    assert statuses(jobs) == {"completed"}, "also the one whose own time had not come"


def test_holds_of_the_release_before_keep_their_meaning(db: None) -> None:
    later = "clock_timestamp() + interval '1 hour'"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_hold (scope, key, reason, until, note, set_by, set_at) VALUES"
            " ('lane', 'images', 'lane_paused', NULL, '', 'jo', now()),"
            " ('provider', 'xai', 'lane_paused', NULL, 'why', 'jo', now()), ('owner', '7', 'lane_paused', NULL, '', 'jo', now())"
        )
        cursor.execute(f"INSERT INTO providers_hold (provider, until, reason) VALUES ('wavespeed', {later}, '429')")
        cursor.execute(why_held._NAME)
        cursor.execute(why_held._MOVE)
        cursor.execute("DELETE FROM providers_hold")
    found = set(Hold.objects.values_list("scope", "key", "reason", "set_by"))
    assert found == {
        ("lane", "images", "lane_paused", "jo"),
        ("provider", "xai", "provider_held", "jo"),
        ("owner", "7", "owner_held", "jo"),
        ("provider", "wavespeed", "rate_limited_until", ""),
    }
