"""WaveSpeed's wire protocol: envelope, life by the clock, money, recovery."""

import base64
import io
import re
from decimal import Decimal
from typing import Any

import pytest
import requests
from PIL import Image

from tests.simulator.conftest import KEY, call, data_uri, result, submit
from tests.support.simulator import SimulatorProcess

EDIT = "bytedance/seedream-v4.5/edit"


def test_submit_reply_has_the_documented_envelope(sim: SimulatorProcess) -> None:
    body = submit(sim).json()
    data = body["data"]
    assert (body["code"], body["message"]) == (200, "success")
    assert re.fullmatch(r"[0-9a-f]{32}", data["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", data["created_at"])
    assert data["urls"]["get"] == f"{sim.wavespeed_base}/api/v3/predictions/{data['id']}/result"
    assert (data["status"], data["outputs"], data["has_nsfw_contents"], data["error"]) == ("created", [], [], "")
    assert data["timings"] == {"inference": 0}


def test_life_follows_the_clock() -> None:
    with SimulatorProcess(latency_scale=1) as sim:
        prediction = submit(sim).json()["data"]["id"]
        assert result(sim, prediction)["status"] == "created"
        sim.advance(2.5)
        assert result(sim, prediction)["status"] == "processing"
        sim.advance(10)
        done = result(sim, prediction)
        assert done["status"] == "completed"
        assert 4000 <= done["executionTime"] == done["timings"]["inference"] <= 12000


def test_output_is_a_picture_of_the_asked_size(sim: SimulatorProcess) -> None:
    inputs: dict[str, Any] = {"images": [data_uri("#c03020"), data_uri("#203060")], "size": "1280*1600"}
    prediction = submit(sim, model=EDIT, **inputs).json()["data"]["id"]
    done = result(sim, prediction)
    assert done["has_nsfw_contents"] == [False]
    reply = requests.get(done["outputs"][0], timeout=10)
    picture = Image.open(io.BytesIO(reply.content))
    assert (picture.format, picture.size) == ("JPEG", (1280, 1600))
    assert reply.headers["Content-Type"] == "image/jpeg"


def test_naked_base64_and_sync_mode(sim: SimulatorProcess) -> None:
    inputs: dict[str, Any] = {"enable_sync_mode": True, "enable_base64_output": True, "size": "1024*1024"}
    data = submit(sim, **inputs).json()["data"]
    assert data["status"] == "completed"
    assert not data["outputs"][0].startswith("data:")
    assert Image.open(io.BytesIO(base64.b64decode(data["outputs"][0]))).size == (1024, 1024)


def test_sync_mode_that_takes_too_long_says_5004() -> None:
    with SimulatorProcess(latency_scale=1) as sim:
        sim.scenario("wavespeed", sync_timeout=True)
        data = submit(sim, enable_sync_mode=True).json()["data"]
        assert (data["status"], data["code"], data["outputs"]) == ("processing", 5004, [])
        sim.advance(20)
        assert result(sim, data["id"])["status"] == "completed"


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (EDIT, {}, "'images' is missing"),
        (EDIT, {"images": []}, "'images'"),
        (EDIT, {"images": ["https://example.com/a.png"] * 11}, "1 to 10"),
        (EDIT, {"images": "https://example.com/a.png"}, "array"),
        ("bytedance/seedream-v4.5", {"size": "2048x2048"}, "2048*2048"),
        ("bytedance/seedream-v4.5", {"size": "1023*2048"}, "1024 to 4096"),
        ("bytedance/seedream-v4.5", {"prompt": ""}, "'prompt'"),
        ("wavespeed-ai/flux-dev", {"num_images": 9}, "'num_images'"),
        ("google/nano-banana-pro/text-to-image", {"aspect_ratio": "7:1"}, "'aspect_ratio'"),
    ],
)
def test_bad_inputs_are_400_and_cost_nothing(sim: SimulatorProcess, model: str, inputs: dict, words: str) -> None:
    reply = submit(sim, model=model, **inputs)
    assert reply.status_code == 400
    assert reply.json()["code"] == 400
    assert words in reply.json()["message"]
    assert sim.ledger() == []


