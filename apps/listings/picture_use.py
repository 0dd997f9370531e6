"""Which of a person's pictures Listings needs: photographs of products, logos, and those that are being cut out."""

from dataclasses import dataclass
from uuid import UUID

from apps.assets.models import Asset
from apps.jobs.states import LIVE
from apps.listings.models import BrandKit, Cutout, SourcePhoto


@dataclass(frozen=True)
class Named:
    ids: frozenset[UUID]

    def __contains__(self, asset: Asset) -> bool:
        return asset.pk in self.ids


def named_by(owner_id: int) -> Named:
    photos = SourcePhoto.objects.filter(project__owner=owner_id).values_list("asset_id", flat=True)
    logos = BrandKit.objects.filter(owner=owner_id, logo__isnull=False).values_list("logo_id", flat=True)
    cutting = Cutout.objects.filter(owner=owner_id, job__status__in=LIVE, photo__isnull=False)
    return Named(frozenset([*photos, *logos, *cutting.values_list("photo_id", flat=True)]))
