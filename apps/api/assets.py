"""`/api/assets`: images that people bring."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.pagination import PAGE_PARAMETERS, page_of
from apps.api.serializers import CamelSerializer, Url
from apps.api.views import Endpoint, documented, read
from apps.assets.images import MAX_BYTES
from apps.assets.library import delete, resolve, store_upload
from apps.assets.models import Asset
from apps.assets.space import space_of
from apps.assets.urls import asset_url, thumbnail_url
from apps.assets.use import in_use
from apps.core.errors import Problem, not_found
from apps.studio.pictures import LOOK_SECONDS

# The picture itself may have MAX_BYTES; the rest is the form around it.
MAX_FORM_BYTES = MAX_BYTES + 1_000_000


def file_too_large() -> Problem:
    """For an upload that is not even read: what a person is told, and not what a program may send."""
    return Problem(
        413, "image_too_large", "The image is too large: a file may have 20 MB.", "Make it smaller and try again."
    )


class UploadSerializer(CamelSerializer):
    file = serializers.FileField(max_length=255, allow_empty_file=True, help_text="JPEG, PNG or WebP")


class FetchSerializer(CamelSerializer):
    url = Url()


class AssetSerializer(CamelSerializer):
    asset_id = serializers.UUIDField(source="pk")
    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    name = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    source_url = serializers.CharField(help_text="Where it was fetched from, without the query; empty: uploaded")
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="When that address last gave this picture")
    created_at = serializers.DateTimeField()

    def get_url(self, asset: Asset) -> str:
        return asset_url(asset)

    def get_thumbnailUrl(self, asset: Asset) -> str:
        return thumbnail_url(asset)


class ListedAssetSerializer(AssetSerializer):
    in_use = serializers.SerializerMethodField(help_text="A row, a workspace or a job that is not over needs it")

    def get_inUse(self, asset: Asset) -> bool:
        return asset in self.context["named"]


class AssetPageSerializer(CamelSerializer):
    results = ListedAssetSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class SpaceSerializer(CamelSerializer):
    used_bytes = serializers.IntegerField(source="used")
    limit_bytes = serializers.IntegerField(source="limit", help_text="0: no limit")
    left_bytes = serializers.IntegerField(source="left", allow_null=True, help_text="null: no limit")
    warning = serializers.CharField(help_text="What to tell a person before it is full; empty while there is room")


class Assets(Endpoint):
    parser_classes = [MultiPartParser]

    @documented(
        "The images you brought, newest first",
        answers={200: AssetPageSerializer},
        parameters=PAGE_PARAMETERS,
        shown={"results": [examples.ASSET | {"inUse": True}], "next": None},
        operation_id="assets_list",
    )
    def get(self, request: Request) -> Response:
        owner = user_of(request)
        page = page_of(Asset.objects.filter(owner=owner), request, order=("-created_at", "-id"))
        context = {"named": in_use(owner.pk)}
        return Response(page.body(lambda assets: list(ListedAssetSerializer(assets, many=True, context=context).data)))

    @documented(
        "Upload an image",
        description=(
            "multipart/form-data with one part, `file`. It is checked, turned upright and stored once. Safe to repeat "
            "without an Idempotency-Key: the same picture under the same name answers with the asset that is there."
        ),
        body={"multipart/form-data": UploadSerializer},
        answers={201: AssetSerializer},
        problems=(409,),
        shown=examples.ASSET,
        operation_id="assets_create",
    )
    def post(self, request: Request) -> Response:
        if _length(request) > MAX_FORM_BYTES:
            raise file_too_large()
        file = read(UploadSerializer, request)["file"]
        return Response(_shown(store_upload(owner=user_of(request), file=file, name=file.name)), status=201)


class FetchAsset(Endpoint):
    @documented(
        "Fetch an image from its address",
        description=(
            "Fetches it now, also when it was fetched before: that is how a picture is renewed that has changed at "
            "its address. One that is unchanged is answered with the asset that is there, one that has changed with a "
            "new one; rows that name the address get the new one from then on. Rows fetch by themselves what was last "
            "fetched more than five minutes ago. Safe to repeat without an Idempotency-Key."
        ),
        body=FetchSerializer,
        answers={201: AssetSerializer},
        problems=(409, 429),
        example={"url": "https://images.example.com/left.jpg"},
        shown=examples.ASSET,
        operation_id="assets_fetch",
    )
    def post(self, request: Request) -> Response:
        url = read(FetchSerializer, request)["url"]
        asset = resolve(owner=user_of(request), url=url, seconds=LOOK_SECONDS, again=True)
        return Response(_shown(asset), status=201)


class AssetSpace(Endpoint):
    @documented(
        "How much room your pictures take",
        description="What you brought and what was made for you. Nearly full: `warning` says so, and what to do.",
        answers={200: SpaceSerializer},
        shown={"usedBytes": 1_204_000_000, "limitBytes": 20_000_000_000, "leftBytes": 18_796_000_000, "warning": ""},
        operation_id="assets_space",
    )
    def get(self, request: Request) -> Response:
        return Response(SpaceSerializer(space_of(user_of(request))).data)


class AssetItem(Endpoint):
    @documented(
        "One asset", answers={200: AssetSerializer}, problems=(404,), shown=examples.ASSET, operation_id="assets_read"
    )
    def get(self, request: Request, asset_id: UUID) -> Response:
        return Response(_shown(_find(request, asset_id)))

    @documented(
        "Delete an asset",
        description="Its files go at once, unless another asset of the same content names them.",
        answers={204: None},
        problems=(404, 409),
        operation_id="assets_delete",
    )
    def delete(self, request: Request, asset_id: UUID) -> Response:
        asset = _find(request, asset_id)
        if asset in in_use(asset.owner_id):
            raise Problem(
                409,
                "asset_in_use",
                "A row, a workspace or a product uses this image, or a job that is not over.",
                "Replace it there or let the job end, then delete it.",
            )
        delete([asset])
        return Response(status=204)


def _find(request: Request, asset_id: UUID) -> Asset:
    asset = Asset.objects.filter(pk=asset_id, owner=user_of(request)).first()
    if asset is None:
        raise not_found("asset")
    return asset


def _shown(asset: Asset) -> Any:
    return AssetSerializer(asset).data


def _length(request: Request) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isdigit() else 0
