"""Runs Django's WSGI application in a few threads, which never see a socket: a whole request in, an answer out."""

import asyncio
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from apps.front.limits import PIECE_BYTES
from apps.front.refusals import busy

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass
class Answer:
    """What Django answered: `body` whole, or `pieces` that are asked for one by one, and closed with `close`."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    pieces: Iterator[bytes] | None = None
    close: Callable[[], None] | None = None


class FilePieces:
    """Django hands a file over as this (PEP 3333's `wsgi.file_wrapper`) instead of sending it itself."""

    def __init__(self, file: Any, block_size: int = 0) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(PIECE_BYTES), b"")

    def close(self) -> None:
        self.file.close()


class Threads:
    """`count` threads and at most `most_waiting` requests in line for them."""

    def __init__(self, application: Wsgi, *, count: int, most_waiting: int, name: str) -> None:
        self.application, self.most_waiting = application, most_waiting
        self.loop = asyncio.get_running_loop()
        self.line: queue.SimpleQueue[tuple[Environ, asyncio.Future[Answer]]] = queue.SimpleQueue()
        for number in range(count):
            # A daemon: a request that hangs does not keep the process from ending.
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    async def answer(self, environ: Environ) -> Answer:
        """Raises Refused (503) when the line is full, and whatever the application raises.

        A client that leaves is answered no more. What it asked to see is dropped while it is in line; what it sent to
        change something is done all the same, and until then this does not return: the caller keeps the body.
        """
        if self.line.qsize() >= self.most_waiting:
            raise busy("Too many requests are waiting at the moment.")
        future: asyncio.Future[Answer] = self.loop.create_future()
        self.line.put((environ, future))
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return await future
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.exception() and (close := future.result().close):
                close()
            raise

    def _work(self) -> None:
        while True:
            environ, future = self.line.get()
            if future.cancelled():  # whoever asked to see it is gone
                continue
            try:
                answer: Answer | Exception = _call(self.application, environ)
            except Exception as error:
                answer = error
            with suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(_deliver, future, answer)
            del environ, future, answer  # an idle thread keeps no body and no answer


def _deliver(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        if not future.cancelled():
            future.set_exception(answer)
    elif not future.cancelled():
        future.set_result(answer)
    elif answer.close:
        answer.close()


def _call(application: Wsgi, environ: Environ) -> Answer:
    answer = Answer(500, "", [])

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        answer.status, answer.reason, answer.headers = int(status[:3]), status[4:], headers

    result: Any = application(environ, start_response)
    if isinstance(result, FilePieces) or getattr(result, "streaming", False):
        answer.pieces, answer.close = iter(result), result.close
        return answer
    try:
        answer.body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()  # here, where the request's database connection is
    return answer


def base_environ() -> Environ:
    """What is the same in every request."""
    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FilePieces,
    }
