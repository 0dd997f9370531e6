"""The photographs of a product: brought, read at once, ordered, taken away. Nothing is paid before one of them is usable."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from PIL import Image, ImageFilter, ImageStat

from apps.assets.library import Readable, delete, store_upload
from apps.assets.models import Asset
from apps.assets.storage import open_file
from apps.assets.use import in_use
from apps.core.errors import Problem
from apps.listings.models import Project, SourcePhoto

MOST_PHOTOS = 6
SMALLEST_SIDE = 300  # pixels of the longer side: below, no listing image is worth paying for
ADVISED_SIDE = 1600
_LOOKED_AT = 1200


@dataclass(frozen=True)
class Seen:
    """What a photograph is like before anything is done with it."""

    longer: int
    sharp: bool
    plain_ground: bool

    def as_json(self) -> dict[str, Any]:
        return {"longer": self.longer, "sharp": self.sharp, "plainGround": self.plain_ground, "warnings": self.warnings}

    @property
    def warnings(self) -> list[str]:
        told = []
        if self.longer < ADVISED_SIDE:
            told.append(
                f"Small: details above {self.longer} px are made up by enlarging. A photo of 2000 px or more is better."
            )
        if not self.sharp:
            told.append("It looks blurred. A sharper photo gives better images.")
        return told


def add_photo(project: Project, *, file: Readable, name: str) -> SourcePhoto:
    """Stores and reads it. Problem 422 `photo_unusable` when it is too small; of the picture itself as `store_upload`."""
    if SourcePhoto.objects.filter(project=project).count() >= MOST_PHOTOS:
        raise Problem(
            409, "too_many_photos", f"A project has at most {MOST_PHOTOS} photos.", "Take one away, then add this one."
        )
    asset = store_upload(owner=project.owner, file=file, name=name)
    seen = seen_in(asset)
    if seen.longer < SMALLEST_SIDE:
        raise Problem(
            422,
            "photo_unusable",
            f"The photo is too small: its longer side has {seen.longer} px, and {SMALLEST_SIDE} are needed.",
            "Choose a larger one; 2000 px or more is best.",
        )
    with transaction.atomic():
        place = SourcePhoto.objects.filter(project=project).count()
        photo, _ = SourcePhoto.objects.get_or_create(
            project=project, asset=asset, defaults={"report": seen.as_json(), "position": place}
        )
    return photo


def remove_photo(photo: SourcePhoto) -> None:
    """Images made from it stay; the picture goes when nothing else needs it, in whatever product."""
    asset = photo.asset
    photo.delete()
    if asset not in in_use(asset.owner_id):
        delete([asset])


def seen_in(asset: Asset) -> Seen:
    """Read at a smaller size, which decodes in a moment: a request waits for it."""
    with open_file(str(asset.file)) as file, Image.open(file) as opened:
        opened.draft("RGB", (_LOOKED_AT, _LOOKED_AT))
        small = opened.convert("RGB")
    small.thumbnail((_LOOKED_AT, _LOOKED_AT))
    edges = small.convert("L").filter(ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 4, -1, 0, -1, 0), scale=1, offset=128))
    counts = edges.histogram()
    strong = sum(count for level, count in enumerate(counts) if abs(level - 128) > 20)
    return Seen(max(asset.width, asset.height), strong > 0.001 * sum(counts), _has_plain_rim(small))


def _has_plain_rim(picture: Image.Image) -> bool:
    """A first guess, for the page; the worker judges by the pixels themselves (imaging/matte.py)."""
    tiny = picture.resize((64, 64), Image.Resampling.BOX)
    rims = [tiny.crop(box) for box in ((0, 0, 64, 4), (0, 60, 64, 64), (0, 0, 4, 64), (60, 0, 64, 64))]
    told = [ImageStat.Stat(rim) for rim in rims]
    means = [[stat.mean[channel] for stat in told] for channel in range(3)]
    return max(max(each) - min(each) for each in means) < 14 and max(max(stat.stddev) for stat in told) < 8


def first_photo(project: Project) -> SourcePhoto | None:
    """The one that images are made from: the seller's first."""
    return SourcePhoto.objects.filter(project=project).select_related("asset").first()


def require_photo(project: Project) -> SourcePhoto:
    photo = first_photo(project)
    if photo is None:
        raise Problem(422, "photo_missing", "The project has no photo of the product.", "Add one, then start.")
    return photo
