"""One process of threads holds many questions that wait for their answers: how it takes them, ends, and dies.

The worker of the Procfile's `asker` is tried on the lane of prompts, which asks as the visibility lane does.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.jobs import lanes
from apps.jobs.models import Job, Lane
from apps.jobs.services import cancel_job
from apps.providers.models import Call
from apps.studio.models import Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack
from tests.support.stack import wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

AT_ONCE = 64
MOST_MB = 300
MOST_CONNECTIONS = 12  # of all processes: the tick, beat, a heartbeat, whoever just finishes


@pytest.fixture
def asker(stack: FaultStack) -> Iterator[FaultStack]:
    """The module's worker leaves the questions to a process of threads."""
    Lane.objects.filter(name="prompts").update(limit=AT_ONCE, owner_limit=None)
    lanes.forget_limits()
    stack.kill("worker", signal.SIGTERM)
    stack.worker("asker", queues="prompts", concurrency=AT_ONCE, pool="threads")
    yield stack
    stack.kill("asker")
    stack.worker()


def asked(workspace: Workspace, count: int) -> list[Job]:
    """Prompts of so many rows. Nobody serves the images behind them."""
    made = [scene.generate(row, ai=True).prompt_job for row in scene.rows_in(workspace, count)]
    return [job for job in made if job is not None]


def in_flight(stack: FaultStack) -> int:
    return int(stack.simulator.stats("xai").get("open", 0))


def memory_mb(process: int) -> float:
    """Proportional set size: what it adds to the machine."""
    rollup = Path("/proc", str(process), "smaps_rollup").read_text()
    return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))) / 1024


def connections_of_workers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name = 'pressroom'"
        )
        return int(cursor.fetchone()[0])


def test_64_answers_are_waited_for_in_little_memory_and_without_connections(
    asker: FaultStack, workspace: Workspace
) -> None:
    held = asker.simulator.scenario("xai", match={"path": "chat"}, times=None, delay_ms=20_000)
    jobs = asked(workspace, AT_ONCE)
    wait_until(lambda: in_flight(asker) == AT_ONCE, seconds=60, what="64 questions in flight")

    wait_until(lambda: connections_of_workers() <= MOST_CONNECTIONS, seconds=15, what="the connections are given back")
    assert memory_mb(asker.processes["asker"].pid) < MOST_MB
    assert Job.objects.processing().count() == AT_ONCE

    asker.simulator.end_scenario(held)
    assert scene.wait_for(jobs, seconds=120) == {"completed": AT_ONCE}, scene.errors()
    assert Call.objects.filter(purpose="chat").count() == AT_ONCE


def test_it_ends_after_the_answers_that_it_waits_for(asker: FaultStack, workspace: Workspace) -> None:
    asker.simulator.scenario("xai", match={"path": "chat"}, times=8, delay_ms=3_000)
    jobs = asked(workspace, 8)
    wait_until(lambda: in_flight(asker) == 8, what="8 questions in flight")

    asker.processes["asker"].send_signal(signal.SIGTERM)
    assert asker.processes["asker"].wait(timeout=60) == 0
    assert {job.status for job in Job.objects.filter(pk__in=[job.pk for job in jobs])} == {"completed"}
    assert invariants.check(asker.simulator.ledger()).texts_bought_again == 0


def test_killed_with_questions_in_flight_each_is_asked_once_more_and_flagged(
    asker: FaultStack, workspace: Workspace
) -> None:
    asker.simulator.scenario("xai", match={"path": "chat"}, times=12, create_then_timeout=True)
    jobs = asked(workspace, 12)
    wait_until(lambda: in_flight(asker) == 12, what="12 questions in flight")

    asker.kill("asker")
    asker.worker("asker", queues="prompts", concurrency=AT_ONCE, pool="threads")
    assert scene.wait_for(jobs, seconds=90) == {"completed": 12}, scene.errors()
    assert Call.objects.filter(purpose="chat", resent=True).count() == 12


def test_a_cancel_is_heard_while_the_answer_is_waited_for(asker: FaultStack, workspace: Workspace, owner: User) -> None:
    asker.simulator.scenario("xai", match={"path": "chat"}, times=1, delay_ms=4_000)
    (job,) = asked(workspace, 1)
    wait_until(lambda: in_flight(asker) == 1, what="a question in flight")
    cancel_job(user=owner, uid=job.uid)
    assert scene.wait_for([job]) == {"cancelled": 1}
