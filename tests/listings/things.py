"""Things of Listings as they stand when jobs have made them, without any job: for matrices and walks."""

import uuid
from typing import Any

from apps.accounts.models import User
from apps.listings import keeping
from apps.listings.export.service import ask
from apps.listings.keeping import Made, add_version
from apps.listings.models import (
    APlusPage,
    BrandKit,
    Cutout,
    Export,
    ImageType,
    ListingImage,
    Pack,
    Project,
    SourcePhoto,
)
from apps.listings.packs import start_pack
from apps.listings.projects import create_project
from tests.factories import AssetFactory, picture_bytes

FACTS = [{"label": "Volume", "value": "80 ml"}, {"key": "width", "value": "12 cm"}, {"key": "height", "value": "7 cm"}]
RULE = {
    "rule": "format", "title": "File format", "verdict": "pass", "measured": "JPEG", "limit": "JPEG", "said": "", "fix": "",
    "where": [],
}  # fmt: skip


def project_of(user: User) -> Project:
    """With a photograph and facts."""
    project = create_project(user=user, name="Espresso cup", sku="CUP-1", facts=FACTS)
    SourcePhoto.objects.create(project=project, asset=AssetFactory(owner=user), report={"warnings": []})
    return project


def image_of(user: User, project: Project | None = None) -> ListingImage:
    """A main image that counts."""
    project = project or project_of(user)
    jpeg = picture_bytes(size=(20, 20), colour="white", format="JPEG")
    made = Made(
        jpeg=jpeg, thumbnail=picture_bytes(size=(10, 10), colour="white", format="WEBP"), size=(20, 20), source_type="x",
        document=uuid.uuid4(), report={"rules": [RULE], "summary": {"pass": 1, "fail": 0, "warn": 0, "unknown": 0}},
    )  # fmt: skip
    return add_version(project, made, keeping.write(made), image_type=ImageType.MAIN, style="premium")


def photo_of(user: User) -> SourcePhoto:
    return project_of(user).photos.get()


def kit_of(user: User) -> BrandKit:
    return BrandKit.objects.create(owner=user, name=f"Kit {uuid.uuid4()}", colours=["#A5401B"])


def pack_of(user: User) -> Pack:
    return start_pack(project_of(user)).pack


def cutout_of(user: User) -> Cutout:
    path = keeping.keep(picture_bytes(size=(12, 12)), "image/png")
    return Cutout.objects.create(owner=user, photo_digest=uuid.uuid4().hex, file=path, bytes=10)


def export_of(user: User) -> Export:
    return ask(image_of(user).project, "amazon")  # type: ignore[arg-type]


def aplus_of(user: User, project: Project | None = None) -> APlusPage:
    path = keeping.keep(picture_bytes(size=(14, 14), format="JPEG"), "image/jpeg")
    modules: list[dict[str, Any]] = [
        {
            "id": "m1",
            "type": "STANDARD_COMPANY_LOGO",
            "texts": {"companyLogo.altText": "The mark of Ember and Oak"},
            "pictures": {"companyLogo": {"path": path, "width": 14, "height": 14}},
        }
    ]
    page = APlusPage.objects.create(
        project=project or project_of(user), locale="en-US", modules=modules, status="ready"
    )
    page.name_files()
    return page
