"""`/api/projects/{id}/exports`: the chosen images as one ZIP for a marketplace."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import user_of
from apps.api.listings import examples
from apps.api.listings.packs import PLATFORM, platform_of
from apps.api.serializers import CamelSerializer, YesOrNo
from apps.api.views import Endpoint, documented, read
from apps.listings.export.service import ask, file_of, find_export
from apps.listings.models import Export
from apps.listings.owned import find_project
from apps.listings.rules.presets import PRESETS

ZIP = OpenApiResponse(OpenApiTypes.BINARY, description="The archive")


class ExportRequestSerializer(CamelSerializer):
    platform = serializers.ChoiceField(choices=list(PRESETS))
    with_words = YesOrNo(required=False, help_text="Also images with text, where the marketplace forbids it")


class ExportSerializer(CamelSerializer):
    """`making`: images are being brought to the marketplace's size; ask for it again. The same bytes each time."""

    export_id = serializers.UUIDField(source="pk")
    platform = serializers.ChoiceField(choices=list(PRESETS))
    status = serializers.ChoiceField(choices=["making", "ready", "failed"])
    file_url = serializers.SerializerMethodField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField(source="digest", help_text="Of the names, sums and lengths of what is inside")
    warnings = serializers.SerializerMethodField()
    left_out = serializers.SerializerMethodField(help_text="Images that do not go there, and why")
    created_at = serializers.DateTimeField()

    def get_fileUrl(self, export: Export) -> str:
        return f"/api/projects/{export.project_id}/exports/{export.pk}/file"

    def get_warnings(self, export: Export) -> list[str]:
        return list(export.frozen.get("warnings", []))

    def get_leftOut(self, export: Export) -> list[str]:
        return list(export.frozen.get("leftOut", []))


class Exports(Endpoint):
    @documented(
        "Export a product's images",
        description="Freezes the versions that count now. Repeated, it answers with the export that is there.",
        body=ExportRequestSerializer,
        answers={201: ExportSerializer},
        problems=(404, 409),
        example={"platform": "amazon"},
        shown=examples.EXPORT,
        operation_id="exports_create",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        asked = read(ExportRequestSerializer, request)
        export = ask(project, asked["platform"], with_words=asked.get("with_words", False))
        return Response(_shown(export), status=201)


class ExportItem(Endpoint):
    @documented(
        "One export",
        answers={200: ExportSerializer},
        problems=(404,),
        shown=examples.EXPORT,
        operation_id="exports_read",
    )
    def get(self, request: Request, project_id: UUID, export_id: UUID) -> Response:
        return Response(_shown(find_export(user_of(request), project_id, export_id)))


class ExportFile(Endpoint):
    @documented(
        "The archive of an export",
        answers={(200, "application/zip"): ZIP},  # type: ignore[dict-item]
        problems=(404, 409),
        operation_id="exports_file",
    )
    def get(self, request: Request, project_id: UUID, export_id: UUID) -> HttpResponseBase:
        return file_of(find_export(user_of(request), project_id, export_id))


class ExportNow(Endpoint):
    @documented(
        "The archive of what counts now",
        description="409 `export_not_ready` while images are brought to the marketplace's size: ask again in a moment.",
        answers={(200, "application/zip"): ZIP},  # type: ignore[dict-item]
        problems=(404, 409),
        parameters=[PLATFORM],
        operation_id="projects_export",
    )
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        return file_of(ask(find_project(user_of(request), project_id), platform_of(request)))


def _shown(export: Export) -> Any:
    return ExportSerializer(export).data
