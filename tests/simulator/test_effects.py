"""What goes wrong on the wire, seen from a client's socket."""

import gzip
import json
import time

import pytest
import requests
import urllib3

from tests.simulator.conftest import KEY, call, chat, result, submit
from tests.support.simulator import SimulatorProcess


def test_drop_before_does_nothing(sim: SimulatorProcess) -> None:
    sim.scenario("xai", drop_connection=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        chat(sim)
    assert sim.ledger() == []
    assert sim.requests("xai")[-1]["outcome"] == "dropped"
    assert chat(sim).status_code == 200


def test_drop_after_has_been_paid(sim: SimulatorProcess) -> None:
    sim.scenario("xai", drop_connection="after")
    with pytest.raises(requests.exceptions.ConnectionError):
        chat(sim)
    assert len(sim.ledger("xai")) == 1


def test_truncated_body(sim: SimulatorProcess) -> None:
    sim.scenario("xai", truncate_after_bytes=40)
    reply = urllib3.request(
        "POST", f"{sim.xai_base}/chat/completions", headers=KEY, preload_content=False, retries=False,
        json={"model": "grok-4.3", "messages": [{"role": "user", "content": "x"}]},
    )  # fmt: skip
    assert int(reply.headers["Content-Length"]) > 40
    with pytest.raises(urllib3.exceptions.HTTPError):
        reply.read()


def test_dripped_body_outlives_a_read_timeout_on_each_byte(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", match={"path": "/balance"}, drip_body_ms=20)
    started = time.monotonic()
    reply = call(sim, "balance")
    assert reply.json()["code"] == 200
    assert time.monotonic() - started >= 0.02 * (len(reply.content) - 1)


def test_dripped_header(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", match={"path": "/balance"}, drip_header_ms=20)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{sim.wavespeed_base}/api/v3/balance", headers=KEY, timeout=0.01)


def test_hang_never_answers(sim: SimulatorProcess) -> None:
    sim.scenario("xai", hang=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{sim.xai_base}/chat/completions", json={}, headers=KEY, timeout=0.3)


def test_endless_body(sim: SimulatorProcess) -> None:
    sim.scenario("wavespeed", match={"path": "/balance"}, endless=True)
    reply = requests.get(f"{sim.wavespeed_base}/api/v3/balance", headers=KEY, timeout=5, stream=True)
    received = 0
    for piece in reply.iter_content(65536):
        received += len(piece)
        if received > 5_000_000:
            break
    reply.close()
    assert received > 5_000_000
    assert call(sim, "balance").status_code == 200


def test_html_page_gzip_and_own_bodies(sim: SimulatorProcess) -> None:
    sim.scenario("xai", html=True)
    page = chat(sim)
    assert page.status_code == 502
    assert page.headers["Content-Type"].startswith("text/html")
    assert "502 Bad Gateway" in page.text
    sim.scenario("xai", gzip=True)
    raw = requests.get(f"{sim.xai_base}/models", headers=KEY, stream=True, timeout=5).raw.read()
    assert json.loads(gzip.decompress(raw))["object"] == "list"
    sim.scenario("xai", body="{not json", headers={"X-Extra": "1"})
    broken = chat(sim)
    assert (broken.status_code, broken.text, broken.headers["x-extra"]) == (200, "{not json", "1")
    sim.scenario("wavespeed", body={"code": 500, "message": "hidden"}, status=200)
    assert submit(sim).json()["code"] == 500


def test_chunked_reply_is_whole(sim: SimulatorProcess) -> None:
    sim.scenario("xai", chunked=True)
    reply = chat(sim)
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert reply.json()["object"] == "chat.completion"


def test_delay_is_before_the_work(sim: SimulatorProcess) -> None:
    sim.scenario("xai", delay_ms=200)
    started = time.monotonic()
    assert chat(sim).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_answer_model_finish_reason_and_refusal(sim: SimulatorProcess) -> None:
    sim.scenario("xai", text="A blue jug.", model="grok-4.5", finish_reason="content_filter")
    body = chat(sim).json()
    assert (body["choices"][0]["message"]["content"], body["model"]) == ("A blue jug.", "grok-4.5")
    assert body["choices"][0]["finish_reason"] == "content_filter"
    sim.scenario("xai", refusal=True)
    assert "can't help" in chat(sim).json()["choices"][0]["message"]["content"]
    short = chat(sim, max_completion_tokens=5).json()["choices"][0]
    assert (short["finish_reason"], len(short["message"]["content"])) == ("length", 20)


@pytest.mark.parametrize(
    ("word", "status"),
    [("sim-429", 429), ("sim-500", 500), ("sim-503", 503), ("sim-moderated", 403), ("sim-html", 502)],
)
def test_magic_words_for_chat(sim: SimulatorProcess, word: str, status: int) -> None:
    assert chat(sim, text=f"a boat {word}").status_code == status
    assert chat(sim, model=word).status_code == status


def test_magic_words_for_pictures(sim: SimulatorProcess) -> None:
    assert submit(sim, "boat sim-429").json()["code"] == 429
    assert result(sim, submit(sim, "boat sim-moderated").json()["data"]["id"])["code"] == 1200
    assert result(sim, submit(sim, "boat sim-nsfw").json()["data"]["id"])["has_nsfw_contents"] == [True]
    slow = submit(sim, "boat sim-slow-30").json()["data"]["id"]
    assert result(sim, slow)["status"] in ("created", "processing")
    sim.advance(30)
    assert result(sim, slow)["status"] == "completed"
    with pytest.raises(requests.exceptions.ConnectionError):
        submit(sim, "boat sim-lost")
    assert sim.ledger()[-1]["prompt"] == "boat sim-lost"
    assert "Insufficient credits" in submit(sim, "boat sim-credits").json()["message"]


def test_counted_magic_word_passes_in_the_end(sim: SimulatorProcess) -> None:
    assert [submit(sim, "boat sim-503x2").status_code for _ in range(3)] == [503, 503, 200]
