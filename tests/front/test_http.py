"""HTTP as clients speak it, well and badly."""

import hashlib
import json
import re
import socket

import pytest
import requests

from apps.assets.models import Asset
from apps.studio.models import Workspace
from tests.front.strangers import answer_of, connect, head
from tests.support.stack import Stack

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def exchange(url: str, *parts: bytes) -> bytes:
    """What comes back for these bytes, until the server closes."""
    with connect(url) as sock:
        sock.sendall(b"".join(parts))
        return answer_of(sock)


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def read_one(sock: socket.socket) -> tuple[int, bytes]:
    """One answer with a Content-Length, and the connection left open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(1)
    length = int(re.search(rb"(?i)content-length: (\d+)", received)[1])  # type: ignore[index]
    body = b""
    while len(body) < length:
        body += sock.recv(length - len(body))
    return statuses(received)[0], body


def json_head(stack: Stack, token: str, path: str, **headers: str) -> bytes:
    bearer = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
    return head(stack.url, "POST", path, **bearer, **headers)


def test_an_unsigned_webhook_is_refused_before_its_body(processes: Stack) -> None:
    for signed in ({}, {"webhook_id": "m", "webhook_timestamp": "1", "webhook_signature": "v3,00"}):
        with connect(processes.url) as sock:
            sock.sendall(head(processes.url, "POST", "/api/webhooks/wavespeed", Content_Length="1000", **signed))
            status, body = read_one(sock)
        assert (status, json.loads(body)["code"]) == (401, "bad_signature")


@pytest.mark.parametrize(
    ("path", "length", "code"),
    [("/api/assets", 30_000_000, "image_too_large"), ("/api/workspaces", 1_000_001, "too_large")],
)
def test_what_is_too_large_is_refused_before_it_is_sent(
    processes: Stack, token: str, path: str, length: int, code: str
) -> None:
    with connect(processes.url) as sock:
        sock.sendall(json_head(processes, token, path, Content_Length=str(length)))
        status, body = read_one(sock)
    assert (status, json.loads(body)["code"]) == (413, code)


def test_a_page_says_too_large_in_words(processes: Stack) -> None:
    with connect(processes.url) as sock:
        sock.sendall(head(processes.url, "POST", "/signin", Content_Length="2000000"))
        status, body = read_one(sock)
    assert (status, b"larger than 1 MB" in body) == (413, True)


def test_a_chunked_body_has_the_same_limit(processes: Stack, token: str) -> None:
    chunk = b"%x\r\n" % 200_000 + b" " * 200_000 + b"\r\n"
    with connect(processes.url) as sock:
        sock.sendall(json_head(processes, token, "/api/workspaces", Transfer_Encoding="chunked") + chunk * 6)
        assert read_one(sock)[0] == 413


def test_a_connection_goes_on_after_a_refusal(processes: Stack, token: str) -> None:
    with connect(processes.url) as sock:
        sock.sendall(json_head(processes, token, "/api/workspaces", Content_Length="1200000") + b" " * 1_200_000)
        assert read_one(sock)[0] == 413
        sock.sendall(head(processes.url, "GET", "/health/live"))
        assert read_one(sock) == (200, b'{"status":"ok"}')


def test_a_chunked_body_is_read(processes: Stack, token: str) -> None:
    body = b'{"name": "Chunked"}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with connect(processes.url) as sock:
        sock.sendall(json_head(processes, token, "/api/workspaces", Transfer_Encoding="chunked") + chunks)
        assert read_one(sock)[0] == 201
    assert Workspace.objects.get().name == "Chunked"


def test_who_asks_first_is_told_to_go_on(processes: Stack, token: str) -> None:
    body = b'{"name": "Asked first"}'
    with connect(processes.url) as sock:
        length = {"Content_Length": str(len(body))}
        sock.sendall(json_head(processes, token, "/api/workspaces", Expect="100-continue", **length))
        assert sock.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert read_one(sock)[0] == 201


def test_who_asks_first_with_too_much_is_told_at_once(processes: Stack, token: str) -> None:
    too_much = json_head(processes, token, "/api/workspaces", Expect="100-continue", Content_Length="2000000")
    assert statuses(exchange(processes.url, too_much)) == [413]


def test_requests_in_one_go_are_answered_in_order(processes: Stack) -> None:
    one = head(processes.url, "GET", "/health/live")
    two = head(processes.url, "GET", "/api/jobs", Connection="close")
    assert statuses(exchange(processes.url, one, one, two)) == [200, 200, 401]


def test_head_has_no_body(processes: Stack, token: str, picture: str) -> None:
    asked = head(processes.url, "HEAD", picture, Authorization=f"Bearer {token}", Connection="close")
    answer = exchange(processes.url, asked)
    assert statuses(answer) == [200]
    assert b"Content-Length: 16000000" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_a_large_file_arrives_whole(processes: Stack, token: str, picture: str) -> None:
    answer = requests.get(processes.url + picture, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert hashlib.sha256(answer.content).hexdigest() == Asset.objects.get().digest


def test_a_large_body_is_read_from_its_file(processes: Stack, token: str) -> None:
    body = json.dumps({"name": "x" * 900_000})
    answer = requests.post(
        f"{processes.url}/api/workspaces",
        data=body,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_an_empty_body(processes: Stack, token: str) -> None:
    answer = requests.post(
        f"{processes.url}/api/workspaces",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 3"],
)
def test_two_lengths_are_refused(processes: Stack, headers: bytes) -> None:
    """Where a request ends must be read alike by a proxy and by us."""
    sent = b"POST /api/workspaces HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n0\r\n\r\n"
    assert statuses(exchange(processes.url, sent)) == [400]


@pytest.mark.parametrize(
    "sent", [b"junk\r\n\r\n", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_request_writes_no_traceback(processes: Stack, sent: bytes) -> None:
    assert statuses(exchange(processes.url, sent)) == [400]
    assert not processes.said("web", "Traceback")


def test_a_client_who_leaves_in_the_middle(processes: Stack, token: str) -> None:
    for path in ("/api/assets", "/api/workspaces"):
        with connect(processes.url) as sock:
            sock.sendall(json_head(processes, token, path, Content_Length="500000") + b"{" * 100_000)
    assert requests.get(f"{processes.url}/signin", timeout=60).ok
    assert not processes.said("web", "Traceback")


def test_a_name_with_an_underscore_is_no_header_of_a_proxy(processes: Stack, token: str) -> None:
    """`X_Forwarded_Proto` and the like would reach the application under the same key as the real name."""
    sent = head(processes.url, "GET", "/api/jobs", Connection="close")
    forged = sent.replace(b"\r\n\r\n", b"\r\nAuthorization_: x\r\nX_Request_Id: chosen-by-me\r\n\r\n")
    assert b"chosen-by-me" not in exchange(processes.url, forged)


def test_a_wrong_name_is_refused_in_one_line(processes: Stack) -> None:
    for path in ("/signin", "/api/jobs", "/static/css/app.css"):
        answer = requests.get(f"{processes.url}{path}", headers={"Host": "evil.example"}, timeout=60)
        assert answer.status_code == 400
    for path in ("/health/live", "/health/ready"):
        assert requests.get(f"{processes.url}{path}", headers={"Host": "10.1.2.3"}, timeout=60).ok
    assert processes.said("web", "host_refused")
    assert not processes.said("web", "Traceback")
