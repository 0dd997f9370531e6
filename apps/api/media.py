"""`/media/…`: files from our own storage, for their owner and staff. Nothing under it is public."""

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.api.permissions import OwnerOrNothing
from apps.api.views import Endpoint
from apps.assets.models import Asset
from apps.assets.storage import content_type, open_file
from apps.core.errors import not_found
from apps.listings.models import Cutout, ListingImage
from apps.studio.models import GeneratedImage

# The browser may keep it and asks each time: the next person at it sees nothing after a sign-out. 304 costs no file.
ASK_FIRST = "private, no-cache"
Stored = Asset | Cutout | GeneratedImage | ListingImage


@extend_schema(exclude=True)
class Media(Endpoint):
    """The file of `model` with this id, or its thumbnail; `?download=1` saves it under a name."""

    permission_classes = [OwnerOrNothing]
    model: type[Stored] = Asset
    thumbnail = False

    def get(self, request: Request, thing_id: UUID) -> HttpResponseBase:
        thing = self._find(request, thing_id)
        path = (thing.thumbnail if self.thumbnail else thing.file).name
        etag = f'"{PurePosixPath(path).stem}"'  # the name of a file is made of its content
        unchanged = get_conditional_response(request._request, etag=etag)
        response = unchanged or self._file(request, thing, path)
        response["ETag"] = etag
        response["Cache-Control"] = ASK_FIRST
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    def _file(self, request: Request, thing: Any, path: str) -> FileResponse:
        # What our own reader could not open is for the disk, not for the browser.
        raw = not self.thumbnail and bool(getattr(thing, "unreadable", ""))
        return FileResponse(
            _opened(path),
            content_type="application/octet-stream" if raw else content_type(path),
            as_attachment=raw or request.query_params.get("download") == "1",
            filename=_name(thing, path),
        )

    def _find(self, request: Request, thing_id: UUID) -> Any:
        things = self.model._default_manager.filter(pk=thing_id)
        if not (request.user.is_authenticated and request.user.is_staff):
            things = things.filter(owner_id=request.user.pk)
        thing = things.first()
        if thing is None:
            raise not_found("image")
        return thing


def _opened(path: str) -> Any:
    if not path:  # a cut-out that is being made
        raise not_found("image")
    try:
        return open_file(path)
    except FileNotFoundError as error:
        raise not_found("image") from error


def _name(thing: Any, path: str) -> str:
    """What it was called when it came, with the ending of what is stored."""
    base = getattr(thing, "name", "").rsplit(".", 1)[0] or f"pressroom-{str(thing.pk)[:8]}"
    return f"{base}.{path.rpartition('.')[2]}"
