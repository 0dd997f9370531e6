"""Small raw servers that answer as badly as a test asks for."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, threading.Event], None]
"""Answers one request whose head was read; the event is set when the test is over."""


@dataclass
class RawServer:
    """A server on a free loopback port; `heads` holds what each request began with, `accepted` counts connections."""

    listener: socket.socket
    port: int
    heads: list[bytes] = field(default_factory=list)
    accepted: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def serve(self, script: Script) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._converse, args=(connection, script), daemon=True).start()

    def _converse(self, connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                while head := read_head(connection):
                    self.heads.append(head)
                    script(connection, self.over)
            except OSError:
                return


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65_536)
        if not part:
            return b""
        head += part
    return head


@contextmanager
def serving(script: Script, *, address: str = "127.0.0.1") -> Iterator[RawServer]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    server = RawServer(listener, listener.getsockname()[1])
    threading.Thread(target=server.serve, args=(script,), daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(data: bytes) -> Script:
    """Sends the same bytes to every request and leaves the connection open."""
    return lambda connection, _over: connection.sendall(data)


def once(data: bytes) -> Script:
    """Sends the bytes and closes the connection."""

    def script(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        # What is still on its way is read: closing on it would reset the connection and take the answer back.
        connection.settimeout(0.2)
        with suppress(OSError):
            while connection.recv(65_536):
                pass

    return script


def dripping(start: bytes, drop: bytes, *, every: float) -> Script:
    """Sends the start, then one drop after another until the test is over."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(every):
            connection.sendall(drop)

    return script
