"""Files of Listings, kept by their content, and versions of images named in the database."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Max

from apps.assets import storage
from apps.listings.models import ImageOrder, ListingImage, Project, Slot

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
FOLDER = "images"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def keep(data: bytes, content_type: str) -> str:
    """The path under which the file is found again: the same content has the same. Problem 503 as of storage.write_once."""
    path = storage.content_path(FOLDER, digest_of(data), SUFFIXES.get(content_type, ".png"))
    storage.write_once(path, data)
    return path


def read(path: str) -> bytes:
    """FileNotFoundError when the disk has lost it."""
    with storage.open_file(path) as file:
        return file.read()


@dataclass(frozen=True)
class Made:
    """A finished image as files, and all that is told of it. `document` is in its own metadata too."""

    jpeg: bytes
    thumbnail: bytes
    size: tuple[int, int]
    source_type: str
    document: uuid.UUID
    plan: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    drift: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    original: str = ""
    cost_usd: Decimal | None = None
    simulated: bool = False


def write(made: Made) -> tuple[str, str]:
    """The paths of the image and its thumbnail; before any row names them."""
    return keep(made.jpeg, "image/jpeg"), keep_thumbnail(made.thumbnail)


def keep_thumbnail(data: bytes) -> str:
    path = storage.content_path("thumbnails", digest_of(data), ".webp")
    storage.write_once(path, data)
    return path


def add_version(
    project: Project,
    made: Made,
    paths: tuple[str, str],
    *,
    image_type: str,
    style: str,
    order: ImageOrder | None = None,
    made_by: str = "",
    parent: ListingImage | None = None,
    late: bool = False,
) -> ListingImage:
    """A new version, and unless it is late the one that counts. In the caller's transaction, which holds the project."""
    newest = ListingImage.objects.filter(project=project, image_type=image_type).aggregate(n=Max("number"))["n"] or 0
    image = ListingImage.objects.create(
        id=made.document,
        owner_id=project.owner_id,
        project=project,
        pack=order.pack if order else (parent.pack if parent else None),
        job_id=order.job_id if order else None,
        image_type=image_type,
        style=style,
        number=newest + 1,
        file=paths[0],
        thumbnail=paths[1],
        original=made.original,
        digest=digest_of(made.jpeg),
        width=made.size[0],
        height=made.size[1],
        bytes=len(made.jpeg),
        made_by=made_by or (order.made_by if order else "fix"),
        parent=parent,
        plan=dict(made.plan),
        report=dict(made.report),
        drift=dict(made.drift),
        provenance=dict(made.provenance),
        source_type=made.source_type,
        cost_usd=made.cost_usd,
        simulated=made.simulated,
        late=late,
    )
    if not late:
        choose(image)
    return image


def choose(image: ListingImage) -> None:
    """This version counts from now on; the others stay."""
    if image.project_id:
        Slot.objects.update_or_create(
            project_id=image.project_id, image_type=image.image_type, defaults={"chosen": image}
        )


def is_simulated(*providers: str) -> bool:
    return any(provider in settings.SIMULATED for provider in providers)
