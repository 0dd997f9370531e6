"""What becomes of pictures when rows go, which addresses a row takes, and how many rows one person may have."""

from pathlib import Path

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.assets.models import Asset
from apps.assets.urls import asset_url
from apps.core.errors import Problem
from apps.studio.deletion import delete_row, delete_workspace
from apps.studio.links import image_url
from apps.studio.rows import create_rows, update_row
from apps.studio.workspaces import create_workspace, update_workspace
from tests.factories import AssetFactory, GeneratedImageFactory, JobFactory, RowFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory()


def files(media: Path) -> int:
    return len([path for path in (media / "assets").rglob("*") if path.is_file()])


def exists(asset: Asset) -> bool:
    return Asset.objects.filter(pk=asset.pk).exists()


def test_a_deleted_row_takes_its_pictures_along(owner: User, media: Path) -> None:
    target, reference = AssetFactory(owner=owner), AssetFactory(owner=owner)
    row = RowFactory(workspace__owner=owner, target_url=asset_url(target), ref_urls=[asset_url(reference)])
    delete_row(user=owner, row_id=row.pk)
    assert not exists(target)
    assert not exists(reference)
    assert files(media) == 0


def test_pictures_that_something_else_names_stay(owner: User) -> None:
    in_row, in_workspace, in_job = (AssetFactory(owner=owner) for _ in range(3))
    workspace = WorkspaceFactory(owner=owner, default_ref_urls=[asset_url(in_workspace)])
    RowFactory(workspace=workspace, target_url=f"/media/assets/{in_row.pk}")
    other = RowFactory(workspace=workspace, target_url=asset_url(in_job))
    JobFactory(row=other, kind="image")
    job = other.image_jobs.get()
    job.image_urls = [asset_url(in_job)]
    job.save()
    row = RowFactory(
        workspace=workspace, target_url=asset_url(in_row), ref_urls=[asset_url(in_workspace), asset_url(in_job)]
    )
    other.target_url = ""
    other.save()
    delete_row(user=owner, row_id=row.pk)
    assert exists(in_row)
    assert exists(in_workspace)
    assert exists(in_job)


def test_a_deleted_workspace_takes_its_pictures_along(owner: User, media: Path) -> None:
    default, target, elsewhere = (AssetFactory(owner=owner) for _ in range(3))
    workspace = WorkspaceFactory(owner=owner, default_ref_urls=[asset_url(default), asset_url(elsewhere)])
    RowFactory(workspace=workspace, target_url=asset_url(target))
    RowFactory(workspace__owner=owner, target_url=asset_url(elsewhere))
    delete_workspace(workspace)
    assert [exists(asset) for asset in (default, target, elsewhere)] == [False, False, True]


def test_nobody_elses_pictures_go(owner: User) -> None:
    theirs = AssetFactory(owner=UserFactory())
    row = RowFactory(workspace__owner=owner, target_url=asset_url(theirs))
    delete_row(user=owner, row_id=row.pk)
    assert exists(theirs)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("javascript:alert(1)", "does not start with https"),
        ("data:image/png;base64,AAAA", "does not start with https"),
        ("shoe.jpg", "does not start with https"),
        ("https://me:secret@pictures.example/a.jpg", "user name or password"),
        ("https://pictures.example:8443/a.jpg", "port 8443"),
        ("http://10.0.0.1/a.jpg", "no host named 10.0.0.1 on the public internet"),
        ("http://2130706433/a.jpg", "unusual way"),
        ("/media/assets/00000000-0000-4000-8000-000000000001", "no such image among yours"),
        ("/media/images/00000000-0000-4000-8000-000000000001", "no such image among yours"),
    ],
)
def test_an_address_that_can_be_no_picture_is_refused_when_it_is_set(owner: User, url: str, words: str) -> None:
    row, workspace = RowFactory(workspace__owner=owner), WorkspaceFactory(owner=owner)
    for field, change in {
        "targetUrl": lambda: update_row(user=owner, row_id=row.pk, fields={"target_url": url}),
        "refUrls": lambda: create_rows(user=owner, workspace_id=workspace.pk, rows=[{}, {"ref_urls": [url]}]),
        "defaultRefUrls": lambda: update_workspace(workspace, default_ref_urls=[url]),
    }.items():
        with pytest.raises(Problem) as problem:
            change()
        assert (problem.value.status, problem.value.code) == (422, "image_url_refused")
        assert words in problem.value.detail
        assert list(problem.value.extra["errors"]) == [field]  # type: ignore[call-overload]
    assert workspace.rows.count() == 0


def test_pictures_of_somebody_else_are_refused_when_they_are_set(owner: User) -> None:
    stranger = UserFactory()
    row = RowFactory(workspace__owner=owner)
    theirs = [
        asset_url(AssetFactory(owner=stranger)),
        image_url(GeneratedImageFactory(row=RowFactory(workspace__owner=stranger))),
    ]
    for url in theirs:
        with pytest.raises(Problem, match="no such image among yours"):
            update_row(user=owner, row_id=row.pk, fields={"target_url": url})


def test_what_may_be_a_picture_is_taken_without_asking_its_host(owner: User) -> None:
    row = RowFactory(workspace__owner=owner)
    mine = image_url(GeneratedImageFactory(row=row))
    for url in ("https://pictures.example/my shoe.jpg", "http://bücher.example/a.jpg", mine, ""):
        assert update_row(user=owner, row_id=row.pk, fields={"target_url": url}).target_url == url


def test_an_old_address_does_not_keep_a_row_from_being_changed(owner: User) -> None:
    row = RowFactory(workspace__owner=owner, target_url="javascript:old")
    fields = {"target_url": "javascript:old", "label": "new"}
    assert update_row(user=owner, row_id=row.pk, fields=fields).label == "new"


def test_rows_and_workspaces_of_a_person_are_bounded(owner: User, settings: Settings) -> None:
    settings.WORKSPACE_QUOTA, settings.ROW_QUOTA = 2, 3
    first, second = (create_workspace(user=owner, name=name) for name in "ab")
    with pytest.raises(Problem) as problem:
        create_workspace(user=owner, name="c")
    assert (problem.value.status, problem.value.code) == (409, "workspace_limit")
    create_rows(user=owner, workspace_id=first.pk, rows=[{}, {}])
    with pytest.raises(Problem) as problem:
        create_rows(user=owner, workspace_id=second.pk, rows=[{}, {}])
    assert (problem.value.status, problem.value.code) == (409, "row_limit")
    assert problem.value.action
    create_rows(user=owner, workspace_id=second.pk, rows=[{}])
    create_workspace(user=UserFactory(), name="of another person")
    settings.WORKSPACE_QUOTA = 0
    create_workspace(user=owner, name="no limit")
