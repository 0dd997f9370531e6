"""What became of a submit that nobody saw answered: found, not there, or not sure; never two owners of one task."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from apps.providers import calls, errors
from apps.providers.models import Call, CallState, ClockSkew
from apps.providers.types import Absent, Found, Unsure
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.lookup import find_prediction
from tests.support.simulator import SimulatorProcess

MODEL = "bytedance/seedream-v4.5/edit"
SEND = {"path": "*seedream*"}

pytestmark = pytest.mark.django_db(transaction=True)

Send = Callable[..., Call]


@pytest.fixture(autouse=True)
def no_grace(settings: Settings) -> None:
    settings.LOOKUP_GRACE_SECONDS = 0


@pytest.fixture
def send(wavespeed: WavespeedClient, jpeg: bytes) -> Send:
    """Submits as a handler does, and keeps the ledger."""
    url = wavespeed.upload(jpeg, filename="a.jpg", content_type="image/jpeg")

    def submit(**changes: Any) -> Call:
        inputs = {"prompt": "A teapot", "images": [url], "size": "1024*1024", "seed": 7} | changes
        call = calls.begin(
            job_id=1, attempt=1, owner_id=None, provider="wavespeed", purpose="submit", model=MODEL, inputs=inputs,
            product="studio", estimate_usd=None,
        )  # fmt: skip
        try:
            prediction = wavespeed.submit(model=MODEL, inputs=inputs, seconds=10)
        except errors.ProviderError as error:
            calls.unknown(call, error)
        else:
            calls.accepted(call, provider_id=prediction.id)
        return call

    return submit


def lose_reply(simulator: SimulatorProcess, times: int = 1) -> None:
    simulator.scenario("wavespeed", match=SEND, times=times, create_then_timeout="drop")


def lose_request(simulator: SimulatorProcess, times: int = 1) -> None:
    simulator.scenario("wavespeed", match=SEND, times=times, drop_connection="before")


def test_a_lost_reply_is_found_and_paid_once(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    send(seed=1)
    lose_reply(simulator)
    call = send()
    assert call.state == CallState.UNKNOWN
    finding = find_prediction(call, client=wavespeed)

    assert isinstance(finding, Found)
    assert (call.state, call.provider_id, call.error_code) == (CallState.ACCEPTED, finding.prediction.id, "")
    assert finding.prediction.inputs["seed"] == 7
    assert len(simulator.ledger("wavespeed")) == 2
    assert wavespeed.prediction(call.provider_id).succeeded


def test_a_lost_request_is_absent(wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send) -> None:
    send(seed=1)
    lose_request(simulator)
    call = send()

    assert find_prediction(call, client=wavespeed) == Absent()
    assert calls.lost(call)


def test_absence_is_not_believed_before_the_grace_is_over(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, settings: Settings
) -> None:
    settings.LOOKUP_GRACE_SECONDS = 20
    lose_request(simulator)
    call = send()
    assert isinstance(find_prediction(call, client=wavespeed), Unsure)

    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_call SET sent_at = sent_at - interval '21 seconds'")
        cursor.execute("UPDATE providers_clock_skew SET first_at = first_at - interval '21 seconds'")
    call.refresh_from_db()
    assert find_prediction(call, client=wavespeed) == Absent()


@pytest.mark.parametrize(
    "effect", [{"status": 500}, {"status": 200, "body": {"code": 200, "data": {}}}, {"hang": True}]
)
def test_a_list_that_cannot_be_read_proves_nothing(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, effect: dict[str, Any]
) -> None:
    lose_request(simulator)
    call = send()
    simulator.scenario("wavespeed", match={"path": "*/predictions"}, **effect)

    assert isinstance(find_prediction(call, client=wavespeed, seconds=1), Unsure)
    assert call.state == CallState.UNKNOWN


def test_a_listed_task_without_inputs_could_be_ours(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_request(simulator)
    call = send()
    item = {"id": "f" * 32, "model": MODEL, "status": "completed", "created_at": "2026-11-22T00:00:00Z"}
    body = {"code": 200, "message": "success", "data": {"page": 1, "total": 1, "items": [item]}}
    simulator.scenario("wavespeed", match={"path": "*/predictions"}, status=200, body=body)

    assert isinstance(find_prediction(call, client=wavespeed), Unsure)


def test_a_task_with_other_inputs_or_another_owner_is_never_adopted(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    send(prompt="Another teapot")
    send()  # equal, answered, owned
    lose_request(simulator)

    assert find_prediction(send(), client=wavespeed) == Absent()


def test_a_task_from_long_before_is_not_ours(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_reply(simulator)
    send().delete()
    lose_request(simulator)
    call = send()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_call SET sent_at = sent_at + interval '10 minutes'")
    call.refresh_from_db()

    assert not isinstance(find_prediction(call, client=wavespeed), Found)
    assert Call.objects.get().provider_id == ""


def test_more_tasks_than_calls_leave_it_to_a_person(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_reply(simulator, times=2)
    send().delete()
    call = send()
    finding = find_prediction(call, client=wavespeed)

    assert isinstance(finding, Unsure)
    assert "2 tasks fit" in finding.why


def test_equal_calls_adopt_one_task_each(wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send) -> None:
    lose_reply(simulator, times=3)
    twins = [send() for _ in range(3)]
    findings = [find_prediction(twin, client=wavespeed) for twin in twins]

    assert all(isinstance(finding, Found) for finding in findings)
    assert {twin.provider_id for twin in twins} == {entry["id"] for entry in simulator.ledger("wavespeed")}


def test_of_two_equal_calls_and_one_task_one_finds_it_and_the_other_nothing(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_request(simulator)
    first = send()
    lose_reply(simulator)
    second = send()

    assert isinstance(find_prediction(first, client=wavespeed), Found)
    assert find_prediction(second, client=wavespeed) == Absent()


def test_a_reply_that_comes_after_its_task_was_adopted_leaves_its_call_to_be_looked_up(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_request(simulator)
    quick = send()
    inputs = quick.inputs
    slow = calls.begin(
        job_id=2, attempt=1, owner_id=None, provider="wavespeed", purpose="submit", model=MODEL, inputs=inputs,
        product="studio", estimate_usd=None,
    )  # fmt: skip
    prediction = wavespeed.submit(model=MODEL, inputs=inputs, seconds=10)
    assert isinstance(find_prediction(quick, client=wavespeed), Found)
    with pytest.raises(errors.OutcomeUnknown):
        calls.accepted(slow, provider_id=prediction.id)

    assert slow.state == CallState.UNKNOWN
    assert find_prediction(slow, client=wavespeed) == Absent()


OFF = [-600, -130, 3600]  # seconds


@pytest.mark.parametrize("seconds", OFF)
def test_a_lost_reply_is_found_however_wrong_their_clock_is(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, seconds: int
) -> None:
    simulator.skew(seconds)
    lose_reply(simulator)
    call = send(seed=8)
    findings = [find_prediction(call, client=wavespeed) for _ in range(2)]

    assert isinstance(findings[0], Unsure), "the list itself was the first to tell the time"
    assert isinstance(findings[1], Found)
    assert [entry["id"] for entry in simulator.ledger("wavespeed")] == [call.provider_id]


@pytest.mark.parametrize("before", [0, *OFF])
@pytest.mark.parametrize("after", [0, *OFF])
def test_a_lost_reply_is_found_when_their_clock_was_put_right_meanwhile(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, before: int, after: int
) -> None:
    simulator.skew(before)
    wavespeed.balance()
    lose_reply(simulator)
    call = send()
    simulator.skew(after)

    assert isinstance(find_prediction(call, client=wavespeed), Found)


@pytest.mark.parametrize("seconds", OFF)
def test_a_lost_request_is_absent_however_wrong_their_clock_is(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, seconds: int
) -> None:
    simulator.skew(seconds)
    wavespeed.balance()
    lose_request(simulator)

    assert find_prediction(send(), client=wavespeed) == Absent()


@pytest.mark.parametrize("headers", [{"Date": "yesterday"}, {"Date": ""}, {"Age": "3"}])
def test_nothing_is_absent_while_nobody_knows_their_clock(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send, headers: dict[str, str]
) -> None:
    ClockSkew.objects.all().delete()
    simulator.scenario("wavespeed", match={"path": "*/predictions"}, times=None, headers=headers)
    lose_request(simulator)
    call = send()

    assert isinstance(find_prediction(call, client=wavespeed), Unsure)
    assert not ClockSkew.objects.exists()


def test_a_clock_first_read_after_the_request_left_proves_no_absence(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_request(simulator)
    call = send()
    ClockSkew.objects.all().delete()

    assert [type(find_prediction(call, client=wavespeed)) for _ in range(2)] == [Unsure, Unsure]
    assert ClockSkew.objects.exists()


def test_a_clock_read_long_ago_proves_no_absence(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, send: Send
) -> None:
    lose_request(simulator)
    call = send()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE providers_clock_skew SET hour = hour - interval '2 hours', first_at = first_at - interval '2 hours',"
            " last_at = last_at - interval '2 hours'"
        )
    simulator.scenario("wavespeed", match={"path": "*/predictions"}, headers={"Date": "no date"})
    assert isinstance(find_prediction(call, client=wavespeed), Unsure)
    assert find_prediction(call, client=wavespeed) == Absent()
