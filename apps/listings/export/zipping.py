"""A ZIP whose every byte is known before the first one leaves: stored entries, a fixed date, no extra fields.

So its length is told beforehand, it is the same each time, and one that breaks off is seen to be short.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 1 << 18
_DATE = 0x0021  # 1980-01-01
_UTF8 = 0x0800
_UNIX, _FILE = 3 << 8 | 20, 0o100644 << 16


@dataclass(frozen=True)
class Entry:
    """`path` below MEDIA_ROOT, or `text` itself; its CRC-32 and length are known."""

    name: str
    size: int
    crc: int
    path: str = ""
    text: bytes = b""


def length_of(entries: Sequence[Entry]) -> int:
    return sum(30 + 46 + 2 * len(entry.name.encode()) + entry.size for entry in entries) + 22


def pieces(entries: Sequence[Entry], *, opened: Callable[[str], BinaryIO]) -> Iterator[bytes]:
    """Raises OSError when a file is not what it was: whoever reads gets fewer bytes than were announced."""
    directory, at = b"", 0
    for entry in entries:
        name = entry.name.encode()
        head = (entry.crc, entry.size, entry.size, len(name))
        local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, _UTF8, 0, 0, _DATE, *head, 0) + name
        yield local
        yield from _content(entry, opened)
        directory += (
            struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, _UNIX, 20, _UTF8, 0, 0, _DATE, *head, 0, 0, 0, 0, _FILE, at)
            + name
        )
        at += len(local) + entry.size
    count = len(entries)
    yield directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), at, 0)


def _content(entry: Entry, opened: Callable[[str], BinaryIO]) -> Iterator[bytes]:
    if not entry.path:
        yield entry.text
        return
    left = entry.size
    with opened(entry.path) as file:
        while left:
            piece = file.read(min(PIECE, left))
            if not piece:
                raise OSError(f"{entry.path} is shorter than it was")
            left -= len(piece)
            yield piece
