"""The exported archive, opened by somebody who knows only the marketplace's rules."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image, ImageCms

from apps.accounts.models import User
from apps.listings.export.names import safe_stem
from apps.listings.models import Export, ImageType, ListingImage, Project
from apps.listings.packs import start_pack
from tests.listings.test_pack import ended
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def client(seller: User) -> Client:
    client = Client()
    client.force_login(seller)
    return client


def archive(client: Client, url: str) -> bytes:
    response = client.get(url)
    assert response.status_code == 200, response.content
    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert len(data) == int(response["Content-Length"])
    return data


def test_amazons_archive_holds_to_amazons_rules_and_is_the_same_twice(
    stack: Stack, make_cup: Callable[..., Project], client: Client
) -> None:
    project = make_cup()
    start_pack(project)
    ended(project)
    url = f"/api/projects/{project.pk}/export?platform=amazon"
    data = archive(client, url)
    assert hashlib.sha256(archive(client, url)).digest() == hashlib.sha256(data).digest()

    opened = zipfile.ZipFile(io.BytesIO(data))
    assert opened.testzip() is None
    names = opened.namelist()
    parts = ["MAIN", "PT01", "PT02", "PT03", "PT04", "PT05"]
    assert [name for name in names if name.startswith("images/")] == [
        f"images/EMO-CUP-080-RED.{part}.jpg" for part in parts
    ]
    for name in names:
        if name.startswith("images/"):
            _is_fit_for_amazon(opened.read(name), is_main=".MAIN." in name)
    manifest = json.loads(opened.read("manifest.json"))
    told = {file["name"]: file["sha256"] for file in manifest["files"]}
    assert told == {
        Path(name).name: hashlib.sha256(opened.read(name)).hexdigest() for name in names if "images/" in name
    }
    assert {file["digitalSourceType"].rpartition("/")[2] for file in manifest["files"]} == {
        "algorithmicallyEnhanced",
        "composite",
        "compositeWithTrainedAlgorithmicMedia",
    }


def _is_fit_for_amazon(data: bytes, *, is_main: bool) -> None:
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (2000, 2000))
    assert len(data) <= 10_000_000
    profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert b"DigitalSourceType" in picture.info["xmp"]
    if is_main:
        rim = [
            picture.crop(box)
            for box in ((0, 0, 2000, 60), (0, 1940, 2000, 2000), (0, 0, 60, 2000), (1940, 0, 2000, 2000))
        ]
        assert all(part.getextrema() == ((255, 255),) * 3 for part in rim)
        left, top, right, bottom = (
            Image.eval(picture.convert("L"), lambda level: 255 if level < 245 else 0).getbbox() or (0,) * 4
        )
        assert max(right - left, bottom - top) >= 0.85 * 2000


def test_another_marketplace_gets_its_own_size_once(
    stack: Stack, make_cup: Callable[..., Project], client: Client
) -> None:
    project = make_cup()
    start_pack(project)
    ended(project)
    made = client.post(
        f"/api/projects/{project.pk}/exports", {"platform": "ebay"}, content_type="application/json"
    ).json()
    assert made["status"] == "making"
    wait_until(lambda: Export.objects.get(pk=made["exportId"]).status == "ready", what="the export")
    shown = client.get(f"/api/projects/{project.pk}/exports/{made['exportId']}").json()
    opened = zipfile.ZipFile(io.BytesIO(archive(client, shown["fileUrl"])))
    images = [name for name in opened.namelist() if name.startswith("images/")]
    assert images == ["images/emo-cup-080-red-01-main.jpg", "images/emo-cup-080-red-02-lifestyle.jpg"]
    assert {Image.open(io.BytesIO(opened.read(name))).size for name in images} == {(1600, 1600)}
    assert len(shown["leftOut"]) == 4


def test_a_file_that_is_gone_is_told_before_the_first_byte(
    stack: Stack, make_cup: Callable[..., Project], client: Client
) -> None:
    project = make_cup()
    start_pack(project)
    ended(project)
    url = f"/api/projects/{project.pk}/export?platform=amazon"
    archive(client, url)
    main = ListingImage.objects.get(image_type=ImageType.MAIN)
    (Path(settings.MEDIA_ROOT) / str(main.file)).unlink()
    refused = client.get(url)
    assert (refused.status_code, refused.json()["code"]) == (409, "export_source_changed")


@pytest.mark.parametrize(
    ("sku", "stem"),
    [
        ("../../x", "x"),
        ("=cmd()", "cmd()"),
        ("a\u202egpj.exe", "a-gpj.exe"),
        ("CON", "item-CON"),
        (".", ""),
        ("EMO CUP", "EMO-CUP"),
        ("x" * 300, "x" * 80),
    ],
)
def test_hostile_skus_make_harmless_names(sku: str, stem: str) -> None:
    assert safe_stem(sku).lstrip("-/") == stem
