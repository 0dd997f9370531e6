"""The bounds of an HTTP request: time, bytes, framing, and what a failure says about money."""

import gzip
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from apps.core import exchange
from apps.core.connections import Pool
from apps.core.http import (
    HttpFailure,
    NoAnswer,
    NotAStream,
    NotSent,
    Reply,
    TooLarge,
    send,
    stream_lines,
)
from tests.core.servers import Script, always, answer, dripping, once, serving


def get(url: str, *, seconds: float = 5, max_bytes: int = 1_000_000, fresh: bool = False) -> Reply:
    return send("GET", url, seconds=seconds, max_bytes=max_bytes, fresh=fresh)


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    own = Pool()
    monkeypatch.setattr(exchange, "_pool", own)
    yield own
    for kept in own._idle.values():
        for connection in kept:
            connection.close()


# --- answers ---------------------------------------------------------------------------------------


def test_answer_has_status_headers_in_any_case_and_body() -> None:
    with serving(always(answer(b'{"a": 1}', "X-Thing: yes", status="404 Not Found"))) as server:
        reply = get(server.url + "path?q=1")
    assert (reply.status, reply.ok, reply.headers["x-thing"], reply.json()) == (404, False, "yes", {"a": 1})
    head = server.heads[0]
    assert head.startswith(b"GET /path?q=1 HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in head
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in head


def test_json_and_forms_are_sent_with_their_media_type() -> None:
    with serving(once(answer(b"ok"))) as server:
        send("POST", server.url, json={"a": "é"}, seconds=5, max_bytes=100, fresh=True)
        files = {"file": ("a.png", b"\x89PNG", "image/png")}
        send("POST", server.url, files=files, seconds=5, max_bytes=100, fresh=True)
    assert b"Content-Type: application/json" in server.heads[0]
    assert b"Content-Length: 10\r\n" in server.heads[0]
    assert b"Content-Type: multipart/form-data; boundary=" in server.heads[1]


def test_chunked_answer_is_joined() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    with serving(always(chunked)) as server:
        assert get(server.url).body == b"abcdefg"


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(always(answer(b"direct"))) as server:
        assert get(server.url).body == b"direct"


# --- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", every=0.1), id="header drip"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n", b"X-Drip: x\r\n", every=0.1), id="endless headers"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x", every=0.1), id="body drip"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", every=0.1), id="body drip without length"),
        pytest.param(
            dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", every=0.1),
            id="chunk drip",
        ),
        pytest.param(lambda _connection, over: over.wait(), id="silence"),
    ],
)
def test_deadline_cuts(script: Script) -> None:
    """None of these servers ends by itself: that there is an outcome at all is the deadline's work."""
    with serving(script) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer) as failure:
            get(server.url, seconds=1)
        assert time.monotonic() - began >= 0.9
        assert server.accepted == 1
    assert failure.value.timed_out
    assert failure.value.detail == "127.0.0.1 did not answer in full within 1 s."


def test_deadline_cuts_a_body_the_server_does_not_read() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(NoAnswer) as failure,
    ):  # nobody reads, so only the deadline ends it
        send(
            "POST",
            f"http://127.0.0.1:{listener.getsockname()[1]}/",
            body=b"x" * 50_000_000,
            seconds=0.5,
            max_bytes=10,
        )
    assert failure.value.timed_out


def test_deadline_cuts_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: over.wait() and [])
    with pytest.raises(NotSent) as failure:  # the resolver hangs until it is over
        get("http://slow.example/", seconds=0.3)
    over.set()
    assert failure.value.timed_out


def test_deadline_cuts_a_tls_handshake_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NotSent) as failure:
        get(f"https://127.0.0.1:{listener.getsockname()[1]}/", seconds=0.3)
    assert failure.value.timed_out


# --- bytes -----------------------------------------------------------------------------------------


def test_stated_length_over_the_limit_is_refused_unread() -> None:
    with serving(always(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")) as server, pytest.raises(TooLarge):
        get(server.url, max_bytes=1000)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="no length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", id="one chunk of 1 GB"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative chunk"),
    ],
)
def test_a_gigabyte_is_cut_at_the_limit(start: bytes) -> None:
    piece = b"x" * 1_000_000

    def pour(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(start)
        for _ in range(1000):
            connection.sendall(piece)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(pour) as server, pytest.raises(TooLarge) as failure:
        get(server.url, max_bytes=1_000_000)
    assert failure.value.sent
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_header_flood_is_cut() -> None:
    def pour(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 60_000))

    with serving(pour) as server, pytest.raises(HttpFailure):
        get(server.url, max_bytes=1000)


def test_gzip_bomb_is_refused_unread() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    with serving(always(answer(bomb, "Content-Encoding: gzip"))) as server, pytest.raises(NoAnswer, match="compressed"):
        get(server.url)


# --- framing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", id="fewer bytes than stated"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", id="no last chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="half a header"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="another protocol"),
    ],
)
def test_broken_off_or_improper_answer_is_no_answer(data: bytes) -> None:
    with serving(once(data)) as server, pytest.raises(NoAnswer) as failure:
        get(server.url)
    assert failure.value.sent is None
    assert not failure.value.timed_out


