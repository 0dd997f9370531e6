"""Files go when no row names them, and never one that a row names or is about to."""

import io
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.assets import storage, sweep
from apps.assets.library import delete, store_upload
from apps.assets.models import Asset
from tests.assets.conftest import drawn

LONG_AGO = sweep.YOUNG_SECONDS + 60

pytestmark = pytest.mark.django_db(transaction=True)


def files(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def age(media: Path) -> None:
    then = time.time() - LONG_AGO
    for path in files(media):
        os.utime(media / path, (then, then))


def upload(owner: User, name: str = "a.png", **picture: object) -> Asset:
    return store_upload(owner=owner, file=io.BytesIO(drawn("PNG", **picture)), name=name)  # type: ignore[arg-type]


def paths(asset: Asset) -> set[str]:
    return {str(asset.file), str(asset.thumbnail)}


def test_a_deleted_picture_is_gone_from_the_disk(owner: User, media: Path) -> None:
    asset = upload(owner)
    assert files(media) == paths(asset)
    delete([asset])
    assert files(media) == set()


def test_a_file_that_another_row_names_stays_until_that_goes_too(owner: User, other: User, media: Path) -> None:
    mine, theirs = upload(owner), upload(other)
    delete([mine])
    assert files(media) == paths(theirs)
    delete([theirs])
    assert files(media) == set()


def test_the_walk_removes_what_no_row_names(owner: User, media: Path) -> None:
    kept, gone = upload(owner), upload(owner, size=(80, 80))
    Asset.objects.filter(pk=gone.pk).delete()  # as the deletion of its owner does
    storage.write_once("images/ab/cd/abcd.png", b"a result whose row went")
    assert sweep.sweep() == 0  # all of them are young
    age(media)
    assert sweep.sweep() == 3
    assert files(media) == paths(kept)


def test_pictures_of_a_user_who_was_deleted_go(owner: User, media: Path) -> None:
    upload(owner)
    owner.delete()
    age(media)
    sweep.sweep()
    assert files(media) == set()


def test_a_file_touched_by_an_upload_stays_though_no_row_names_it_yet(owner: User, media: Path) -> None:
    asset = upload(owner)
    Asset.objects.all().delete()
    age(media)
    with (media / str(asset.file)).open("rb") as file:
        storage.write_once(str(asset.file), file.read())  # the first step of whoever brings it again
    sweep.sweep()
    assert files(media) == {str(asset.file)}


def test_an_upload_between_the_two_looks_keeps_its_file(
    owner: User, other: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweeper has found the content unnamed, and the other person brings it before it is taken away."""
    upload(owner)
    Asset.objects.all().delete()
    age(media)
    take, brought = storage.set_aside, []

    def late(path: str) -> bool:
        if not brought:
            brought.append(upload(other))
        return take(path)

    monkeypatch.setattr(storage, "set_aside", late)
    assert sweep.sweep() == 0
    assert files(media) == paths(brought[0])


def test_an_upload_while_the_file_is_aside_writes_it_anew(
    owner: User, other: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = upload(owner)
    look, brought = sweep.named, []

    def late(asked: object) -> set[str]:
        if not (media / str(asset.file)).exists() and not brought:
            brought.append(upload(other))
        return look(asked)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep, "named", late)
    delete([asset])
    assert brought
    assert files(media) == paths(brought[0])


def test_a_file_taken_before_the_row_was_committed_is_written_again(
    owner: User, other: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleter and uploader at once: the files were there when the upload looked, and are gone when its row comes."""
    asset = upload(owner)
    create = Asset.objects.create

    def slow(**fields: object) -> Asset:
        thread = threading.Thread(target=_delete_elsewhere, args=(asset,))
        thread.start()
        thread.join()
        assert files(media) == set()
        return create(**fields)

    monkeypatch.setattr(type(Asset.objects), "create", lambda _manager, **fields: slow(**fields))
    theirs = upload(other)
    assert files(media) == paths(theirs)


def _delete_elsewhere(asset: Asset) -> None:
    try:
        delete([asset])
    finally:
        connection.close()


def test_a_clock_that_is_ahead_of_the_disks_removes_nothing_young(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write_once("images/ab/cd/abcd.png", b"a result whose row comes in a moment")
    ahead = SimpleNamespace(time=lambda: time.time() + LONG_AGO, monotonic=time.monotonic)
    monkeypatch.setattr(sweep, "time", ahead)
    assert sweep.sweep() == 0
    assert files(media) == {"images/ab/cd/abcd.png"}


def test_what_crashes_left_is_tidied(owner: User, media: Path) -> None:
    asset = upload(owner)
    storage.set_aside(str(asset.file))  # a sweeper that died here
    folder = (media / str(asset.file)).parent
    (folder / ".new-abc").write_bytes(b"half a picture")
    age(media)
    sweep.sweep()
    assert files(media) == paths(asset)


def test_uploads_and_deletions_at_once_leave_a_file_for_each_row(owner: User, other: User, media: Path) -> None:
    data, uploads = drawn("PNG"), 12
    errors: list[BaseException] = []

    def bring_and_remove(user: User) -> None:
        try:
            for turn in range(uploads):
                asset = store_upload(owner=user, file=io.BytesIO(data), name=f"{turn}.png")
                if turn % 2 == 0:
                    delete([asset])
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring_and_remove, args=(user,)) for user in (owner, other)]
    _run(threads)
    assert not errors
    assert Asset.objects.count() == uploads
    assert files(media) == {path for asset in Asset.objects.all() for path in paths(asset)}


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_walk_ends_with_its_time(owner: User, media: Path) -> None:
    storage.write_once("images/ab/cd/abcd.png", b"x")
    age(media)
    assert sweep.sweep(seconds=-1) == 0
    assert sweep.sweep() == 1


def test_every_file_field_counts() -> None:
    fields = {(model.__name__, name) for model, name in sweep._file_fields()}
    both = ("file", "thumbnail")
    assert fields >= {(model, name) for model in ("Asset", "GeneratedImage") for name in both}
