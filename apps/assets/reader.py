"""The decoder: a process of its own that opens pictures for one serving process, one after another.

Started by decoder.py, which speaks with it over a socket that is its standard input. A message, both ways: the length
of its head (4 bytes), the head (JSON, with the `lengths` of what follows), then the bytes. It imports Pillow and no
Django, holds no secret, writes no file, may take so much memory and no more, and ends when nobody has asked anything
for a while or the process that asks is gone.
"""

import json
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from apps.assets import images
from apps.core.errors import Problem

IDLE_SECONDS = 60.0

Answer = tuple[dict[str, Any], list[bytes]]


def prepare(data: bytes, *, max_bytes: int) -> Answer:
    picture = images.open_checked(data, max_bytes=max_bytes)
    encoded = images.normalised(picture)
    head = {"suffix": encoded.suffix, "width": encoded.width, "height": encoded.height}
    return head, [encoded.data, images.thumbnail_bytes(picture)]


def look(data: bytes, *, max_bytes: int) -> Answer:
    picture = images.open_checked(data, max_bytes=max_bytes)
    return {"width": picture.width, "height": picture.height}, [images.thumbnail_bytes(picture)]


def data_uri(data: bytes, *, max_edge: int) -> Answer:
    return {}, [images.data_uri(data, max_edge=max_edge).encode("ascii")]


WORK: dict[str, Callable[..., Answer]] = {"prepare": prepare, "look": look, "data_uri": data_uri}


def send(channel: socket.socket, head: dict[str, Any], parts: list[bytes]) -> None:
    packed = json.dumps(head | {"lengths": [len(part) for part in parts]}).encode()
    channel.sendall(struct.pack(">I", len(packed)) + packed)
    for part in parts:
        channel.sendall(part)


def receive(
    channel: socket.socket, exactly: Callable[[socket.socket, int], bytes]
) -> tuple[dict[str, Any], list[bytes]]:
    """One message. `exactly` reads so many bytes or raises EOFError."""
    (length,) = struct.unpack(">I", exactly(channel, 4))
    head = json.loads(exactly(channel, length))
    return head, [exactly(channel, length) for length in head.pop("lengths")]


def exactly(channel: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = channel.recv(min(length - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _answer(work: str, data: bytes, asked: dict[str, Any]) -> Answer:
    try:
        return WORK[work](data, **asked)
    except Problem as problem:
        return {"problem": asdict(problem)}, []
    except MemoryError:
        return {"out_of_memory": True}, []


def main(memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the process that asks
    for kind, most in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)  # whoever started us may allow less
        resource.setrlimit(kind, (most, most))
    channel = socket.socket(fileno=0)
    while True:
        channel.settimeout(IDLE_SECONDS)
        try:
            head, [data] = receive(channel, exactly)
            channel.settimeout(None)
            head, parts = _answer(head["work"], data, head["asked"])
            send(channel, head, parts)
        except (EOFError, TimeoutError, ConnectionError):
            return
        if "out_of_memory" in head:
            return  # what is left of the memory may be in pieces


if __name__ == "__main__":
    main(int(sys.argv[1]))
