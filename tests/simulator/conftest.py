import base64
import io
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from PIL import Image

from tests.support.simulator import SimulatorProcess

KEY = {"Authorization": "Bearer simulator"}


@pytest.fixture(scope="session")
def process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def sim(process: SimulatorProcess) -> SimulatorProcess:
    process.reset()
    return process


def data_uri(colour: str = "#a06030", size: tuple[int, int] = (320, 200), kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def chat(
    sim: SimulatorProcess, *, text: str = "Describe.", images: tuple[str, ...] = (), **more: Any
) -> requests.Response:
    content = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    body = {"model": "grok-4.3", "messages": [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]}
    return requests.post(f"{sim.xai_base}/chat/completions", json={**body, **more}, headers=KEY, timeout=10)


def submit(
    sim: SimulatorProcess, prompt: str = "a quiet harbour", *, model: str = "bytedance/seedream-v4.5",
    webhook: str | None = None, timeout: float = 10, **inputs: Any,
) -> requests.Response:  # fmt: skip
    return requests.post(
        f"{sim.wavespeed_base}/api/v3/{model}", json={"prompt": prompt, **inputs}, headers=KEY,
        params={"webhook": webhook} if webhook else {}, timeout=timeout,
    )  # fmt: skip


def result(sim: SimulatorProcess, prediction_id: str) -> dict[str, Any]:
    reply = requests.get(f"{sim.wavespeed_base}/api/v3/predictions/{prediction_id}/result", headers=KEY, timeout=10)
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


def call(sim: SimulatorProcess, path: str, body: Any = None) -> requests.Response:
    """A WaveSpeed call: POST when there is a body, else GET."""
    method = "GET" if body is None else "POST"
    return requests.request(method, f"{sim.wavespeed_base}/api/v3/{path}", json=body, headers=KEY, timeout=10)


@dataclass(frozen=True)
class Delivery:
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A webhook address. `answers` are the statuses of the next deliveries, then 200."""

    def __init__(self) -> None:
        self.deliveries: queue.Queue[Delivery] = queue.Queue()
        self.answers: list[int] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=abc"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> Delivery:
        return self.deliveries.get(timeout=10)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.put(Delivery({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Tests print nothing."""

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = Receiver()
    yield listening
    listening.close()
