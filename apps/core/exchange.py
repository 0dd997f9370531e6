"""One request and its answer on one connection, and the naming of everything that can go wrong in between."""

import http.client
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from apps.core.addresses import AddressRefused, NameNotFound, Target
from apps.core.connections import Connection, Pool, WireLimit, connect
from apps.core.failures import Blocked, HttpFailure, NoAnswer, NotSent, TooLarge

CHUNK = 65_536
FRAMING_BYTES = 262_144  # for headers and chunk sizes, beyond twice the body's limit: a guard, not a promise

_pool = Pool()


@dataclass(frozen=True)
class Request:
    """What is sent, to where, and its bounds: `seconds` in all, ending at `deadline` (time.monotonic())."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float
    deadline: float
    max_bytes: int
    public_only: bool
    fresh: bool
    leaves_by: float | None = None  # time.monotonic(): not a byte is sent after it


class Exchange:
    """An answer whose headers have come and whose body is still to be read."""

    def __init__(self, request: Request, connection: Connection) -> None:
        self._request = request
        self._connection = connection
        self._reusable = not request.public_only
        self._complete = False
        self.response = self._ask()
        self._expected = self.response.length
        self._check_headers()

    def _ask(self) -> http.client.HTTPResponse:
        request, connection = self._request, self._connection
        try:
            connection.http.request(request.method, request.target.path, request.body, dict(request.headers))
        except (BrokenPipeError, ConnectionResetError):
            # A server may refuse a long body with an answer before it has read it all.
            self._reusable = False
            if not connection.wire.begun:
                raise
        return connection.http.getresponse()

    def _check_headers(self) -> None:
        if self._connection.wire.ended:
            # http.client takes the end of the connection for the end of the headers, too.
            raise NoAnswer(f"{self._request.target.host} broke off within its headers.")
        encoding = self.response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity"}:
            raise NoAnswer(f"{self._request.target.host} sent a compressed answer that was not asked for.")
        self._check_size(self._expected or 0)

    def body(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := self.response.read(CHUNK):
            size += len(part)
            self._check_size(size)
            parts.append(part)
        self._finish(size)
        return b"".join(parts)

    def lines(self) -> Iterator[str]:
        size = 0
        while line := self.response.readline(self._request.max_bytes - size + 1):
            size += len(line)
            self._check_size(size)
            yield line.decode("utf-8", "replace").rstrip("\r\n")
        self._finish(size)

    def _check_size(self, size: int) -> None:
        if size > self._request.max_bytes:
            raise TooLarge(f"{self._request.target.host} sent more than {self._request.max_bytes:,} bytes.")

    def _finish(self, size: int) -> None:
        # http.client takes the end of the connection for the end of a body, even when bytes are missing.
        if self._expected is not None and size < self._expected:
            raise NoAnswer(f"{self._request.target.host} broke off after {size:,} of {self._expected:,} bytes.")
        self._complete = True

    @property
    def may_be_kept(self) -> bool:
        return self._complete and self._reusable and not self.response.will_close


@contextmanager
def exchange(request: Request) -> Iterator[Exchange]:
    """Sends the request; what fails until the block ends is raised as an HttpFailure.

    The connection is kept for the next request only after a complete answer.
    """
    connection = _connection(request)
    opened: Exchange | None = None
    try:
        connection.begin(deadline=request.deadline, max_bytes=2 * request.max_bytes + FRAMING_BYTES)
        # A process that was stopped on the way here may wake when its work has been given to somebody else.
        if request.leaves_by is not None and time.monotonic() > request.leaves_by:
            raise NotSent("The request did not leave in time, so it was not sent.", timed_out=True)
        opened = Exchange(request, connection)
        yield opened
    except (WireLimit, OSError, http.client.HTTPException, ValueError) as error:
        raise _failure(error, request, begun=connection.wire.begun) from None
    finally:
        if opened and opened.may_be_kept:
            _pool.give_back(connection)
        else:
            connection.close()


def _connection(request: Request) -> Connection:
    kept = None if request.fresh or request.public_only else _pool.take(request.target)
    try:
        return kept or connect(request.target, deadline=request.deadline, public_only=request.public_only)
    except AddressRefused as error:
        raise Blocked(str(error)) from error
    except NameNotFound as error:
        raise NotSent(f"There is no host named {request.target.host}.") from error
    except TimeoutError as error:
        raise NotSent(f"{request.target.host} could not be reached in time.", timed_out=True) from error
    except OSError as error:
        raise NotSent(f"{request.target.host} could not be reached: {_reason(error)}.") from error


def _failure(error: Exception, request: Request, *, begun: bool) -> HttpFailure:
    """The failure that an exception after connecting means. It is not chained: its text may repeat a header."""
    host = request.target.host
    if isinstance(error, WireLimit):
        return TooLarge(f"{host} sent more than {request.max_bytes:,} bytes.")
    kind = NoAnswer if begun else NotSent
    if isinstance(error, TimeoutError):
        return kind(f"{host} did not answer in full within {round(request.seconds, 1):g} s.", timed_out=True)
    if not begun:
        return kind(f"The request could not be sent to {host}: {_reason(error)}.")
    if isinstance(error, OSError):
        return kind(f"{host} broke off before it had answered in full.")
    return kind(f"{host} sent an answer that is not proper HTTP.")


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "it refused the connection"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no secure connection came about"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).rstrip(".").lower()
    return "it holds a header or path that HTTP does not allow"