def test_unknown_model_unknown_prediction_and_keys(sim: SimulatorProcess) -> None:
    assert submit(sim, model="nobody/nothing").status_code == 404
    assert call(sim, "predictions/0123/result").status_code == 404
    base = f"{sim.wavespeed_base}/api/v3/balance"
    assert requests.get(base, timeout=5).status_code == 401
    assert requests.get(base, headers={"Authorization": "Bearer no"}, timeout=5).json()["code"] == 401
    assert requests.get(base, headers={"X-API-Key": "simulator"}, timeout=5).status_code == 401


@pytest.mark.parametrize("source", ["data:image/png;base64,AAAA", "http://127.0.0.1:9/none.png"])
def test_unreadable_input_fails_the_task_with_1402_and_is_refunded(sim: SimulatorProcess, source: str) -> None:
    prediction = submit(sim, model=EDIT, images=[source]).json()["data"]["id"]
    failed = result(sim, prediction)
    assert (failed["status"], failed["code"], failed["outputs"]) == ("failed", 1402, [])
    assert failed["error"].startswith("Failed to download image from the provided URL.")
    assert sim.ledger()[0]["status"] == "refunded"
    assert call(sim, "balance").json()["data"]["balance"] == 10000


@pytest.mark.parametrize("code", [1200, 1400, 1401, 1402, 1403, 1405, 5000, 5003, 5004])
def test_each_task_code_can_be_had(sim: SimulatorProcess, code: int) -> None:
    sim.scenario("wavespeed", task_status="failed", task_code=code)
    reply = submit(sim)
    assert reply.status_code == 200
    failed = result(sim, reply.json()["data"]["id"])
    assert (failed["status"], failed["code"]) == ("failed", code)
    assert failed["error"]


