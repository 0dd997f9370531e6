"""The same bounds over TLS, with the certificate checked against the name and not against the pinned address."""

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from apps.core import connections, exchange
from apps.core.connections import Pool
from apps.core.http import NoAnswer, NotSent, send
from tests.core.servers import Script, always, answer, dripping, once, read_head

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate of these tests")

PUBLIC = "93.184.215.14"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for pictures.example and its key."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "cert.pem", folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-days", "2", "-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example"]
    subprocess.run([*made, *named, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


@dataclass
class Seen:
    """What the server saw: the name each handshake asked for, the head of each request, connections."""

    names: list[str | None] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    accepted: int = 0


Serve = Callable[[Script], AbstractContextManager[Seen]]


@pytest.fixture
def secure(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serves a script over TLS as every host on the public internet, trusted by our own context."""
    trusted = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr(connections, "_tls", lambda: trusted)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", (PUBLIC, 0))])
    monkeypatch.setattr(exchange, "_pool", Pool())

    @contextmanager
    def serve(script: Script) -> Iterator[Seen]:
        seen, over = Seen(), threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.sni_callback = lambda _socket, name, _context: seen.names.append(name)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port, dial = listener.getsockname()[1], connections._connect_one
            monkeypatch.setattr(
                connections, "_connect_one", lambda _a, _p, s: dial(ipaddress.ip_address("127.0.0.1"), port, s)
            )

            def converse(plain: socket.socket) -> None:
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        while head := read_head(secured):
                            seen.heads.append(head)
                            script(secured, over)
                except OSError:
                    return

            def accept() -> None:
                while not over.is_set():
                    try:
                        plain, _ = listener.accept()
                    except OSError:
                        return
                    seen.accepted += 1
                    threading.Thread(target=converse, args=(plain,), daemon=True).start()

            threading.Thread(target=accept, daemon=True).start()
            yield seen
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
        monkeypatch.setattr(connections, "_connect_one", dial)

    return serve


def test_name_is_kept_where_the_address_is_pinned(secure: Serve) -> None:
    with secure(always(answer(b"picture"))) as seen:
        reply = send("GET", "https://pictures.example/a", seconds=5, max_bytes=100, public_only=True)
    assert reply.body == b"picture"
    assert seen.names == ["pictures.example"]
    assert b"Host: pictures.example\r\n" in seen.heads[0]


def test_certificate_for_another_name_is_not_sent(secure: Serve) -> None:
    with secure(always(answer(b"picture"))) as seen:
        with pytest.raises(NotSent, match="certificate is not valid"):
            send("GET", "https://other.example/", seconds=5, max_bytes=100, public_only=True)
        assert seen.heads == []


def test_connection_is_kept_for_providers_only(secure: Serve) -> None:
    with secure(always(answer(b"ok"))) as seen:
        for _ in range(3):
            send("GET", "https://pictures.example/", seconds=5, max_bytes=100)
        assert seen.accepted == 1
        for _ in range(2):
            send("GET", "https://pictures.example/", seconds=5, max_bytes=100, public_only=True)
        assert seen.accepted == 3


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_deadline_cuts_a_drip(secure: Serve, start: bytes) -> None:
    with secure(dripping(start, b"x", every=0.05)):
        began = time.monotonic()
        with pytest.raises(NoAnswer) as failure:
            send("GET", "https://pictures.example/", seconds=0.7, max_bytes=10_000, public_only=True)
        assert time.monotonic() - began >= 0.6  # and not for ever: the server drips on
    assert failure.value.timed_out


def test_broken_off_answer_is_no_answer(secure: Serve) -> None:
    with secure(once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")), pytest.raises(NoAnswer):
        send("GET", "https://pictures.example/", seconds=5, max_bytes=100)
