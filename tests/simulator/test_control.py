"""The control plane: scenarios, journal, ledger, traffic."""

import base64
import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.simulator.conftest import KEY, Receiver, call, chat, data_uri, result, submit
from tests.support.simulator import SimulatorProcess


def test_scenario_strikes_the_nth_fitting_call_only(sim: SimulatorProcess) -> None:
    sim.scenario("xai", match={"model": "grok-4.3", "prompt_contains": "boat", "nth_call": 2}, status=503)
    assert chat(sim, text="tree").status_code == 200
    assert [chat(sim, text="boat").status_code for _ in range(3)] == [200, 503, 200]


def test_scenario_times_and_removal(sim: SimulatorProcess) -> None:
    sim.scenario("xai", times=2, status=500)
    assert [chat(sim).status_code for _ in range(3)] == [500, 500, 200]
    lasting = sim.scenario("xai", times=None, status=500)
    assert [chat(sim).status_code for _ in range(4)] == [500] * 4
    sim.end_scenario(lasting)
    assert chat(sim).status_code == 200


def test_task_scenarios_are_not_used_up_by_polls(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", task_status="failed", task_code=1405)
    call(sim, "balance")
    prediction = submit(sim).json()["data"]["id"]
    assert call(sim, f"predictions/{prediction}").json()["data"]["code"] == 1405


def test_downloads_are_spoilt_only_by_name(sim: SimulatorProcess) -> None:
    output = call(sim, f"predictions/{submit(sim).json()['data']['id']}").json()["data"]["outputs"][0]
    sim.scenario("wavespeed", times=None, status=503)
    assert requests.get(output, timeout=10).status_code == 200
    sim.scenario("wavespeed", match={"path": "/wavespeed-cdn/*"}, status=500)
    assert requests.get(output, timeout=10).status_code == 500


def test_misspelt_effects_are_refused(sim: SimulatorProcess) -> None:
    with pytest.raises(ValueError, match="Unknown effect field 'statsu'"):
        sim.scenario("xai", statsu=500)


def test_journal_has_no_secrets_and_no_base64(sim: SimulatorProcess) -> None:
    chat(sim, text="hello", images=(data_uri(size=(900, 900), kind="JPEG"),))
    entry = sim.requests("xai", path="chat")[-1]
    assert entry["headers"]["Authorization"] == "[secret]"
    assert entry["json"]["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/jpeg;base64,<sha256:")
    assert (entry["status"], entry["outcome"]) == (200, "answered")
    assert entry["cost"] == sim.ledger("xai")[0]["cost"]
    assert sim.requests(since=entry["n"]) == []


def test_traffic_shows_how_many_at_once(sim: SimulatorProcess) -> None:
    sim.scenario("xai", times=None, delay_ms=300)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: chat(sim), range(4)))
    stats = sim.stats("xai")
    assert (stats["concurrency_high_water"], stats["open"], stats["total"]) == (4, 0, 4)
    assert stats["most_in_any_minute"] == 4
    assert sum(stats["per_minute"].values()) == 4
    assert stats["by_status"] == {"200": 4}


def test_reset_forgets_everything(sim: SimulatorProcess) -> None:
    prediction = submit(sim).json()["data"]["id"]
    sim.reset()
    assert (sim.ledger(), sim.stats(), sim.requests()) == ([], {}, [])
    assert call(sim, f"predictions/{prediction}").status_code == 404


def test_ledger_file_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    sim = SimulatorProcess("--ledger-file", str(file))
    with sim:
        submit(sim, "bought before the power went")
        sim.kill()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["prompt"] for line in lines] == ["bought before the power went"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_at_once_with_requests_open(number: signal.Signals) -> None:
    with SimulatorProcess("--seed", "1") as sim:
        sim.scenario("wavespeed", match={"path": "balance"}, hang=True)
        host, port = sim.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                b"GET /wavespeed/api/v3/balance HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer simulator\r\n\r\n"
            )
            while not sim.requests("wavespeed"):
                pass
            assert sim.process is not None
            sim.process.send_signal(number)
            assert sim.process.wait(timeout=60) == 0  # the request hangs on, and is not waited for


def test_replies_name_the_public_url_and_keys_can_be_added() -> None:
    with SimulatorProcess("--public-url", "https://sim.example/", "--accept-key", "real-looking") as sim:
        reply = requests.post(
            f"{sim.wavespeed_base}/api/v3/bytedance/seedream-v4", json={"prompt": "x"},
            headers={"Authorization": "Bearer real-looking"}, timeout=5,
        )  # fmt: skip
        assert reply.json()["data"]["urls"]["get"].startswith("https://sim.example/wavespeed/api/v3/predictions/")


def test_unknown_paths_answer_in_the_providers_shape(sim: SimulatorProcess) -> None:
    assert requests.get(f"{sim.xai_base}/nothing", headers=KEY, timeout=5).json().keys() == {"code", "error"}
    assert requests.get(f"{sim.wavespeed_base}/api/v3/nothing", headers=KEY, timeout=5).json()["code"] == 404


def test_a_restart_with_a_data_directory_forgets_nothing(tmp_path: Path) -> None:
    arguments = ("--data-dir", str(tmp_path))
    raw = base64.b64decode(data_uri("#0a8060").partition(",")[2])
    with SimulatorProcess(*arguments, latency_scale=1) as sim:
        address = f"{sim.wavespeed_base}/api/v3/media/upload/binary"
        upload = requests.post(address, files={"file": ("vase.png", raw)}, headers=KEY, timeout=5).json()["data"]
        prediction = submit(sim, "a vase", model="bytedance/seedream-v4.5").json()["data"]["id"]
        failing = submit(sim, "sim-fail-1405").json()["data"]["id"]
        sim.kill()
    with SimulatorProcess(*arguments, latency_scale=1) as sim:
        assert result(sim, prediction)["status"] in ("created", "processing")
        sim.advance(15)
        output = result(sim, prediction)["outputs"][0]
        assert output.startswith(sim.url)
        assert requests.get(output, timeout=10).headers["Content-Type"] == "image/jpeg"
        assert result(sim, failing)["code"] == 1405
        kept = upload["download_url"].partition("/wavespeed-cdn/")[2]
        assert requests.get(f"{sim.url}/wavespeed-cdn/{kept}", timeout=5).content == raw
        sim.reset()
        assert requests.get(f"{sim.url}/wavespeed-cdn/{kept}", timeout=5).status_code == 404


def test_webhook_owed_by_a_killed_process_is_sent_by_the_next(tmp_path: Path, receiver: Receiver) -> None:
    arguments = ("--data-dir", str(tmp_path))
    with SimulatorProcess(*arguments, latency_scale=1) as sim:
        prediction = submit(sim, webhook=receiver.url).json()["data"]["id"]
        sim.kill()
    with SimulatorProcess(*arguments, latency_scale=1) as sim:
        sim.advance(15)
        assert json.loads(receiver.next().body)["id"] == prediction
