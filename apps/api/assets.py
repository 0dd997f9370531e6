"""`/api/assets`: images that people bring."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.errors import too_large
from apps.api.serializers import CamelSerializer
from apps.api.views import Endpoint, documented, read
from apps.assets.images import MAX_BYTES
from apps.assets.library import store_upload
from apps.assets.models import Asset
from apps.assets.urls import asset_url, thumbnail_url
from apps.core.errors import Problem, not_found
from apps.studio.models import Row, Workspace

# The picture itself may have MAX_BYTES; the rest is the form around it.
MAX_FORM_BYTES = MAX_BYTES + 1_000_000


class UploadSerializer(CamelSerializer):
    file = serializers.FileField(max_length=255, help_text="JPEG, PNG or WebP")


class AssetSerializer(CamelSerializer):
    asset_id = serializers.UUIDField(source="pk")
    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    name = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    def get_url(self, asset: Asset) -> str:
        return asset_url(asset)

    def get_thumbnailUrl(self, asset: Asset) -> str:
        return thumbnail_url(asset)


class Assets(Endpoint):
    parser_classes = [MultiPartParser]

    @documented(
        "Upload an image",
        description=(
            "multipart/form-data with one part, `file`. It is checked, turned upright and stored once. Safe to repeat "
            "without an Idempotency-Key: the same picture under the same name answers with the asset that is there."
        ),
        body={"multipart/form-data": UploadSerializer},
        answers={201: AssetSerializer},
        shown=examples.ASSET,
        operation_id="assets_create",
    )
    def post(self, request: Request) -> Response:
        if _length(request) > MAX_FORM_BYTES:
            raise too_large("20 MB")
        file = read(UploadSerializer, request)["file"]
        return Response(_shown(store_upload(owner=user_of(request), file=file, name=file.name)), status=201)


class AssetItem(Endpoint):
    @documented(
        "One asset", answers={200: AssetSerializer}, problems=(404,), shown=examples.ASSET, operation_id="assets_read"
    )
    def get(self, request: Request, asset_id: UUID) -> Response:
        return Response(_shown(_find(request, asset_id)))

    @documented("Delete an asset", answers={204: None}, problems=(404, 409), operation_id="assets_delete")
    def delete(self, request: Request, asset_id: UUID) -> Response:
        asset = _find(request, asset_id)
        if _in_use(asset):
            raise Problem(
                409,
                "asset_in_use",
                "A row or workspace uses this image.",
                "Replace it there first, then delete it.",
            )
        asset.delete()  # its file may be the content of another asset too, so it stays
        return Response(status=204)


def _find(request: Request, asset_id: UUID) -> Asset:
    asset = Asset.objects.filter(pk=asset_id, owner=user_of(request)).first()
    if asset is None:
        raise not_found("asset")
    return asset


def _in_use(asset: Asset) -> bool:
    url = asset_url(asset)
    rows = Row.objects.filter(workspace__owner=asset.owner_id)
    return (
        rows.filter(Q(target_url=url) | Q(ref_urls__contains=[url])).exists()
        or Workspace.objects.filter(owner=asset.owner_id, default_ref_urls__contains=[url]).exists()
    )


def _shown(asset: Asset) -> Any:
    return AssetSerializer(asset).data


def _length(request: Request) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isdigit() else 0
