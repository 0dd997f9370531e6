"""Files, below /media; mounted by config/urls.py beside the API."""

from django.urls import path

from apps.api.media import Media
from apps.assets.models import Asset
from apps.studio.models import GeneratedImage

app_name = "media"
urlpatterns = [
    path(f"{kind}/<uuid:thing_id>{ending}", Media.as_view(model=model, thumbnail=bool(ending)), name=f"{kind}{ending}")
    for kind, model in (("assets", Asset), ("images", GeneratedImage))
    for ending in ("", "/thumbnail")
]