def test_early_refusal_of_a_long_body_is_an_answer() -> None:
    refusal = answer(b"too long", "Connection: close", status="413 Content Too Large")

    def refuse(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(refusal)
        connection.close()  # with bytes unread, which resets the connection under the sender

    with serving(refuse) as server:
        reply = send("POST", server.url, body=b"x" * 30_000_000, seconds=5, max_bytes=100)
    assert reply.status == 413


# --- sent or not -----------------------------------------------------------------------------------


def test_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as failure:
        get(f"http://127.0.0.1:{port}/")
    assert failure.value.sent is False
    assert failure.value.detail == "127.0.0.1 could not be reached: it refused the connection."


def test_unknown_host_is_not_sent() -> None:
    with pytest.raises(NotSent, match=r"no host named nothing\.invalid"):
        get("http://nothing.invalid/")


def test_plain_http_behind_https_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(65_536)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(NotSent, match="secure connection"):
            get(f"https://127.0.0.1:{listener.getsockname()[1]}/")


def test_header_with_a_line_break_is_not_sent_and_not_repeated() -> None:
    with serving(always(answer(b""))) as server:
        with pytest.raises(NotSent) as failure:
            send("GET", server.url, headers={"Authorization": "Bearer s3cret\nX: y"}, seconds=5, max_bytes=10)
        assert "s3cret" not in str(failure.value)
        assert failure.value.__cause__ is None
        assert server.heads == []


def test_reset_after_the_request_is_no_answer() -> None:
    def reset(connection: socket.socket, _over: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with serving(reset) as server, pytest.raises(NoAnswer) as failure:
        send("POST", server.url, json={}, seconds=5, max_bytes=10, fresh=True)
    assert failure.value.sent is None


# --- kept connections ------------------------------------------------------------------------------


def test_connection_is_kept_after_a_complete_answer() -> None:
    with serving(always(answer(b"ok"))) as server:
        assert [get(server.url).body for _ in range(3)] == [b"ok"] * 3
        assert server.accepted == 1


def test_fresh_takes_a_new_connection() -> None:
    with serving(always(answer(b"ok"))) as server:
        get(server.url)
        get(server.url, fresh=True)
        assert server.accepted == 2


def test_connection_is_not_kept_after_a_failure() -> None:
    answers = iter([answer(b"long body"), answer(b"ok")])
    with serving(lambda connection, _over: connection.sendall(next(answers))) as server:
        with pytest.raises(TooLarge):
            get(server.url, max_bytes=3)
        assert get(server.url).body == b"ok"
        assert server.accepted == 2


def test_connection_that_the_server_closed_is_not_used_again(pool: Pool) -> None:
    closed = threading.Event()

    def answer_then_close(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(answer(b"ok"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with serving(answer_then_close) as server:
        get(server.url)
        assert closed.wait(5)
        assert get(server.url).body == b"ok"
        assert server.accepted == 2


def test_reset_of_a_kept_connection_during_the_request_is_no_answer() -> None:
    def second_time_reset(connection: socket.socket, _over: threading.Event) -> None:
        if len(server.heads) == 1:
            connection.sendall(answer(b"ok"))
        else:
            connection.close()

    with serving(second_time_reset) as server:
        get(server.url)
        with pytest.raises(NoAnswer):
            get(server.url)
        assert server.accepted == 1


def test_threads_share_no_connection() -> None:
    with serving(always(answer(b"ok"))) as server:
        bodies: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: bodies.extend(get(server.url).body for _ in range(20))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bodies == [b"ok"] * 160
        assert server.accepted <= 8


def test_child_process_does_not_inherit_connections(pool: Pool) -> None:
    with serving(always(answer(b"ok"))) as server:
        get(server.url)
        assert any(pool._idle.values())
        child = os.fork()
        if child == 0:
            os._exit(1 if any(pool._idle.values()) else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# --- streams ---------------------------------------------------------------------------------------

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"


def test_lines_come_as_they_are_sent() -> None:
    go_on = threading.Event()

    def two_lines(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(STREAM + b"data: one\r\n")
        assert go_on.wait(5)
        connection.sendall("data: zwölf\n\n".encode())
        connection.shutdown(socket.SHUT_RDWR)

    with serving(two_lines) as server:
        lines = stream_lines("POST", server.url, json={}, seconds=5, max_bytes=1000)
        assert next(lines) == "data: one"
        go_on.set()
        assert list(lines) == ["data: zwölf", ""]


def test_chunked_lines_come_as_they_are_sent() -> None:
    head = STREAM.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunks = b"4\r\none\n\r\n3\r\ntwo\r\n0\r\n\r\n"
    with serving(always(head + chunks)) as server:
        assert list(stream_lines("GET", server.url, seconds=5, max_bytes=1000)) == ["one", "two"]


def test_stream_is_cut_at_the_deadline_and_at_the_limit() -> None:
    with serving(dripping(STREAM, b"data: x\n", every=0.1)) as server:
        with pytest.raises(NoAnswer) as failure:
            list(stream_lines("GET", server.url, seconds=0.5, max_bytes=1000))
        assert failure.value.timed_out
        with pytest.raises(TooLarge):
            list(stream_lines("GET", server.url, seconds=5, max_bytes=20))


def test_broken_off_chunked_stream_is_no_answer() -> None:
    head = STREAM.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    with serving(once(head + b"4\r\none\n\r\n9\r\ntw")) as server:
        lines = stream_lines("GET", server.url, seconds=5, max_bytes=1000)
        assert next(lines) == "one"
        with pytest.raises(NoAnswer):
            list(lines)


def test_error_instead_of_a_stream_carries_the_answer() -> None:
    refusal = answer(b'{"error": "slow down"}', "Content-Type: application/json", status="429 Too Many Requests")
    with serving(always(refusal)) as server, pytest.raises(NotAStream) as failure:
        list(stream_lines("POST", server.url, json={}, seconds=5, max_bytes=1000))
    assert failure.value.reply.status == 429
    assert failure.value.reply.json() == {"error": "slow down"}
