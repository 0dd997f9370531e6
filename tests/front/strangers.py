"""Clients that hold on to what they get: slow bodies of four kinds, and slow readers of a large picture."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

KINDS = ("webhook", "signin", "api", "upload", "reader")


def connect(url: str, *, source: str = "", receive_buffer: int = 0, seconds: float = 60) -> socket.socket:
    """A connection to the host and port of `url`; from the address `source` if given."""
    parts = urlsplit(url)
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source:
        sock.bind((source, 0))
    sock.settimeout(seconds)
    sock.connect((parts.hostname, parts.port))
    return sock


def head(url: str, method: str, path: str, **headers: str) -> bytes:
    """The head of a request, ready to be sent."""
    named = {"Host": urlsplit(url).netloc} | {name.replace("_", "-"): value for name, value in headers.items()}
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    ).encode()


def begin(url: str, kind: str, *, token: str = "", picture: str = "", source: str = "") -> socket.socket:
    """One slow client: it has sent all but the end of a request, or reads nothing of what it asked for."""
    bearer = {"Authorization": f"Bearer {token}"}
    now = str(int(time.time()))
    requests = {
        # Only the body tells that the signature is wrong.
        "webhook": (
            "POST",
            "/api/webhooks/wavespeed",
            {"webhook_id": "m", "webhook_timestamp": now, "webhook_signature": "v3,00"},
        ),
        "signin": ("POST", "/signin", {"Content_Type": "application/x-www-form-urlencoded"}),
        "api": ("POST", "/api/workspaces", bearer | {"Content_Type": "application/json"}),
        "upload": ("POST", "/api/assets", bearer | {"Content_Type": "multipart/form-data; boundary=b"}),
        "reader": ("GET", picture, bearer),
    }
    method, path, headers = requests[kind]
    sock = connect(url, source=source, receive_buffer=4096 if kind == "reader" else 0)
    if kind == "reader":
        sock.sendall(head(url, method, path, **headers))
    else:
        sock.sendall(head(url, method, path, Content_Length="1000", **headers) + b"{")
    return sock


@contextmanager
def holding(url: str, kind: str, count: int, *, token: str = "", picture: str = "") -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(begin(url, kind, token=token, picture=picture)) for _ in range(count)]


def is_open(sock: socket.socket, *, reading: bool = False) -> bool:
    """Whether the server still waits for this client: it closed nothing and answered nothing.

    Of a slow reader (`reading`) it has answered a part, which lies here unread.
    """
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK)) and reading
    except BlockingIOError:
        return True
    except OSError:
        return False


def answer_of(sock: socket.socket) -> bytes:
    """All that still comes until the server closes or a whole answer is there."""
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    return received


def begin_whole(url: str, method: str, path: str, token: str) -> socket.socket:
    """A whole request, whose answer is not read yet."""
    sock = connect(url)
    sock.sendall(head(url, method, path, Authorization=f"Bearer {token}"))
    return sock
