"""A file is there whole or not at all."""

import errno
import os
import tempfile
import threading
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation

from apps.assets import storage
from apps.core.errors import Problem

PATH = "assets/ab/cd/abcd.jpg"


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_written_file_is_read_back(media: Path) -> None:
    storage.write_once(PATH, b"picture")
    with storage.open_file(PATH) as file:
        assert file.read() == b"picture"
    assert files(media) == [media / PATH]
    assert (media / PATH).stat().st_mode & 0o777 == 0o640


def test_repeat_leaves_the_first_file(media: Path) -> None:
    storage.write_once(PATH, b"picture")
    first = (media / PATH).stat().st_ino
    storage.write_once(PATH, b"picture")
    assert (media / PATH).stat().st_ino == first


def test_file_that_a_failing_disk_cut_is_written_again(media: Path) -> None:
    storage.write_once(PATH, b"pic")
    storage.write_once(PATH, b"picture")
    assert (media / PATH).read_bytes() == b"picture"


def test_many_writers_of_one_file_leave_one(media: Path) -> None:
    data = b"x" * 1_000_000
    threads = [threading.Thread(target=storage.write_once, args=(PATH, data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files(media) == [media / PATH]
    assert (media / PATH).read_bytes() == data


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "storage_full"), (errno.EDQUOT, "storage_full"), (errno.EROFS, "storage_away")],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failing_disk_is_a_problem_and_leaves_no_file(
    media: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, step: str
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(Problem) as problem:
            storage.write_once(PATH, b"picture")
    assert (problem.value.status, problem.value.code) == (503, code)
    assert files(media) == []
    storage.write_once(PATH, b"picture")


def test_full_device_is_a_problem(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)  # answers every write as a full disk does
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_options: (full, str(media / "unused")))
    with pytest.raises(Problem) as problem:
        storage.write_once(PATH, b"picture")
    assert problem.value.code == "storage_full"
    assert files(media) == []


@pytest.mark.parametrize("path", ["../outside.jpg", "/etc/passwd", "assets/../../outside.jpg"])
def test_no_path_leads_out_of_the_folder(path: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        storage.write_once(path, b"x")


def test_what_is_set_aside_is_put_back_or_removed(media: Path) -> None:
    storage.write_once(PATH, b"picture")
    assert storage.set_aside(PATH)
    assert not storage.set_aside(PATH)
    with pytest.raises(FileNotFoundError):
        storage.open_file(PATH)
    storage.put_back(PATH)
    storage.put_back(PATH)
    assert (media / PATH).read_bytes() == b"picture"
    storage.set_aside(PATH)
    storage.remove_aside(PATH)
    storage.remove_aside(PATH)
    assert files(media) == []


def test_writing_again_makes_a_file_young(media: Path) -> None:
    storage.write_once(PATH, b"picture")
    os.utime(media / PATH, (1, 1))
    storage.write_once(PATH, b"picture")
    storage.set_aside(PATH)
    assert storage.age_aside(PATH) < 1_000_000
