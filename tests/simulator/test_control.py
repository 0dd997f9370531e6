"""The control plane: scenarios, journal, ledger, traffic."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.simulator.conftest import KEY, call, chat, data_uri, submit
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
            started = time.monotonic()
            sim.process.send_signal(number)
            assert sim.process.wait(timeout=5) == 0
            assert time.monotonic() - started < 0.5


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
