"""`/api/projects`: products to be sold, their facts and photographs."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.assets import MAX_FORM_BYTES, UploadSerializer, file_too_large
from apps.api.authentication import user_of
from apps.api.idempotency import in_one_transaction
from apps.api.listings import examples
from apps.api.listings.shapes import (
    CutoutRequestSerializer,
    FactShownSerializer,
    FactsSerializer,
    KitSerializer,
    KitShownSerializer,
    NewProjectSerializer,
    PhotoSerializer,
    ProjectPageSerializer,
    ProjectSerializer,
    ProjectSettingsSerializer,
)
from apps.api.pagination import PAGE_PARAMETERS, page_of
from apps.api.serializers import CamelSerializer
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.listings import cutouts
from apps.listings.facts import set_facts
from apps.listings.models import BrandKit, Project
from apps.listings.owned import find_kit, find_photo, find_project
from apps.listings.packs import PRIORITY, finish_what_facts_allow
from apps.listings.photos import add_photo, remove_photo, require_photo
from apps.listings.projects import create_project, delete_project, save_kit, update_project
from apps.listings.standing import stand_of, stands_of


class FactListSerializer(CamelSerializer):
    """`started`: jobs of images that waited for facts which are there now."""

    facts = FactShownSerializer(many=True)
    started = serializers.ListField(child=serializers.UUIDField())


class CutoutAnswerSerializer(CamelSerializer):
    """`jobId` null: it is there already, and cost nothing."""

    job_id = serializers.UUIDField(allow_null=True)
    method = serializers.ChoiceField(choices=["removebg", "quick", "upload"])


class KitPageSerializer(CamelSerializer):
    results = KitShownSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class Projects(Endpoint):
    @documented(
        "Your products, newest first",
        answers={200: ProjectPageSerializer},
        parameters=PAGE_PARAMETERS,
        shown={"results": [examples.PROJECT], "next": None},
        operation_id="projects_list",
    )
    def get(self, request: Request) -> Response:
        page = page_of(Project.objects.filter(owner=user_of(request)), request, order=("-created_at", "-id"))
        return Response(page.body(_all_shown))

    @documented(
        "Make a product",
        body=NewProjectSerializer,
        answers={201: ProjectSerializer},
        problems=(404, 409),
        parameters=[IDEMPOTENCY_KEY],
        example=examples.NEW_PROJECT,
        shown=examples.PROJECT,
        operation_id="projects_create",
    )
    @in_one_transaction
    def post(self, request: Request) -> Response:
        made = create_project(user=user_of(request), **read(NewProjectSerializer, request))
        return Response(_shown(made), status=201)


class ProjectItem(Endpoint):
    @documented(
        "One product with its six images",
        answers={200: ProjectSerializer},
        problems=(404,),
        shown=examples.PROJECT,
        operation_id="projects_read",
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        return Response(_shown(find_project(user_of(request), project_id)))

    @documented(
        "Change a product",
        body=ProjectSettingsSerializer,
        answers={200: ProjectSerializer},
        problems=(404,),
        example={"style": "minimal"},
        shown=examples.PROJECT,
        operation_id="projects_change",
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        given = read(ProjectSettingsSerializer, request)
        changed = update_project(project, user=user_of(request), **given)
        if "compare_with" in given:
            finish_what_facts_allow(changed)
        return Response(_shown(changed))

    @documented(
        "Delete a product with its images",
        description="Jobs that wait or run are cancelled.",
        answers={204: None},
        problems=(404,),
        operation_id="projects_delete",
    )
    def delete(self, request: Request, project_id: UUID) -> Response:
        delete_project(user=user_of(request), project_id=project_id)
        return Response(status=204)


class ProjectFacts(Endpoint):
    @documented(
        "Set all facts of a product",
        description="In this order. Images that waited for one of them are made now; those are drawn by us and cost nothing.",
        body=FactsSerializer,
        answers={200: FactListSerializer},
        problems=(404,),
        example={"facts": [{"label": "Volume", "value": "80 ml"}, {"key": "height", "value": "7 cm"}]},
        shown={"facts": [examples.FACT], "started": []},
        operation_id="projects_facts",
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        set_facts(project, read(FactsSerializer, request)["facts"])
        started = finish_what_facts_allow(project)
        told = {"facts": list(project.facts.all()), "started": [job.uid for job in started]}
        return Response(FactListSerializer(told).data)


class Photos(Endpoint):
    parser_classes = [MultiPartParser]

    @documented(
        "Bring a photograph of the product",
        description="multipart/form-data with one part, `file`. Read at once: `warnings` say what to know before money is spent.",
        body={"multipart/form-data": UploadSerializer},
        answers={201: PhotoSerializer},
        problems=(404, 409),
        shown=examples.PHOTO,
        operation_id="projects_photos_add",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FORM_BYTES:
            raise file_too_large()
        file = read(UploadSerializer, request)["file"]
        return Response(PhotoSerializer(add_photo(project, file=file, name=file.name)).data, status=201)


class PhotoItem(Endpoint):
    @documented(
        "Take a photograph away",
        description="Images that were made from it stay.",
        answers={204: None},
        problems=(404,),
        operation_id="projects_photos_remove",
    )
    def delete(self, request: Request, project_id: UUID, photo_id: UUID) -> Response:
        remove_photo(find_photo(find_project(user_of(request), project_id), photo_id))
        return Response(status=204)


class ProjectCutout(Endpoint):
    @documented(
        "Cut the product out",
        description="A pack does this by itself. `quick` is our own way, free, for plain grounds only.",
        body=CutoutRequestSerializer,
        answers={202: CutoutAnswerSerializer},
        problems=(404, 429),
        example={"method": "quick"},
        shown={"jobId": examples.JOB_ID, "method": "quick"},
        operation_id="projects_cutout",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        asked = read(CutoutRequestSerializer, request)
        photo = find_photo(project, asked["photo_id"]) if "photo_id" in asked else require_photo(project)
        job = cutouts.make_alone(
            project, photo, method=asked["method"], anew=asked.get("force", False), priority=PRIORITY
        )
        told = {"job_id": job.uid if job else None, "method": asked["method"]}
        return Response(CutoutAnswerSerializer(told).data, status=202)


class CutoutFile(Endpoint):
    parser_classes = [MultiPartParser]

    @documented(
        "Bring a cut-out of your own",
        description="A PNG or WebP of the product in its photograph's frame, its ground transparent. It is used from now on.",
        body={"multipart/form-data": UploadSerializer},
        answers={201: CutoutAnswerSerializer},
        problems=(404,),
        shown={"jobId": None, "method": "upload"},
        operation_id="projects_cutout_bring",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FORM_BYTES:
            raise file_too_large()
        cutouts.bring(project, require_photo(project), file=read(UploadSerializer, request)["file"])
        return Response(CutoutAnswerSerializer({"job_id": None, "method": "upload"}).data, status=201)


class BrandKits(Endpoint):
    @documented(
        "Your brand kits",
        answers={200: KitPageSerializer},
        parameters=PAGE_PARAMETERS,
        shown={"results": [examples.KIT], "next": None},
        operation_id="brand_kits_list",
    )
    def get(self, request: Request) -> Response:
        page = page_of(BrandKit.objects.filter(owner=user_of(request)), request, order=("-created_at", "-id"))
        return Response(page.body(lambda kits: list(KitShownSerializer(kits, many=True).data)))

    @documented(
        "Make a brand kit",
        body=KitSerializer,
        answers={201: KitShownSerializer},
        problems=(409,),
        parameters=[IDEMPOTENCY_KEY],
        example={"name": "Ember & Oak", "colours": ["#A5401B", "#F4EFE6"]},
        shown=examples.KIT,
        operation_id="brand_kits_create",
    )
    @in_one_transaction
    def post(self, request: Request) -> Response:
        kit = save_kit(BrandKit(), user=user_of(request), **{"name": "Brand kit"} | read(KitSerializer, request))
        return Response(KitShownSerializer(kit).data, status=201)


class BrandKitItem(Endpoint):
    @documented(
        "Change a brand kit",
        body=KitSerializer,
        answers={200: KitShownSerializer},
        problems=(404, 409),
        example={"colours": ["#103F5C"]},
        shown=examples.KIT,
        operation_id="brand_kits_change",
    )
    def patch(self, request: Request, kit_id: UUID) -> Response:
        user = user_of(request)
        kit = save_kit(find_kit(user, kit_id), user=user, **read(KitSerializer, request))
        return Response(KitShownSerializer(kit).data)

    @documented("Delete a brand kit", answers={204: None}, problems=(404,), operation_id="brand_kits_delete")
    def delete(self, request: Request, kit_id: UUID) -> Response:
        find_kit(user_of(request), kit_id).delete()
        return Response(status=204)


def _shown(project: Project) -> Any:
    return ProjectSerializer(stand_of(project)).data


def _all_shown(projects: list[Project]) -> Any:
    return ProjectSerializer(stands_of(projects), many=True).data
