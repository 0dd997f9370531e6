"""Files, below /media; mounted by config/urls.py beside the API."""

from django.urls import path

from apps.api.media import Media
from apps.assets.models import Asset
from apps.listings.models import Cutout, ListingImage
from apps.studio.models import GeneratedImage

app_name = "media"
KINDS = {"assets": Asset, "images": GeneratedImage, "listing-images": ListingImage}
urlpatterns = [
    path("cutouts/<uuid:thing_id>", Media.as_view(model=Cutout), name="cutouts"),
    *(
        path(
            f"{kind}/<uuid:thing_id>{ending}",
            Media.as_view(model=model, thumbnail=bool(ending)),
            name=f"{kind}{ending}",
        )
        for kind, model in KINDS.items()
        for ending in ("", "/thumbnail")
    ),
]
