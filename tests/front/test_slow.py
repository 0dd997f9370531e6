"""Who is slow hears so and is let go; who is only far away is served."""

import time

import pytest

from apps.assets.models import Asset
from tests.factories import picture_bytes
from tests.front.strangers import answer_of, begin, connect, head
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def patience() -> dict[str, str]:
    return {"PRESSROOM_BODY_GRACE_SECONDS": "1", "PRESSROOM_PIECE_SECONDS": "1"}


@pytest.mark.parametrize("kind", ["webhook", "api", "upload"])
def test_a_slow_body_is_told_so(processes: Stack, token: str, kind: str) -> None:
    with begin(processes.url, kind, token=token) as sock:
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer
    assert b'"code":"too_slow"' in answer


def test_a_slow_page_is_told_so_in_words(processes: Stack) -> None:
    with begin(processes.url, "signin") as sock:
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"The request's body came too slowly." in answer


def test_drops_do_not_buy_time(processes: Stack, token: str) -> None:
    """One byte every tenth of a second: never silent, and far below the least rate."""
    with begin(processes.url, "api", token=token) as sock:
        sock.settimeout(0.1)
        for _ in range(600):
            try:
                answer = sock.recv(12)
                break
            except TimeoutError:
                sock.sendall(b" ")
    assert answer == b"HTTP/1.1 408"


def test_a_fast_start_is_no_credit(processes: Stack, token: str) -> None:
    """All of a large picture but its last bytes at once, and then nothing: that were 40 minutes at the least rate."""
    with connect(processes.url) as sock:
        sock.sendall(
            head(
                processes.url,
                "POST",
                "/api/assets",
                Authorization=f"Bearer {token}",
                Content_Type="multipart/form-data; boundary=b",
                Content_Length="20001000",
            )
        )
        sock.sendall(bytes(20_000_000))
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_reader_who_takes_nothing_is_let_go(processes: Stack, token: str, picture: str) -> None:
    with begin(processes.url, "reader", token=token, picture=picture) as sock:
        wait_until(lambda: processes.said("web", "slow_reader_ended"), what="the reader is let go")
        received = 0
        try:
            while chunk := sock.recv(1 << 20):
                received += len(chunk)
        except ConnectionError:
            pass
    assert received < 16_000_000


def test_an_honest_slow_upload_succeeds(processes: Stack, token: str) -> None:
    """50 KB a second for longer than the grace."""
    noise = bytes(range(256)) * 600
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    # What follows a PNG's end is no part of it.
    body = part + picture_bytes() + noise + b"\r\n--b--\r\n"
    with connect(processes.url) as sock:
        sock.sendall(
            head(
                processes.url,
                "POST",
                "/api/assets",
                Authorization=f"Bearer {token}",
                Content_Type="multipart/form-data; boundary=b",
                Content_Length=str(len(body)),
                Connection="close",
            )
        )
        for start in range(0, len(body), 5_000):
            sock.sendall(body[start : start + 5_000])
            time.sleep(0.1)
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 201"), answer[:300]
    assert Asset.objects.count() == 1
