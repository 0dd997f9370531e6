"""Servers that are no simulator: raw bytes on a socket. Every client call ends in time, as an answer or a ProviderError."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from apps.providers import errors
from apps.providers.types import ChatAnswer, ChatRequest, TextPart
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.xai.client import XaiClient

QUESTION = ChatRequest("grok-4.3", "s", (TextPart("t"),), 100)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
SECONDS = 1.0


class Server:
    """Answers every connection with what `speak` writes; counts the requests it read."""

    def __init__(self, speak: Callable[[socket.socket], None]) -> None:
        self._speak = speak
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = 0
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            read_request(connection)
            self.requests += 1
            self._speak(connection)
            self.ended.wait(5)

    def close(self) -> None:
        self.ended.set()
        self._listener.close()


def read_request(connection: socket.socket) -> None:
    """All of it: to close with bytes unread would reset the connection, and the answer with it."""
    with connection.makefile("rb") as stream:
        length = 0
        while line := stream.readline().strip().lower():
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)


@contextmanager
def serving(speak: Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(speak)
    try:
        yield server
    finally:
        server.close()


def drip(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.02)


def say(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def cut(data: bytes) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return speak


HOSTILE: dict[str, Callable[[socket.socket], None]] = {
    "silence": say(b""),
    "a body in drips": drip,
    "headers in drips": drip_headers,
    "hang-up": hang_up,
    "no HTTP": cut(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a body cut short": cut(HEAD + b"Content-Length: 5000\r\n\r\n{"),
    "a chunked body cut short": cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"),
    "chunks that are none": cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "headers without end": cut(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000),
    "a compressed body": cut(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
    "a length that is none": cut(HEAD + b"Content-Length: -5\r\n\r\n{}"),
    "a huge length": say(HEAD + b"Content-Length: 99999999999\r\n\r\n{"),
    "no content at all": cut(HEAD.replace(b"200 OK", b"204 No Content") + b"\r\n"),
    "a redirect": cut(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("speak", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_paid_request_ends_in_time_and_is_sent_once(speak: Callable[[socket.socket], None]) -> None:
    with serving(speak) as server:
        # None of those that keep the connection ends by itself: that both come back is the deadline's work.
        with pytest.raises(errors.ProviderError):
            XaiClient("sim-x", server.base).chat(QUESTION, seconds=SECONDS)
        with pytest.raises(errors.ProviderError) as refusal:
            WavespeedClient("sim-x", server.base).submit(model="m", inputs={"prompt": "p"}, seconds=SECONDS)

        assert server.requests == 2
        # A redirect is a refusal; after anything else a task may exist.
        assert refusal.value.sent is (True if refusal.value.http_status == 302 else None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: {",
        b'data: {"choices":[{"delta":{"content":"half"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"half"}}]}\n\ndata: {"error":{"message":"capacity"}}\n\n',
        b": a comment\n\nevent: ping\n\n",
        b"data: [1, 2]\n\ndata: null\n\ndata: <html>\n\n",
    ],
)
def test_a_stream_without_its_end_is_no_answer(body: bytes) -> None:
    with serving(cut(STREAM + body)) as server, pytest.raises(errors.ProviderError):
        assert not [
            item
            for item in XaiClient("sim-x", server.base).chat_stream(QUESTION, seconds=SECONDS)
            if isinstance(item, ChatAnswer)
        ]


def test_a_stream_takes_the_last_usage_and_survives_odd_lines() -> None:
    body = (
        b": keep-alive\r\n\r\n"
        b'data: {"id":"a","model":"grok-4.3","choices":[{"delta":{"role":"assistant","content":"One "}}],'
        b'"usage":{"prompt_tokens":5,"total_tokens":5}}\r\n\r\n'
        b'data:{"choices":[{"delta":{"content":"two"},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,'
        b'"completion_tokens_details":{"reasoning_tokens":94},"cost_in_usd_ticks":10115500}}\n\n'
        b"data: [DONE]\n\n"
    )
    with serving(cut(STREAM + body)) as server:
        *pieces, answer = XaiClient("sim-x", server.base).chat_stream(QUESTION, seconds=SECONDS)

    assert pieces == ["One ", "two"]
    assert isinstance(answer, ChatAnswer)
    assert (answer.id, answer.text, answer.usage.billed_output) == ("a", "One two", 103)
    assert str(answer.cost_usd) == "0.00101155"


def test_a_stream_in_drips_ends_in_time() -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(STREAM)
        while True:
            connection.sendall(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
            time.sleep(0.02)

    with serving(speak) as server, pytest.raises(errors.TransientNetwork) as refusal:  # the server drips for ever
        list(XaiClient("sim-x", server.base).chat_stream(QUESTION, seconds=SECONDS))

    assert refusal.value.sent is None


def test_a_reader_that_leaves_closes_the_connection() -> None:
    left = threading.Event()

    def speak(connection: socket.socket) -> None:
        connection.sendall(STREAM + b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
        if connection.recv(10) == b"":
            left.set()

    with serving(speak) as server:
        words = XaiClient("sim-x", server.base).chat_stream(QUESTION, seconds=20)
        assert next(words) == "x"
        words.close()  # type: ignore[attr-defined]
        assert left.wait(5)
