"""Files of images on disk under MEDIA_ROOT: written whole or not at all, never public."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings
from django.utils._os import safe_join

from apps.core.errors import Problem

log = structlog.get_logger(__name__)

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

NEW, ASIDE = ".new-", ".gone-"  # how the names of files begin that nobody may read yet, or any more

PROBLEMS = FULL, AWAY = "storage_full", "storage_away"  # the codes of write_once: there is no room at the moment

_FULL = {errno.ENOSPC, errno.EDQUOT}


def write_once(path: str, data: bytes) -> None:
    """Stores a file that nobody sees before it is complete and on disk; a repeat is harmless.

    `path` is relative to MEDIA_ROOT, and names one content for ever. One that is there is touched: the sweep leaves what
    is young to whoever is about to name it in a row. Problem 503 when the disk is full or refuses.
    """
    final = _absolute(path)
    try:
        if not _touched(final, len(data)):
            final.parent.mkdir(parents=True, exist_ok=True)
            _write(final, data)
    except OSError as error:
        raise _storage_problem(error) from error


def open_file(path: str) -> BinaryIO:
    """The stored file, open for reading; FileNotFoundError when there is none."""
    return _absolute(path).open("rb")


def size_of(path: str) -> int | None:
    """Bytes of the stored file; None when there is none."""
    with suppress(FileNotFoundError):
        return _absolute(path).stat().st_size
    return None


def set_aside(path: str) -> bool:
    """Takes a file out of its place, to be put back or removed for good; False when it is not there."""
    with suppress(FileNotFoundError):
        os.rename(_absolute(path), _aside(path))
        return True
    return False


def put_back(path: str) -> None:
    """Undoes `set_aside`. Whoever wrote the file anew meanwhile wrote the same content."""
    with suppress(FileNotFoundError):
        os.replace(_aside(path), _absolute(path))


def remove_aside(path: str) -> None:
    _aside(path).unlink(missing_ok=True)


def age_aside(path: str) -> float:
    """Seconds from when the file was last written or touched until it was set aside; 0 when it is gone.

    Both times are the file system's own (setting aside is the last change of its name), so no clock of ours counts.
    """
    with suppress(FileNotFoundError):
        stat = _aside(path).stat()
        return max(stat.st_ctime - stat.st_mtime, 0.0)
    return 0.0


def _aside(path: str) -> Path:
    final = _absolute(path)
    return final.with_name(f"{ASIDE}{final.name}")


def content_type(path: str) -> str:
    return CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream")


def content_path(folder: str, digest: str, suffix: str) -> str:
    """Where a file named by its content lies: two levels, so that no folder grows too long to list."""
    return f"{folder}/{digest[:2]}/{digest[2:4]}/{digest}{suffix}"


def _absolute(path: str) -> Path:
    return Path(safe_join(settings.MEDIA_ROOT, path))


def _touched(final: Path, size: int) -> bool:
    """Whether the file was there, and is young from now on. One of another size is what a failing disk left."""
    try:
        os.utime(final)
        return final.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(final: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=final.parent, prefix=NEW)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), settings.FILE_UPLOAD_PERMISSIONS)
            os.fsync(file.fileno())
        os.replace(temporary, final)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _storage_problem(error: OSError) -> Problem:
    log.error("storage_failed", reason=errno.errorcode.get(error.errno or 0, "unknown"))
    if error.errno in _FULL:
        return Problem(
            503,
            FULL,
            "The disk that keeps the images is full. Nothing was stored.",
            "Try again when whoever runs this desk has made room.",
            headers={"Retry-After": "60"},
        )
    return Problem(
        503,
        AWAY,
        "The disk that keeps the images cannot be written. Nothing was stored.",
        "Try again in a minute, and tell whoever runs this desk if it stays so.",
        headers={"Retry-After": "60"},
    )
