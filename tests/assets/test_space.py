"""Everybody's pictures have room, and not without end: told before it is full, and what to do when it is."""

import io
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from apps.accounts.models import User
from apps.assets import decoder
from apps.assets.library import delete, store_upload
from apps.assets.space import Space, admit, in_words, space_of
from apps.core.errors import Problem
from tests.assets.conftest import drawn
from tests.factories import GeneratedImageFactory, RowFactory

pytestmark = pytest.mark.django_db


def upload(owner: User, name: str) -> int:
    return store_upload(owner=owner, file=io.BytesIO(drawn("PNG")), name=name).bytes


def test_what_was_brought_and_what_was_made_count_for_their_owner_alone(owner: User, other: User) -> None:
    made = GeneratedImageFactory(row=RowFactory(workspace__owner=owner)).bytes
    there = sum(owner.assets.values_list("bytes", flat=True))
    brought = upload(owner, "a.png")
    assert there
    assert space_of(owner).used == there + brought + made
    assert space_of(other).used == 0


def test_what_does_not_fit_is_refused_and_leaves_no_row(owner: User, settings: Settings, media: Path) -> None:
    settings.PICTURE_QUOTA_MB = 1
    GeneratedImageFactory(row=RowFactory(workspace__owner=owner), bytes=999_900)  # paid results are never refused
    owner.assets.all().delete()
    with pytest.raises(Problem) as problem:
        upload(owner, "a.png")
    assert (problem.value.status, problem.value.code) == (409, "no_room_left")
    assert "Delete rows or workspaces" in problem.value.action
    assert problem.value.extra == {"usedBytes": 999_900, "limitBytes": 1_000_000}
    assert not owner.assets.exists()


def test_nothing_is_opened_for_whom_there_is_no_room(
    owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PICTURE_QUOTA_MB = 1
    GeneratedImageFactory(row=RowFactory(workspace__owner=owner), bytes=1_000_000)
    monkeypatch.setattr(decoder, "prepare", lambda _data, **_asked: pytest.fail("opened"))
    with pytest.raises(Problem, match="no_room_left"):
        upload(owner, "a.png")


def test_deleting_makes_room(owner: User, settings: Settings) -> None:
    first = store_upload(owner=owner, file=io.BytesIO(drawn("PNG")), name="a.png")
    settings.PICTURE_QUOTA_MB = 1
    with transaction.atomic():
        admit(owner, 1_000_000 - first.bytes)
        with pytest.raises(Problem):
            admit(owner, 1_000_000 - first.bytes + 1)
        delete([first])
        admit(owner, 1_000_000)


@pytest.mark.parametrize(("own", "limit"), [(None, 5_000_000), (7, 7_000_000), (0, 0)])
def test_a_person_may_have_a_limit_of_their_own(owner: User, settings: Settings, own: int | None, limit: int) -> None:
    settings.PICTURE_QUOTA_MB = 5
    owner.picture_quota_mb = own
    assert space_of(owner).limit == limit


def test_it_is_told_before_it_is_full() -> None:
    assert Space(79, 100).warning == ""
    assert Space(10**12, 0).warning == ""
    assert "16 GB of 20 GB" in Space(16_000_000_000, 20_000_000_000).warning
    assert "no more can be brought" in Space(21_000_000_000, 20_000_000_000).warning


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (950, "950 bytes"), (22_900_000, "23 MB"), (1_240_000_000, "1.2 GB")]
)
def test_bytes_in_words(count: int, words: str) -> None:
    assert in_words(count) == words
