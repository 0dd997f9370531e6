"""Products made, changed and taken away: what they share with others stays, what only they had goes."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.assets.models import Asset
from apps.assets.urls import asset_url
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.listings.facts import set_facts
from apps.listings.models import Project, SourcePhoto
from apps.listings.packs import start_pack
from apps.listings.photos import add_photo, remove_photo
from apps.listings.projects import create_project, delete_project, finish_deletions, is_gtin
from apps.studio.deletion import delete_row
from apps.studio.models import Row
from tests.api.conftest import caller_of
from tests.factories import RowFactory, UserFactory, picture_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def brought(project: Project, *, size: tuple[int, int] = (640, 480)) -> SourcePhoto:
    file = SimpleUploadedFile("cup.png", picture_bytes(size=size), "image/png")
    return add_photo(project, file=file, name="cup.png")


@pytest.fixture
def seller() -> User:
    return UserFactory()


@pytest.fixture
def project(seller: User) -> Project:
    return create_project(user=seller, name="Cup", facts=[{"label": "Volume", "value": "80 ml"}])


def test_a_photo_that_a_row_uses_stays_when_the_product_goes_and_the_other_way_round(
    seller: User, project: Project
) -> None:
    photo = brought(project)
    row: Row = RowFactory(workspace__owner=seller, target_url=asset_url(photo.asset))
    remove_photo(photo)
    assert Asset.objects.filter(pk=photo.asset_id).exists()

    photo = brought(project)
    delete_row(user=seller, row_id=row.pk)
    assert Asset.objects.filter(pk=photo.asset_id).exists()
    refused = caller_of(seller)("DELETE", f"/api/assets/{photo.asset_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "asset_in_use")

    delete_project(user=seller, project_id=project.pk)
    assert not Asset.objects.filter(pk=photo.asset_id).exists()


def test_a_deleted_product_has_nothing_left_in_the_queue(seller: User, project: Project) -> None:
    brought(project)
    start_pack(project)
    delete_project(user=seller, project_id=project.pk)
    assert not Job.objects.live().exists()
    assert not Project.everything.exists()


def test_a_deletion_that_was_broken_off_is_finished(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(gone_at="2026-01-01T00:00:00Z")
    assert not Project.objects.exists()
    assert finish_deletions() == 1
    assert not Project.everything.exists()


def test_a_photo_too_small_is_refused_before_any_money(project: Project) -> None:
    with pytest.raises(Problem, match="photo_unusable"):
        brought(project, size=(200, 150))
    photo = brought(project)
    assert "details above 640 px are made up" in photo.report["warnings"][0]


def test_a_pack_without_a_photo_says_so(project: Project) -> None:
    with pytest.raises(Problem, match="photo_missing"):
        start_pack(project)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ([{"label": "Height", "value": "tall"}], "bad_number"),
        ([{"key": "height", "value": "7"}], "bad_number"),
        ([{"label": "Weight", "value": "3", "unit": "stones"}], "bad_unit"),
        ([{"label": "Volume", "value": ""}], "fact_empty"),
        ([{"label": "Volume", "value": "1 ml"}, {"label": "volume", "value": "2 ml"}], "fact_twice"),
        ([{"label": f"Fact {n}", "value": "x"} for n in range(61)], "too_many_facts"),
    ],
)
def test_facts_that_cannot_be_are_refused_and_none_is_lost(
    project: Project, facts: list[dict[str, str]], code: str
) -> None:
    with pytest.raises(Problem, match=code):
        set_facts(project, facts)
    assert [fact.value for fact in project.facts.all()] == ["80 ml"]


def test_check_digits_are_checked() -> None:
    assert is_gtin("4006381333931")
    assert not is_gtin("4006381333930")
    assert not is_gtin("123")
