"""`/api/process-…`: packs and single images; what they cost before, and how the images stand to a marketplace's rules."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import urgent_allowed, user_of
from apps.api.idempotency import Claim, Within, keyed
from apps.api.jobs.jobs import CancelledSerializer
from apps.api.jobs.priorities import PRIORITY
from apps.api.listings import examples
from apps.api.listings.shapes import IMAGE_TYPES, ListingImageSerializer
from apps.api.money import BudgetSerializer
from apps.api.query import query_invalid
from apps.api.serializers import CamelSerializer, Id, Money, Text, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.services import allow_priority, cancel_job
from apps.listings import keeping
from apps.listings.models import ImageOrder, ImageType, ListingImage, Pack, Style
from apps.listings.owned import find_listing_image, find_pack, find_project
from apps.listings.packs import children_of, make_image, start_pack
from apps.listings.quotes import pack_quote
from apps.listings.reports import report_of
from apps.listings.rules.presets import PRESETS
from apps.listings.standing import stand_of


class ProcessImageSerializer(CamelSerializer):
    project_id = Id()
    image_type = serializers.ChoiceField(choices=IMAGE_TYPES)
    style = serializers.ChoiceField(choices=Style.values, required=False)  # type: ignore[assignment]
    scene = Text(max_length=500, required=False, allow_blank=True, help_text="Your wish for a painted scene")
    force = YesOrNo(required=False, help_text="Paint it anew although the same was painted before; it is paid again")
    priority = PRIORITY()


class ProcessPackSerializer(CamelSerializer):
    project_id = Id()
    style = serializers.ChoiceField(choices=Style.values, required=False)  # type: ignore[assignment]
    only_missing = YesOrNo(required=False, help_text="Go on with the newest pack: only what is missing is made")
    priority = PRIORITY()


class ImageStartedSerializer(CamelSerializer):
    job_id = serializers.UUIDField()
    status_url = serializers.CharField()


class ChildSerializer(CamelSerializer):
    """`jobId` null: it waits for facts, and costs nothing until then."""

    image_type = serializers.ChoiceField(choices=IMAGE_TYPES)
    job_id = serializers.UUIDField(allow_null=True)
    missing_facts = serializers.ListField(child=serializers.CharField())


class PackStartedSerializer(CamelSerializer):
    job_id = serializers.UUIDField()
    pack_id = serializers.UUIDField()
    existing = serializers.BooleanField(help_text="It was open already: nothing was started")
    children = ChildSerializer(many=True)


class PackQuoteRequestSerializer(CamelSerializer):
    image_types = serializers.ListField(
        child=serializers.ChoiceField(choices=IMAGE_TYPES), required=False, help_text="Left out: all six"
    )


class ListingQuoteItemSerializer(CamelSerializer):
    what = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    count = serializers.IntegerField()
    each = Money(source="each.amount", allow_null=True)
    total = Money()


class PackQuoteSerializer(CamelSerializer):
    """What will be paid; `reused` is paid already; `missingFacts` names what images wait for."""

    total = Money(source="money.total")
    items = ListingQuoteItemSerializer(many=True, source="money.items")
    budgets = BudgetSerializer(many=True, source="money.budgets")
    short = BudgetSerializer(allow_null=True, source="money.short")
    reused = serializers.ListField(child=serializers.CharField())
    missing_facts = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), source="lacking")


class ImagesSerializer(CamelSerializer):
    results = ListingImageSerializer(many=True)


class RuleSerializer(CamelSerializer):
    rule = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["pass", "fail", "warn", "unknown"])
    measured = serializers.CharField()
    limit = serializers.CharField()
    said = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    where = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class ImageReportSerializer(CamelSerializer):
    image_id = serializers.UUIDField()
    image_type = serializers.ChoiceField(choices=IMAGE_TYPES)
    rules = RuleSerializer(many=True)


class ComplianceSerializer(CamelSerializer):
    """Rules as dated tables: `presetVersion` names the one that the images were judged by."""

    platform = serializers.ChoiceField(choices=list(PRESETS))
    preset_version = serializers.CharField()
    read_on = serializers.DateField()
    sources = serializers.ListField(child=serializers.CharField())
    images = ImageReportSerializer(many=True)


PLATFORM = OpenApiParameter("platform", {"type": "string", "enum": list(PRESETS), "default": "amazon"})


class ProcessImage(Endpoint):
    @documented(
        "Make one image",
        description="The others keep what they have; earlier versions are kept. One that is under way is answered with.",
        body=ProcessImageSerializer,
        answers={202: ImageStartedSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={"projectId": examples.PROJECT_ID, "imageType": "LIFESTYLE"},
        shown={"jobId": examples.JOB_ID, "statusUrl": f"https://pressroom.example.com/api/jobs/{examples.JOB_ID}"},
        operation_id="process_image",
    )
    @keyed
    def post(self, request: Request, claim: Claim) -> Response:
        asked, user = read(ProcessImageSerializer, request), user_of(request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        project = find_project(user, asked["project_id"])

        def make(within: Within) -> None:
            job = make_image(
                project,
                asked["image_type"],
                style=asked.get("style", ""),
                scene=asked.get("scene", ""),
                anew=asked.get("force", False),
                priority=asked["priority"],
                within=within,
            )
            within([job.pk])

        return claim.answer_about_jobs(make, lambda made: _image_started(request, made[0]), status=202)


class ProcessPack(Endpoint):
    @documented(
        "Make a complete pack of six images",
        description=(
            "One parent job and a child for each image. What lacks facts is not started and costs nothing. "
            "While a pack of the product is open, this answers with that one. `onlyMissing` resumes."
        ),
        body=ProcessPackSerializer,
        answers={202: PackStartedSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={"projectId": examples.PROJECT_ID, "style": "premium"},
        shown=examples.PACK_STARTED,
        operation_id="process_complete_pack",
    )
    @keyed
    def post(self, request: Request, claim: Claim) -> Response:
        asked, user = read(ProcessPackSerializer, request), user_of(request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        project = find_project(user, asked["project_id"])
        existing = False

        def make(within: Within) -> None:
            nonlocal existing
            started = start_pack(
                project,
                style=asked.get("style", ""),
                only_missing=asked.get("only_missing", False),
                priority=asked["priority"],
                within=within,
            )
            existing = started.existing
            if existing:
                with transaction.atomic():
                    within([started.pack.job_id or 0])

        return claim.answer_about_jobs(make, lambda made: _pack_started(made[0], existing=existing), status=202)


class CancelPack(Endpoint):
    @documented(
        "Cancel a pack",
        description="Images that are there stay. 409 when it is over.",
        answers={200: CancelledSerializer},
        problems=(404, 409),
        shown={"jobId": examples.JOB_ID, "state": "cancelled"},
        operation_id="packs_cancel",
    )
    def post(self, request: Request, project_id: UUID, pack_id: UUID) -> Response:
        user = user_of(request)
        pack = find_pack(find_project(user, project_id), pack_id)
        if pack.job is None:
            raise Problem(409, "already_finished", "The pack is over, and its job was pruned.", "Nothing to do.")
        outcome = cancel_job(user=user, uid=pack.job.uid)
        return Response({"jobId": pack.job.uid, "state": outcome.state})


class ProjectQuote(Endpoint):
    @documented(
        "What a pack would cost",
        description="Nothing is queued or set aside.",
        body=PackQuoteRequestSerializer,
        answers={200: PackQuoteSerializer},
        problems=(404,),
        example={"imageTypes": ["MAIN_IMAGE", "LIFESTYLE"]},
        shown=examples.PACK_QUOTE,
        operation_id="projects_quote",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        asked = read(PackQuoteRequestSerializer, request)
        return Response(PackQuoteSerializer(pack_quote(project, asked.get("image_types") or ImageType.values)).data)


class ProjectImages(Endpoint):
    @documented(
        "All versions of a product's images, newest first",
        answers={200: ImagesSerializer},
        problems=(404,),
        parameters=[OpenApiParameter("imageType", {"type": "string", "enum": ImageType.values})],
        shown={"results": [examples.IMAGE]},
        operation_id="projects_images",
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        images = ListingImage.objects.filter(project=project, late=False).order_by("image_type", "-number")
        kind = request.query_params.get("imageType")
        if kind:
            if kind not in ImageType.values:
                raise query_invalid(
                    "There is no image type of this name.", f"Use one of {', '.join(ImageType.values)}."
                )
            images = images.filter(image_type=kind)
        return Response({"results": ListingImageSerializer(images[:500], many=True).data})


class ChooseImage(Endpoint):
    @documented(
        "Let this version of an image count",
        description="Undo of a fix or a redo: choose the version before it. Nothing is overwritten.",
        answers={200: ListingImageSerializer},
        problems=(404,),
        shown=examples.IMAGE,
        operation_id="images_choose",
    )
    def post(self, request: Request, project_id: UUID, image_id: UUID) -> Response:
        image = find_listing_image(find_project(user_of(request), project_id), image_id)
        keeping.choose(image)
        return Response(ListingImageSerializer(image).data)


class Compliance(Endpoint):
    @documented(
        "How the chosen images stand to a marketplace's rules",
        description="Measured from their bytes. `unknown` is what cannot be measured: it is never a pass.",
        answers={200: ComplianceSerializer},
        problems=(404,),
        parameters=[PLATFORM],
        shown=examples.COMPLIANCE,
        operation_id="projects_compliance",
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        preset = PRESETS[platform_of(request)]
        images = [slot.chosen for slot in stand_of(project).slots if slot.chosen]
        told = {
            "platform": preset.platform,
            "preset_version": preset.version,
            "read_on": preset.read_on,
            "sources": preset.sources,
            "images": [
                {"image_id": image.pk, "image_type": image.image_type, "rules": report_of(image, preset)["rules"]}
                for image in images
            ],
        }
        return Response(ComplianceSerializer(told).data)


def platform_of(request: Request) -> str:
    platform = request.query_params.get("platform", "amazon")
    if platform not in PRESETS:
        raise query_invalid("There is no platform of this name.", f"Use one of {', '.join(PRESETS)}.")
    return platform


def _image_started(request: Request, job_id: int) -> dict[str, Any]:
    job = Job.objects.get(pk=job_id)
    return {"jobId": job.uid, "statusUrl": request.build_absolute_uri(f"/api/jobs/{job.uid}")}


def _pack_started(parent_id: int, *, existing: bool) -> Any:
    job = Job.objects.get(pk=parent_id)
    pack = Pack.objects.filter(job=job).first() or ImageOrder.objects.filter(job__parent=job).first().pack  # type: ignore[union-attr]
    assert pack is not None
    jobs = children_of(pack)
    children = [
        {
            "image_type": each,
            "job_id": jobs[each].uid if each in jobs else None,
            "missing_facts": pack.lacking.get(each, []),
        }
        for each in ImageType.values
    ]
    told = {"job_id": job.uid, "pack_id": pack.pk, "existing": existing, "children": children}
    return PackStartedSerializer(told).data
