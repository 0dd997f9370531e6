"""Webhooks in: signed or refused, once, in any order, and never more than a reason to look."""

import time
import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client

from apps.api.models import WebhookReceived
from apps.core.clock import database_now
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.providers import skew
from apps.providers.wavespeed.webhooks import sign
from tests.factories import CallFactory, JobFactory

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw=="


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    settings.WAVESPEED_WEBHOOK_SECRET = SECRET


@pytest.fixture
def parked() -> Job:
    """An image job whose order is at WaveSpeed; its next look is an hour away."""
    job = JobFactory()
    lease = lifecycle.claim(lane="images", worker="tests")
    assert lease is not None
    assert lifecycle.park(lease, seconds=3600, stage="waiting_for_provider")
    CallFactory(job_id=job.pk, owner=job.owner, state="accepted", provider_id="task-1")
    return job


def send(
    message: object, *, secret: str = SECRET, age: float = 0, webhook_id: str = "", body: bytes | None = None
) -> int:
    data = orjson.dumps(message)
    message_id, timestamp = webhook_id or uuid.uuid4().hex, str(int(time.time() - age))
    signature = sign(message_id=message_id, timestamp=timestamp, body=data, secret=secret)
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    client = Client(enforce_csrf_checks=True, headers=headers)
    return client.post("/api/webhooks/wavespeed", body or data, content_type="application/json").status_code


def is_due(job: Job) -> bool:
    return lifecycle.resume(lane="images", worker="tests") is not None


def test_news_of_an_order_makes_its_job_look_now(parked: Job) -> None:
    assert not is_due(parked)
    assert send({"id": "task-1", "status": "completed"}) == 200
    assert is_due(parked)


def test_what_it_says_is_not_believed(parked: Job) -> None:
    assert send({"id": "task-1", "status": "failed", "error": "no"}) == 200
    parked.refresh_from_db()
    assert parked.status == "processing"


@pytest.mark.parametrize(
    "forgery",
    [{"secret": "whsec_another"}, {"age": 301}, {"age": -330}, {"body": b'{"id":"task-1","status":"completed" }'}],
    ids=["another secret", "stale", "from the future", "changed on the way"],
)
def test_forged_and_stale_ones_are_refused(parked: Job, forgery: dict[str, Any]) -> None:
    assert send({"id": "task-1"}, **forgery) == 401
    assert not is_due(parked)
    assert not WebhookReceived.objects.exists()


@pytest.mark.parametrize("seconds", [-600, 3600])
def test_a_provider_whose_clock_is_wrong_is_still_heard(parked: Job, seconds: int) -> None:
    now = time.monotonic()
    skew.note("wavespeed", database_now() + timedelta(seconds=seconds), asked=now, answered=now)
    assert send({"id": "task-1"}, age=-seconds + 330 * (1 if seconds < 0 else -1)) == 401
    assert send({"id": "task-1"}, age=-seconds) == 200
    assert is_due(parked)


def test_a_replay_is_taken_and_does_nothing(parked: Job) -> None:
    assert send({"id": "task-1"}, webhook_id="w1") == 200
    assert lifecycle.park(lifecycle.resume(lane="images", worker="tests"), seconds=3600, stage="")  # type: ignore[arg-type]
    assert send({"id": "task-1"}, webhook_id="w1") == 200
    assert not is_due(parked)
    assert WebhookReceived.objects.count() == 1


def test_one_that_comes_before_the_submits_own_answer_is_harmless() -> None:
    assert send({"id": "task-nobody-knows"}) == 200


def test_one_that_comes_after_the_end_changes_nothing(parked: Job) -> None:
    assert send({"id": "task-1"}) == 200
    lease = lifecycle.resume(lane="images", worker="tests")
    assert lease is not None
    assert lifecycle.complete(lease)
    assert send({"id": "task-1"}) == 200
    parked.refresh_from_db()
    assert parked.status == "completed"


@pytest.mark.parametrize("message", [{}, [], {"id": ""}, {"id": 7}, {"id": "x" * 101}, {"id": "a\0b"}, {"data": {}}])
def test_a_signed_message_about_nothing_is_malformed(message: object) -> None:
    assert send(message) == 400


def test_without_a_secret_nothing_is_believed(settings: Any) -> None:
    settings.WAVESPEED_WEBHOOK_SECRET = ""
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": "http://127.0.0.1:9"}
    assert send({"id": "task-1"}, secret="whsec_") == 503
