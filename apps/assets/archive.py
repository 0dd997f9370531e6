"""Many pictures as one ZIP, written while it is sent: nothing of it lies in memory or on the disk.

They are compressed already, so they are only stored. Entries of any length and number (ZIP64 where it is needed).
"""

import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.assets.storage import open_file

log = structlog.get_logger(__name__)

PIECE = 1 << 18
LONGEST_NAME = 80
MISSING = "MISSING.txt"
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]+')
_JOINERS = "\u200c\u200d"  # some scripts cannot be written without
_PICTURE_ENDING = re.compile(r"\.(?:jpe?g|jfif|png|webp|gif|bmp|tiff?|heic|avif)$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """A stored file (`path` below MEDIA_ROOT), its name in the archive without an ending, and when it was made."""

    path: str
    name: str
    made_at: datetime


class _Sink:
    """What the archive writes to: it cannot be gone back in, and is emptied after each piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_response(entries: Iterable[Entry], *, name: str) -> StreamingHttpResponse:
    """The archive as an answer to save, under a name in any script."""
    response = StreamingHttpResponse(zip_pieces(entries), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, f"{file_name(name) or 'images'}.zip") or ""
    response["Cache-Control"] = "no-store"
    return response


def zip_pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The bytes of the archive. Names that are equal are numbered; a file that is lost is named in MISSING.txt."""
    sink = _Sink()
    taken: set[str] = set()
    missing: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for entry in entries:
            name = _unused(f"{entry.name}.{entry.path.rpartition('.')[2]}", taken)
            try:
                source = open_file(entry.path)
            except FileNotFoundError:
                log.error("file_lost", path=entry.path)
                missing.append(name)
                continue
            info = zipfile.ZipInfo(name, date_time=entry.made_at.timetuple()[:6])
            info.external_attr = 0o644 << 16
            with source, archive.open(info, "w", force_zip64=False) as target:
                while piece := source.read(PIECE):
                    target.write(piece)
                    yield sink.taken()
        if missing:
            archive.writestr(MISSING, "These pictures are lost on the server's disk:\n\n" + "\n".join(missing) + "\n")
    yield sink.taken()


def file_name(text: str) -> str:
    """A name for a file from what a person typed, in any script: without what some system forbids, "" when nothing is left."""
    text = _PICTURE_ENDING.sub("", unicodedata.normalize("NFC", text).strip())
    seen = "".join(one if unicodedata.category(one)[0] != "C" or one in _JOINERS else " " for one in text)
    return " ".join(_NOT_IN_NAMES.sub("-", seen).split()).strip("-. ")[:LONGEST_NAME].rstrip("-. ")


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with a number where one that some system takes for the same is there already."""
    base, _, ending = name.rpartition(".")
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{base}-{number}.{ending}"
    taken.add(name.casefold())
    return name
