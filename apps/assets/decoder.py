"""Pictures are opened apart: by one process beside each that serves or works, under limits of its own (reader.py).

A hostile picture costs that process its life at most. One is opened at a time, few wait for it, the others are told to
come again: so pictures hold neither all threads nor all memory.
"""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import structlog
from django.conf import settings

from apps.assets import reader
from apps.assets.images import MAX_BYTES, Encoded, too_large
from apps.core.errors import Problem

log = structlog.get_logger(__name__)

# Threads of one process: one is served, the others wait. Nobody has all the places: a page sends two pictures at once.
MOST_INSIDE = 3
MOST_EACH = 2
WAIT_SECONDS = 10.0
WORK_SECONDS = 30.0  # the largest picture takes 3 s on a machine that has time
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True)
class Prepared:
    """A picture as it is stored, with its thumbnail (WebP)."""

    encoded: Encoded
    thumbnail: bytes


@dataclass(frozen=True)
class Looked:
    """What a picture is, when its bytes are kept as they are."""

    width: int
    height: int
    thumbnail: bytes


def prepare(data: bytes, *, max_bytes: int = MAX_BYTES, person: int | None = None) -> Prepared:
    """Checks and re-encodes what a person (the id of a user) brought. Problem 422 as in `images.open_checked`, or it needs too much memory.

    Problem 503 (all functions here): others are being opened, or the machine is too busy for this one.
    """
    head, [stored, thumbnail] = _decoder.ask("prepare", data, {"max_bytes": max_bytes}, person=person)
    return Prepared(Encoded(stored, head["suffix"], head["width"], head["height"]), thumbnail)


def look(data: bytes, *, max_bytes: int = MAX_BYTES) -> Looked:
    """Size and thumbnail of a picture that is to be kept as it came. Problem 422 when it cannot be opened."""
    head, [thumbnail] = _decoder.ask("look", data, {"max_bytes": max_bytes})
    return Looked(head["width"], head["height"], thumbnail)


def data_uri(data: bytes, *, max_edge: int = 2048) -> str:
    """The picture as a JPEG data URI of at most `max_edge` pixels a side. Problem 422 when it cannot be opened."""
    _, [uri] = _decoder.ask("data_uri", data, {"max_edge": max_edge})
    return uri.decode("ascii")


class _Gone(Exception):
    """The process ended before it had answered."""


@dataclass(frozen=True)
class _Process:
    process: subprocess.Popen[bytes]
    channel: socket.socket

    def ask(self, work: str, data: bytes, asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        deadline = time.monotonic() + WORK_SECONDS

        def exactly(channel: socket.socket, length: int) -> bytes:
            parts, left = [], length
            while left:
                channel.settimeout(max(deadline - time.monotonic(), 0.001))
                part = channel.recv(min(left, 1 << 20))
                if not part:
                    raise _Gone
                parts.append(part)
                left -= len(part)
            return b"".join(parts)

        try:
            self.channel.settimeout(WORK_SECONDS)
            reader.send(self.channel, {"work": work, "asked": asked}, [data])
            return reader.receive(self.channel, exactly)
        except ConnectionError as error:
            raise _Gone from error

    def end(self, *, patience: float = 0.0) -> int:
        """What it ended with; it is killed unless it ends by itself within `patience` seconds."""
        self.channel.close()
        try:
            return self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class _Decoder:
    """The process of this process, started when it is first needed and again whenever it has ended."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A forked child starts its own: two that ask one process would read each other's pictures."""
        if mine := getattr(self, "_running", None):
            mine.channel.close()
        self._running: _Process | None = None
        self._free = Condition()
        self._inside = 0
        self._of: Counter[int | None] = Counter()
        self._busy = False

    def ask(
        self, work: str, data: bytes, asked: dict[str, Any], *, person: int | None = None
    ) -> tuple[dict[str, Any], list[bytes]]:
        with self._turn(person):
            try:
                head, parts = self._ask(work, data, asked)
            except TimeoutError as error:
                self._end()
                log.warning("picture_took_too_long", work=work, bytes=len(data))
                raise _slow() from error
            except _Gone as error:
                log.error("decoder_died", work=work, bytes=len(data), returncode=self._end(patience=5))
                raise _broke() from error
            except BaseException:  # a time limit of the job that asks: what is on its way belongs to nobody
                self._end()
                raise
        if "problem" in head:
            raise Problem(**head["problem"])
        if "out_of_memory" in head:
            raise too_large(f"opening it takes more than {settings.DECODER_MEMORY_MB} MB of memory")
        return head, parts

    def _ask(self, work: str, data: bytes, asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        for last in (False, True):
            self._running = self._running or _start()
            try:
                return self._running.ask(work, data, asked)
            except _Gone:
                if last:
                    raise
                # It had gone home, with nothing to do, in the moment in which it was asked; or the system ended it, for
                # memory that others took. The picture may be innocent: only at its second death is it refused.
                if returncode := self._end(patience=5):
                    log.warning("decoder_started_again", work=work, bytes=len(data), returncode=returncode)
        raise AssertionError("the second try answers or raises")

    def _end(self, *, patience: float = 0.0) -> int:
        running, self._running = self._running, None
        return running.end(patience=patience) if running else 0

    @contextmanager
    def _turn(self, person: int | None) -> Iterator[None]:
        with self._free:
            if self._inside >= MOST_INSIDE or (person is not None and self._of[person] >= MOST_EACH):
                raise _occupied()
            self._enter(person, 1)
            try:
                if not self._free.wait_for(lambda: not self._busy, WAIT_SECONDS):
                    raise _occupied()
            except BaseException:
                self._enter(person, -1)
                raise
            self._busy = True
        try:
            yield
        finally:
            with self._free:
                self._enter(person, -1)
                self._busy = False
                self._free.notify()

    def _enter(self, person: int | None, step: int) -> None:
        self._inside += step
        self._of[person] += step
        if not self._of[person]:
            del self._of[person]


def _start() -> _Process:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "apps.assets.reader", str(settings.DECODER_MEMORY_MB << 20)],
                cwd=settings.BASE_DIR,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    except OSError as error:
        ours.close()
        log.error("decoder_not_started", error=str(error))
        raise _slow() from error
    return _Process(process, ours)


def _occupied() -> Problem:
    return Problem(
        503,
        "decoder_busy",
        "Other pictures are being opened right now, or two of yours. This one was not looked at.",
        "Try again in a few seconds.",
        headers={"Retry-After": "2"},
    )


def _slow() -> Problem:
    return Problem(
        503,
        "decoder_slow",
        "The picture could not be opened in time: this machine has too much to do.",
        "Try again in a minute, or make the picture smaller.",
        headers={"Retry-After": "30"},
    )


def _broke() -> Problem:
    return Problem(
        422,
        "image_not_readable",
        "The image cannot be opened: our decoder broke down at it.",
        "Export it again, as JPEG or PNG.",
    )


_decoder = _Decoder()
