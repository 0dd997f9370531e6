"""A ZIP that is written while it is sent."""

import io
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.assets import storage
from apps.assets.archive import PIECE, Entry, file_name, zip_pieces

MADE = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def opened(*entries: Entry) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zip_pieces(entries))))
    assert archive.testzip() is None
    return archive


def test_it_holds_the_pictures_as_they_are_with_their_dates(media: Path) -> None:
    storage.write_once("images/a.jpg", b"first" * PIECE)
    storage.write_once("images/b.png", b"second")
    archive = opened(Entry("images/a.jpg", "001-a", MADE), Entry("images/b.png", "002-靴", MADE))
    assert archive.namelist() == ["001-a.jpg", "002-靴.png"]
    assert (archive.read("001-a.jpg"), archive.read("002-靴.png")) == (b"first" * PIECE, b"second")
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in archive.infolist()} == {(2026, 3, 4, 5, 6, 8)}


def test_it_is_sent_piece_by_piece(media: Path) -> None:
    paths = [f"images/{number}.jpg" for number in range(40)]
    for path in paths:
        storage.write_once(path, b"x" * (4 * PIECE))
    tracemalloc.start()
    sizes = [len(piece) for piece in zip_pieces([Entry(path, path[7:-4], MADE) for path in paths])]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) > 40 * 4 * PIECE
    assert max(sizes) < 2 * PIECE
    assert most < 8 * PIECE


def test_names_that_are_equal_somewhere_are_told_apart(media: Path) -> None:
    storage.write_once("images/a.jpg", b"x")
    names = opened(*(Entry("images/a.jpg", name, MADE) for name in ("a", "A", "a", "a-2"))).namelist()
    assert names == ["a.jpg", "A-2.jpg", "a-3.jpg", "a-2-2.jpg"]


def test_a_picture_that_is_lost_is_named(media: Path) -> None:
    storage.write_once("images/a.jpg", b"x")
    archive = opened(Entry("images/gone.jpg", "001-gone", MADE), Entry("images/a.jpg", "002-a", MADE))
    assert archive.namelist() == ["002-a.jpg", "MISSING.txt"]
    assert b"001-gone.jpg" in archive.read("MISSING.txt")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Left shoe.JPG", "Left shoe"),
        ("version 1.2", "version 1.2"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\u202eb\x00c", "a b c"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Zoe\u0308", "Zoë"),
        ("...", ""),
        ("x" * 300, "x" * 80),
    ],
)
def test_names_of_files(text: str, name: str) -> None:
    assert file_name(text) == name
