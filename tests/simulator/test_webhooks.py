"""Webhooks: signature v3, and every way they go wrong."""

import json
import queue

import pytest

from apps.simulator.wavespeed.webhooks import SECRET, signature
from tests.simulator.conftest import Delivery, Receiver, call, result, submit
from tests.support.simulator import SimulatorProcess


def test_published_vector() -> None:
    body = b'{"id":"5f2d1c9e8b7a4e6f9c0d1a2b3c4d5e6f","status":"completed","outputs":["https://cdn.example/out.png"]}'
    assert len(body) == 104
    made = signature(
        secret="whsec_c2ltdWxhdG9yLXNlY3JldC0wMDE=",
        webhook_id="5f2d1c9e8b7a4e6f9c0d1a2b3c4d5e6f",
        timestamp="1767225600",
        body=body,
    )
    assert made == "v3,cf29c3afb175adb0f0c0c2f51055ec9d882697c12f91d97ce400cef9e3f4f60b"


def is_genuine(delivery: Delivery, secret: str) -> bool:
    expected = signature(
        secret=secret,
        webhook_id=delivery.headers["webhook-id"],
        timestamp=delivery.headers["webhook-timestamp"],
        body=delivery.body,
    )
    return delivery.headers["webhook-signature"] == expected


def test_webhook_is_the_bare_prediction_with_its_input(sim: SimulatorProcess, receiver: Receiver) -> None:
    secret = call(sim, "webhook/secret").json()["data"]["secret"]
    prediction = submit(sim, "a red door", webhook=receiver.url).json()["data"]["id"]
    delivery = receiver.next()
    body = json.loads(delivery.body)
    assert is_genuine(delivery, secret)
    assert (body["id"], body["status"], body["input"]) == (prediction, "completed", {"prompt": "a red door"})
    assert body["outputs"] == result(sim, prediction)["outputs"]
    assert "data" not in body


def test_failed_tasks_are_told_too(sim: SimulatorProcess, receiver: Receiver) -> None:
    submit(sim, "sim-fail-1403", webhook=receiver.url)
    body = json.loads(receiver.next().body)
    assert (body["status"], body["code"], body["outputs"]) == ("failed", 1403, [])


def test_refused_delivery_is_tried_again_with_the_same_id(sim: SimulatorProcess, receiver: Receiver) -> None:
    receiver.answers = [500]
    submit(sim, webhook=receiver.url)
    first, second = receiver.next(), receiver.next()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_duplicate(sim: SimulatorProcess, receiver: Receiver) -> None:
    sim.scenario("wavespeed", webhook={"mode": "duplicate"})
    submit(sim, webhook=receiver.url)
    assert receiver.next().body == receiver.next().body


def test_early_comes_before_the_submit_reply(sim: SimulatorProcess, receiver: Receiver) -> None:
    sim.scenario("wavespeed", webhook={"mode": "early"})
    prediction = submit(sim, webhook=receiver.url).json()["data"]["id"]
    assert json.loads(receiver.deliveries.get_nowait().body)["id"] == prediction


def test_late_waits_for_the_clock_and_never_never_comes(sim: SimulatorProcess, receiver: Receiver) -> None:
    sim.scenario("wavespeed", webhook={"mode": "never"})
    submit(sim, "never", webhook=receiver.url)
    sim.scenario("wavespeed", webhook={"mode": "late", "delay_ms": 3_600_000})
    submit(sim, "late", webhook=receiver.url)
    submit(sim, "normal", webhook=receiver.url)
    assert json.loads(receiver.next().body)["input"]["prompt"] == "normal"
    with pytest.raises(queue.Empty):
        receiver.deliveries.get_nowait()
    sim.advance(3_600)
    assert json.loads(receiver.next().body)["input"]["prompt"] == "late"
    assert receiver.deliveries.empty()


def test_bad_signature(sim: SimulatorProcess, receiver: Receiver) -> None:
    sim.scenario("wavespeed", webhook={"mode": "bad_signature"})
    submit(sim, webhook=receiver.url)
    delivery = receiver.next()
    assert delivery.headers["webhook-signature"].startswith("v3,")
    assert not is_genuine(delivery, SECRET)
