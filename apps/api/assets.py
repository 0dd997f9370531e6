"""`/api/assets`: images that people bring."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.errors import too_large
from apps.api.presentation import thumbnail_url
from apps.api.serializers import CamelSerializer
from apps.api.views import Endpoint, documented, read
from apps.assets.library import asset_url, delete_asset, find_asset, store_upload
from apps.assets.models import Asset

# The picture itself may have 25 MB (apps.assets.images); the rest is the form around it.
MAX_FORM_BYTES = 26_000_000


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
        description="multipart/form-data with one part, `file`. It is checked, turned upright and stored once.",
        body={"multipart/form-data": UploadSerializer},
        answers={201: AssetSerializer},
        operation_id="assets_create",
    )
    def post(self, request: Request) -> Response:
        if _length(request) > MAX_FORM_BYTES:
            raise too_large("25 MB")
        file = read(UploadSerializer, request)["file"]
        return Response(_shown(store_upload(owner=request.user, file=file, name=file.name)), status=201)


class AssetItem(Endpoint):
    @documented("One asset", answers={200: AssetSerializer}, problems=(404,), operation_id="assets_read")
    def get(self, request: Request, asset_id: UUID) -> Response:
        return Response(_shown(find_asset(user=request.user, asset_id=asset_id)))

    @documented("Delete an asset", answers={204: None}, problems=(404, 409), operation_id="assets_delete")
    def delete(self, request: Request, asset_id: UUID) -> Response:
        delete_asset(find_asset(user=request.user, asset_id=asset_id))
        return Response(status=204)


def _shown(asset: Asset) -> Any:
    return AssetSerializer(asset).data


def _length(request: Request) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isdigit() else 0