def test_create_then_timeout_makes_exactly_one_task_that_the_list_finds(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", create_then_timeout=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        submit(sim, "a lighthouse in fog", timeout=0.5, size="1024*2048")
    found = call(sim, "predictions", {"page": 1, "page_size": 100, "model": "bytedance/seedream-v4.5"}).json()["data"]
    assert found["total"] == 1
    item = found["items"][0]
    assert item["input"] == {"prompt": "a lighthouse in fog", "size": "1024*2048"}
    assert {"id", "model", "status", "created_at", "outputs", "urls"} <= set(item)
    assert len(sim.ledger()) == 1


def test_list_is_newest_first_filtered_and_paged(sim: SimulatorProcess) -> None:
    for number in range(3):
        submit(sim, f"number {number}")
        sim.advance(60)
    submit(sim, "other", model="wavespeed-ai/z-image/turbo")
    page = call(sim, "predictions", {"page": 2, "page_size": 2, "model": "bytedance/seedream-v4.5"}).json()["data"]
    assert [item["input"]["prompt"] for item in page["items"]] == ["number 0"]
    newest = call(sim, "predictions", {"page": 1, "page_size": 10}).json()["data"]["items"]
    after = next(item for item in newest if item["input"]["prompt"] == "number 2")["created_at"]
    found = call(sim, "predictions", {"page": 1, "created_after": after}).json()["data"]["items"]
    assert [item["input"]["prompt"] for item in found] == ["other", "number 2"]
    assert call(sim, "predictions", {"status": "failed"}).json()["data"]["items"] == []
    assert call(sim, "predictions", {"page_size": 101}).status_code == 400


def test_predictions_can_be_deleted_and_end_after_seven_days(sim: SimulatorProcess) -> None:
    kept, deleted = (submit(sim).json()["data"]["id"] for _ in range(2))
    output = result(sim, kept)["outputs"][0]
    call(sim, "predictions/delete", {"ids": [deleted]})
    assert call(sim, f"predictions/{deleted}").status_code == 404
    assert call(sim, f"predictions/{kept}").status_code == 200
    sim.advance(7 * 24 * 3600)
    assert call(sim, f"predictions/{kept}").status_code == 404
    assert requests.get(output, timeout=5).status_code == 404


def test_balance_falls_and_runs_out(sim: SimulatorProcess) -> None:
    sim.account("wavespeed", balance="0.05")
    assert submit(sim).status_code == 200
    assert call(sim, "balance").json()["data"] == {"balance": 0.01}
    refused = submit(sim)
    assert refused.status_code == 400
    assert refused.json()["message"] == "Insufficient credits. Please top up."


def test_price_quote_agrees_with_the_ledger(sim: SimulatorProcess) -> None:
    inputs: dict[str, Any] = {"prompt": "four boats", "num_images": 4}
    quote = call(sim, "model/price", {"model_id": "wavespeed-ai/flux-dev", "inputs": inputs}).json()["data"]
    assert quote["currency"] == "USD"
    prediction = submit(sim, model="wavespeed-ai/flux-dev", **inputs).json()["data"]["id"]
    assert Decimal(sim.ledger()[0]["cost"]) == Decimal(str(quote["price"])) == Decimal("0.048")
    assert len(result(sim, prediction)["outputs"]) == 4


def test_catalogue_lists_schemas(sim: SimulatorProcess) -> None:
    models = {model["model_id"]: model for model in call(sim, "models").json()["data"]}
    schema = models[EDIT]["api_schema"]["api_schemas"][0]["request_schema"]
    assert schema["required"] == ["prompt", "images"]
    assert schema["properties"]["images"]["maxItems"] == 10
    assert "size" in schema["x-order-properties"]


def test_bronze_allows_ten_a_minute_and_queues_beyond_three() -> None:
    with SimulatorProcess(latency_scale=1) as sim:
        sim.account("wavespeed", level="bronze")
        replies = [submit(sim) for _ in range(11)]
        assert [reply.status_code for reply in replies] == [200] * 10 + [429]
        assert replies[-1].json() == {"code": 429, "message": "Too Many Requests"}
        sim.advance(3)
        states = [result(sim, reply.json()["data"]["id"])["status"] for reply in replies[:10]]
        assert states == ["processing"] * 3 + ["created"] * 7
        sim.advance(60)
        assert submit(sim).status_code == 200
        assert sim.stats("wavespeed")["tasks_high_water"] == 10


def test_concurrency_can_be_refused(sim: SimulatorProcess) -> None:
    sim.account("wavespeed", concurrent=1, over_concurrent="reject")
    sim.scenario("wavespeed", task_delay_ms=60_000)
    assert submit(sim).status_code == 200
    assert submit(sim).status_code == 429
    sim.advance(61)
    assert submit(sim).status_code == 200


def test_upload_can_be_an_input(sim: SimulatorProcess) -> None:
    raw = base64.b64decode(data_uri("#0a8060").partition(",")[2])
    address = f"{sim.wavespeed_base}/api/v3/media/upload/binary"
    reply = requests.post(address, files={"file": ("vase.png", raw, "image/png")}, headers=KEY, timeout=5).json()[
        "data"
    ]
    assert (reply["filename"], reply["size"]) == ("vase.png", len(raw))
    assert requests.get(reply["download_url"], timeout=5).content == raw
    prediction = submit(sim, model=EDIT, images=[reply["download_url"]]).json()["data"]["id"]
    assert result(sim, prediction)["status"] == "completed"


def test_outputs_can_be_objects_expired_or_elsewhere(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", output_objects=True, nsfw=True)
    flagged = result(sim, submit(sim).json()["data"]["id"])
    assert flagged["outputs"][0].keys() == {"url"}
    assert flagged["has_nsfw_contents"] == [True]
    sim.scenario("wavespeed", output_status=404)
    expired = result(sim, submit(sim).json()["data"]["id"])
    assert requests.get(expired["outputs"][0], timeout=5).status_code == 404
    sim.scenario("wavespeed", output_url="http://169.254.0.1/x.png")
    assert result(sim, submit(sim).json()["data"]["id"])["outputs"] == ["http://169.254.0.1/x.png"]


def test_an_error_reply_can_hide_a_task_that_exists(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", create_then_status=502, html=True, listed_after_ms=5_000)
    reply = submit(sim, "paid but unseen")
    assert (reply.status_code, reply.headers["Content-Type"].partition(";")[0]) == (502, "text/html")
    assert len(sim.ledger()) == 1
    assert call(sim, "predictions", {"page": 1}).json()["data"]["items"] == []
    sim.advance(5)
    assert call(sim, "predictions", {"page": 1}).json()["data"]["items"][0]["input"]["prompt"] == "paid but unseen"


def test_a_task_can_stay_unfinished_or_be_cancelled(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", task_status="processing")
    stuck = submit(sim).json()["data"]["id"]
    sim.advance(3600)
    assert result(sim, stuck)["status"] == "processing"
    sim.scenario("wavespeed", task_status="cancelled", task_error="Cancelled by the provider.", task_code=1405)
    ended = result(sim, submit(sim).json()["data"]["id"])
    assert (ended["status"], ended["error"], ended["outputs"]) == ("cancelled", "Cancelled by the provider.", [])


def announce(sim: SimulatorProcess, **file: Any) -> requests.Response:
    return requests.post(f"{sim.wavespeed_base}/api/v3/media/uploads", headers=KEY, json=file, timeout=10)


def png() -> bytes:
    return base64.b64decode(data_uri().partition(",")[2])


def test_an_upload_in_two_steps_as_the_current_clients_do(sim: SimulatorProcess) -> None:
    """A ticket, the bytes to where it says (without the key), and the address: good as an input."""
    data = png()
    ticket = announce(sim, filename="shoe.png", size=len(data), content_type="image/png").json()
    assert (ticket["code"], ticket["message"]) == (200, "success")
    put, address = ticket["data"]["upload"], ticket["data"]["download_url"]
    assert put["method"] == "PUT"
    assert requests.get(address, timeout=10).status_code == 404, "not there yet"
    assert requests.put(put["url"], headers=put["headers"], data=data, timeout=10).ok
    assert requests.get(address, timeout=10).content == data
    assert result(sim, submit(sim, model=EDIT, images=[address]).json()["data"]["id"])["status"] == "completed"
    assert len(sim.ledger("wavespeed")) == 1, "an upload costs nothing"


def test_an_upload_address_takes_what_was_announced_and_once(sim: SimulatorProcess) -> None:
    data = png()
    put = announce(sim, filename="shoe.png", size=len(data)).json()["data"]["upload"]
    url, headers = put["url"], put["headers"]
    assert requests.put(url, headers=headers, data=data + b"more", timeout=10).status_code == 400
    assert requests.put(url, headers={"Content-Type": "text/html"}, data=data, timeout=10).status_code == 403
    assert requests.put(url.partition("?")[0], headers=headers, data=data, timeout=10).status_code == 403
    assert requests.put(url, headers=headers, data=data, timeout=10).ok
    assert requests.put(url, headers=headers, data=data, timeout=10).status_code == 403
    late = announce(sim, filename="shoe.png", size=len(data)).json()["data"]["upload"]
    sim.advance(3600)
    assert requests.put(late["url"], headers=late["headers"], data=data, timeout=10).status_code == 403


@pytest.mark.parametrize("file", [{}, {"filename": "a.png"}, {"size": 7}, {"filename": "", "size": 7},
                                  {"filename": "a.png", "size": 0}, {"filename": "a.png", "size": 10**10}])  # fmt: skip
def test_an_upload_that_is_not_described_is_refused(sim: SimulatorProcess, file: dict[str, Any]) -> None:
    assert announce(sim, **file).status_code == 400
    assert requests.post(f"{sim.wavespeed_base}/api/v3/media/uploads", json=file, timeout=10).status_code == 401
