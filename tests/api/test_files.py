"""Uploads, and the files that come back."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import User
from apps.assets.urls import asset_url
from tests.api.conftest import Caller, problem
from tests.core.servers import always, answer, serving
from tests.factories import (
    AssetFactory,
    GeneratedImageFactory,
    RowFactory,
    WorkspaceFactory,
    picture_bytes,
    picture_file,
)


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_an_upload_is_stored_and_told(call: Caller) -> None:
    response = call.upload("/api/assets", file=picture_file(size=(80, 40)))
    told = response.json()
    assert response.status_code == 201
    assert (told["width"], told["height"], told["name"]) == (80, 40, "shoe.png")
    assert told["url"].endswith(f"/media/assets/{told['assetId']}")
    assert told["thumbnailUrl"] == f"{told['url']}/thumbnail"
    assert call("GET", f"/api/assets/{told['assetId']}").json() == told


def test_a_browser_uploads_with_its_session(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    problem(browser.post("/api/assets", {"file": picture_file()}), 403, "csrf_failed")
    browser.cookies["csrftoken"] = "a" * 32
    sent = browser.post("/api/assets", {"file": picture_file()}, headers={"X-CSRFToken": "a" * 32})
    assert sent.status_code == 201


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        (SimpleUploadedFile("a.png", b"not a picture", "image/png"), "image_not_readable", "not an image"),
        (SimpleUploadedFile("a.png", picture_bytes()[:60], "image/png"), "image_not_readable", "damaged"),
        (SimpleUploadedFile("a.gif", picture_bytes(format="GIF"), "image/png"), "image_not_readable", "GIF is not"),
        (SimpleUploadedFile("a.png", b"", "image/png"), "image_empty", "The image is empty: it has no bytes."),
    ],
    ids=["text", "cut", "gif", "empty"],
)
def test_what_is_no_picture_is_refused(call: Caller, file: SimpleUploadedFile, code: str, words: str) -> None:
    assert words in problem(call.upload("/api/assets", file=file), 422, code)["detail"]


def test_an_upload_needs_a_file_and_a_form(call: Caller) -> None:
    assert "file" in problem(call.upload("/api/assets", other="a"), 422, "invalid")["errors"]
    problem(call("POST", "/api/assets", {"file": "a"}), 415, "unsupported_media_type")


def test_an_upload_that_says_it_is_huge_is_not_read(call: Caller) -> None:
    response = call.http.post(
        "/api/assets", data={"file": picture_file()}, headers=call.headers, CONTENT_LENGTH=str(30_000_000)
    )
    told = problem(response, 413, "image_too_large")
    assert told["detail"] == "The image is too large: a file may have 20 MB."
    assert told["action"] == "Make it smaller and try again."


def test_an_asset_in_use_stays(call: Caller, owner: User) -> None:
    target, reference, default, unused = (AssetFactory(owner=owner) for _ in range(4))
    RowFactory(workspace__owner=owner, target_url=asset_url(target), ref_urls=[asset_url(reference)])
    WorkspaceFactory(owner=owner, default_ref_urls=[asset_url(default)])
    for used in (target, reference, default):
        problem(call("DELETE", f"/api/assets/{used.pk}"), 409, "asset_in_use")
    assert call("DELETE", f"/api/assets/{unused.pk}").status_code == 204
    problem(call("GET", f"/api/assets/{unused.pk}"), 404, "not_found")


def test_a_file_comes_back_private_and_inert(call: Caller, owner: User) -> None:
    asset = AssetFactory(owner=owner, name="left shoe.png")
    response = call("GET", f"/media/assets/{asset.pk}")
    assert response["Content-Type"] in ("image/jpeg", "image/png")
    assert len(body_of(response)) == asset.bytes
    assert response["Cache-Control"] == "private, no-cache"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "attachment" not in response["Content-Disposition"]
    saved = call("GET", f"/media/assets/{asset.pk}?download=1")
    assert saved["Content-Disposition"].startswith('attachment; filename="left shoe.')
    assert call("GET", f"/media/assets/{asset.pk}/thumbnail")["Content-Type"] == "image/webp"


def test_a_generated_image_is_for_its_owner_by_session_too(owner: User, stranger: Caller) -> None:
    image = GeneratedImageFactory(row=RowFactory(workspace__owner=owner))
    assert Caller(user=owner)("GET", f"/media/images/{image.pk}").status_code == 200
    problem(stranger("GET", f"/media/images/{image.pk}"), 404, "not_found")
    problem(stranger("GET", f"/media/images/{uuid4()}"), 404, "not_found")


def test_a_file_that_is_lost_is_404(call: Caller, owner: User) -> None:
    image = GeneratedImageFactory(row=RowFactory(workspace__owner=owner), file="images/gone.jpg")
    problem(call("GET", f"/media/images/{image.pk}"), 404, "not_found")


def test_a_browser_asks_each_time_and_is_sent_nothing_it_has(owner: User, stranger: Caller) -> None:
    asset = AssetFactory(owner=owner)
    browser = Caller(user=owner)
    etag = browser("GET", f"/media/assets/{asset.pk}")["ETag"]
    again = browser("GET", f"/media/assets/{asset.pk}", If_None_Match=etag)
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "private, no-cache")
    browser.http.logout()
    problem(browser("GET", f"/media/assets/{asset.pk}", If_None_Match=etag), 404, "not_found")
    problem(stranger("GET", f"/media/assets/{asset.pk}", If_None_Match=etag), 404, "not_found")
    small = Caller(user=owner)("GET", f"/media/assets/{asset.pk}/thumbnail", If_None_Match='"other"')
    assert small.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_deleted_asset_is_gone_from_the_disk(owner: User, call: Caller, tmp_path: Path) -> None:
    told = call.upload("/api/assets", file=picture_file()).json()
    assert [path.suffix for path in sorted(tmp_path.rglob("*.*"))] == [".jpg", ".webp"]
    assert call("DELETE", f"/api/assets/{told['assetId']}").status_code == 204
    assert list(tmp_path.rglob("*.*")) == []


def test_ones_own_assets_are_listed_with_what_uses_them(call: Caller, owner: User, stranger: Caller) -> None:
    used, unused = AssetFactory(owner=owner), AssetFactory(owner=owner)
    RowFactory(workspace__owner=owner, target_url=asset_url(used))
    listed = {entry["assetId"]: entry for entry in call("GET", "/api/assets").json()["results"]}
    assert listed[str(used.pk)]["inUse"] is True
    assert listed[str(unused.pk)]["inUse"] is False
    assert listed[str(unused.pk)]["bytes"] == unused.bytes
    assert stranger("GET", "/api/assets").json() == {"results": [], "next": None}


def test_room_is_told_before_and_when_it_ends(call: Caller, owner: User) -> None:
    GeneratedImageFactory(row=RowFactory(workspace__owner=owner), bytes=900_000)
    free = call("GET", "/api/assets/space").json()
    assert free["limitBytes"] - free["usedBytes"] == free["leftBytes"]
    assert free["warning"] == ""
    User.objects.filter(pk=owner.pk).update(picture_quota_mb=1)
    assert "of 1 MB" in call("GET", "/api/assets/space").json()["warning"]
    GeneratedImageFactory(row=RowFactory(workspace__owner=owner), bytes=100_000)
    told = problem(call.upload("/api/assets", file=picture_file()), 409, "no_room_left")
    assert told["limitBytes"] == 1_000_000
    assert told["action"]


def test_an_address_is_fetched_again_when_it_is_asked_for(call: Caller, settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_URLS = True
    with serving(always(answer(picture_bytes(size=(80, 40))))) as server:
        first = call("POST", "/api/assets/fetch", {"url": server.url}).json()
        again = call("POST", "/api/assets/fetch", {"url": server.url}).json()
        assert len(server.heads) == 2
    assert (first["width"], first["sourceUrl"], again["assetId"]) == (80, server.url, first["assetId"])
    assert again["fetchedAt"] > first["fetchedAt"]
    problem(call("POST", "/api/assets/fetch", {"url": "http://10.0.0.1/"}), 422, "image_url_refused")
