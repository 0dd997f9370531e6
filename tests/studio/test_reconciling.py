"""What becomes of orders whose jobs are over: each is settled in the end, with what it cost."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.assets import decoder
from apps.core.clock import database_now
from apps.core.errors import Problem
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.orders.reconcile import reconcile
from apps.orders.taken import FETCHED_AGAIN_FOR
from apps.providers.models import Call
from apps.studio.models import GeneratedImage
from tests.factories import CallFactory, JobFactory, finish, picture_bytes
from tests.support.simulator import SimulatorProcess
from tests.support.stack import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _provider(settings: Any, simulator: SimulatorProcess) -> Iterator[None]:
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"wavespeed": "simulator"}
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": simulator.wavespeed_base}
    settings.SIMULATED = ["wavespeed"]
    yield
    simulator.reset()


@pytest.fixture
def job() -> Job:
    return finish(JobFactory(), error="result_lost")


def a_call(job: Job, **fields: Any) -> Call:
    fields = {"state": "accepted", "provider_id": "", "inputs": {"prompt": "A shoe"}} | fields
    return CallFactory(owner=job.owner, job_id=job.pk, estimate_usd=Decimal("0.05"), **fields)


def ordered(simulator: SimulatorProcess, job: Job) -> Call:
    """An order that was taken and is made."""
    from apps.providers.wavespeed.client import WavespeedClient

    client = WavespeedClient("simulator", simulator.wavespeed_base)
    url = client.upload(picture_bytes(), filename="a.png", content_type="image/png")
    task = client.submit(model="bytedance/seedream-v4.5/edit", inputs={"prompt": "A shoe", "images": [url]})
    wait_until(lambda: client.prediction(task.id).finished, seconds=30, what="the task")
    return a_call(job, provider_id=task.id)


def long_over(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(finished_at=database_now() - FETCHED_AGAIN_FOR - timedelta(minutes=1))
    job.refresh_from_db()


def test_a_result_that_is_gone_is_asked_for_again_and_then_settled_with_its_cost(
    job: Job, simulator: SimulatorProcess
) -> None:
    call = ordered(simulator, job)
    simulator.scenario("wavespeed", match={"path": "*-cdn/*"}, times=None, status=404)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    assert (call.state, call.cost_usd) == ("accepted", Decimal("0.04")), "it may be there at the next look"
    long_over(job)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    assert (call.state, call.error_code, call.cost_usd) == ("failed", "result_lost", Decimal("0.04"))


def test_a_result_that_is_there_again_is_kept(job: Job, simulator: SimulatorProcess) -> None:
    call = ordered(simulator, job)
    gone = simulator.scenario("wavespeed", match={"path": "*-cdn/*"}, times=None, status=404)
    handler_of("image").reconcile(job)
    simulator.end_scenario(gone)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    assert (call.state, call.late, GeneratedImage.objects.get(job=job).late) == ("succeeded", True, True)


def test_an_order_that_the_provider_has_forgotten_does_not_stay_open(job: Job, simulator: SimulatorProcess) -> None:
    """It was taken, and for seven days its result could not be fetched: it cost what was to be paid for it."""
    Job.objects.filter(pk=job.pk).update(finished_at=database_now() - timedelta(days=8))
    week_ago = database_now() - timedelta(days=8)
    call = a_call(job, provider_id="p" * 32, created_at=week_ago, accepted_at=week_ago)
    assert reconcile() == 1
    call.refresh_from_db()
    assert (call.state, call.error_code, call.cost_usd) == ("failed", "result_lost", Decimal("0.04"))


def test_an_intent_that_is_neither_found_nor_absent_is_left_to_a_person(job: Job, simulator: SimulatorProcess) -> None:
    hour_ago = database_now() - timedelta(hours=1)
    call = a_call(job, state="intent", created_at=hour_ago, sent_at=hour_ago)
    simulator.scenario("wavespeed", match={"path": "/api/v3/predictions"}, times=None, status=500)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    assert (call.state, call.cost_usd) == ("unknown", None)


def test_what_nobody_can_tell_after_seven_days_is_not_asked_about_any_more(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(finished_at=database_now() - timedelta(days=8))
    a_call(job, state="unknown", created_at=database_now() - timedelta(days=8))
    assert reconcile() == 0


def test_a_picture_that_takes_too_long_to_open_is_tried_again_and_then_kept_as_it_came(
    job: Job, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ordered(simulator, job)

    def look(data: bytes, *, max_bytes: int) -> decoder.Looked:
        raise Problem(503, "decoder_slow", "This machine has too much to do.", "Try again in a minute.")

    monkeypatch.setattr("apps.studio.results.look", look)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    assert call.state == "accepted"
    long_over(job)
    handler_of("image").reconcile(job)
    call.refresh_from_db()
    kept = GeneratedImage.objects.get(job=job)
    assert (call.state, kept.unreadable) == ("succeeded", "decoder_slow")
    with kept.file.open() as file:
        assert hashlib.sha256(file.read()).hexdigest() in kept.file.name
