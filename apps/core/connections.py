"""Connections whose every read and write ends at one deadline, and the idle ones kept for the next request."""

import http.client
import io
import os
import select
import socket
import ssl
import time
from collections import defaultdict
from functools import cache
from threading import Lock
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from apps.core.addresses import IPAddress, Target, look_up, public_addresses

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 15.0  # under the 60 s and more that providers' front ends keep an idle connection
IDLE_PER_ORIGIN = 8


class WireLimit(Exception):
    """More bytes came than the request may receive."""


class Wire:
    """A socket under a deadline, in the shape that http.client expects of a socket.

    Timeouts of a socket count from the last byte, so a server that drips bytes is never timed out by them; here each
    read and write waits no longer than the deadline. `begun` is false while no byte of the current request can have
    reached the server; `ended` is true when the server has closed its side.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.deadline = 0.0
        self.begun = False
        self.ended = False
        self._allowance = 0

    def start(self, *, deadline: float, max_bytes: int) -> None:
        self.deadline, self.begun, self._allowance = deadline, False, max_bytes

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._arm()
            # A failed plain send took no byte; a failed TLS write may have sent part of its record.
            self.begun = self.begun or isinstance(self._socket, ssl.SSLSocket)
            rest = rest[self._socket.send(rest) :]
            self.begun = True

    def receive_into(self, buffer: memoryview) -> int:
        self._arm()
        count = self._socket.recv_into(buffer)
        self.ended = count == 0
        self._allowance -= count
        if self._allowance < 0:
            raise WireLimit
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_WireReader(self), 65_536)

    def close(self) -> None:
        """Nothing: http.client closes here while its response is still to be read. See `hang_up`."""

    def hang_up(self) -> None:
        self._socket.close()

    def is_quiet(self) -> bool:
        """Whether an idle connection is still open: a server that closed it, or spoke unasked, made it readable."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def _arm(self) -> None:
        self._socket.settimeout(_left(self.deadline))


class _WireReader(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.receive_into(memoryview(buffer))


class Connection:
    """An HTTP/1.1 connection: http.client's framing over our wire."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.origin = target.origin
        self.wire = wire
        self.idle_since = 0.0
        self.http = http.client.HTTPConnection(target.host, target.port)
        self.http.auto_open = 0
        self.http.default_port = 443 if target.secure else 80

    def begin(self, *, deadline: float, max_bytes: int) -> None:
        """Ready for one request: bounds for the wire, and the wire for http.client, which lets go of it at times."""
        self.wire.start(deadline=deadline, max_bytes=max_bytes)
        self.http.sock = self.wire

    def close(self) -> None:
        self.http.close()
        self.wire.hang_up()


class Pool:
    """Idle connections by origin, shared by the threads of one process and never by two processes."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = Lock()
        self._idle: dict[tuple[str, str, int], list[Connection]] = defaultdict(list)

    def take(self, target: Target) -> Connection | None:
        """The connection used last, if it is still good; those that are not are closed."""
        while connection := self._pop(target.origin):
            if time.monotonic() - connection.idle_since < IDLE_SECONDS and connection.wire.is_quiet():
                return connection
            connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle[connection.origin]
            idle.append(connection)
            oldest = idle.pop(0) if len(idle) > IDLE_PER_ORIGIN else None
        if oldest:
            oldest.close()

    def _pop(self, origin: tuple[str, str, int]) -> Connection | None:
        with self._lock:
            idle = self._idle.get(origin)
            return idle.pop() if idle else None


def connect(target: Target, *, deadline: float, public_only: bool) -> Connection:
    """A new connection to one of the addresses the host was checked at; AddressRefused, NameNotFound or OSError."""
    seconds = _left(deadline)
    addresses = public_addresses(target, seconds=seconds) if public_only else look_up(target.host, seconds=seconds)
    plain = _connect_first(addresses, target.port, deadline)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(_left(deadline))
        secured = _tls().wrap_socket(plain, server_hostname=target.host) if target.secure else plain
    except BaseException:
        plain.close()
        raise
    return Connection(target, Wire(secured))


def _connect_first(addresses: list[IPAddress], port: int, deadline: float) -> socket.socket:
    failure: OSError = OSError("no address")
    for tried, address in enumerate(addresses):
        share = _left(deadline) / (len(addresses) - tried)
        try:
            return _connect_one(address, port, min(share, CONNECT_SECONDS))
        except OSError as error:
            failure = error
    raise failure


def _connect_one(address: IPAddress, port: int, seconds: float) -> socket.socket:
    connecting = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        connecting.settimeout(seconds)
        connecting.connect((str(address), port))
    except BaseException:
        connecting.close()
        raise
    return connecting


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline is over")
    return left


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
