"""`/api/process-aplus` and `/api/projects/{id}/aplus`: A+ pages, written from facts, edited, checked."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import urgent_allowed, user_of
from apps.api.idempotency import Claim, Within, keyed
from apps.api.jobs.priorities import PRIORITY
from apps.api.listings import examples
from apps.api.serializers import CamelSerializer, Facts, Id, Text, WholeNumber, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.services import allow_priority
from apps.listings.aplus.checking import checked
from apps.listings.aplus.making import clean, find_page, process, save_page
from apps.listings.aplus.modules import MODULES, MOST_MODULES
from apps.listings.models import APlusPage
from apps.listings.owned import find_project

KINDS = tuple(MODULES)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The revision that was read, as its ETag", required=False
)


class ProcessAPlusSerializer(CamelSerializer):
    project_id = Id()
    generate_images = YesOrNo(required=False, help_text="Paint a scene of its own for the header; it is paid")
    is_premium = YesOrNo(required=False, help_text="Premium modules: not confirmed by a public schema of Amazon's")
    locale = Text(max_length=12, required=False, help_text="Left out: the product's")
    priority = PRIORITY()


class APlusStartedSerializer(CamelSerializer):
    job_id = serializers.UUIDField()
    aplus_id = serializers.UUIDField()
    status_url = serializers.CharField()


class ModuleSerializer(CamelSerializer):
    """`texts`: field → text, or a list of lines. `pictures`: slot → where it lies. Tables have `rows` or `columns`."""

    id = Text(max_length=20, required=False)
    type = serializers.ChoiceField(choices=KINDS)
    texts = serializers.DictField(required=False, child=serializers.JSONField())
    pictures = serializers.DictField(required=False, child=serializers.JSONField())
    options = serializers.DictField(required=False, child=serializers.CharField(max_length=20))
    rows = serializers.ListField(required=False, child=serializers.JSONField(), max_length=16)
    columns = serializers.ListField(required=False, child=serializers.JSONField(), max_length=6)
    labels = serializers.ListField(required=False, child=serializers.CharField(max_length=250), max_length=10)


class ModulesSerializer(CamelSerializer):
    modules = serializers.ListField(child=ModuleSerializer(), max_length=MOST_MODULES * 3)
    revision = WholeNumber(required=False, min_value=0, help_text="Instead of If-Match")


class FaultSerializer(CamelSerializer):
    pointer = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()
    limit = serializers.IntegerField(allow_null=True)
    measured = serializers.IntegerField(allow_null=True)


class FindingSerializer(CamelSerializer):
    pointer = serializers.CharField()
    kind = serializers.CharField()
    severity = serializers.ChoiceField(choices=["block", "warn"])
    words = serializers.CharField()
    said = serializers.CharField()


class CheckedSerializer(CamelSerializer):
    """`faults` keep it from being taken; `findings` are words that Amazon rejects and claims that no fact proves."""

    ready = serializers.BooleanField()
    faults = FaultSerializer(many=True)
    findings = FindingSerializer(many=True)


class APlusSerializer(CamelSerializer):
    aplus_id = serializers.UUIDField(source="pk")
    locale = serializers.CharField()
    premium = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["draft", "ready", "needs_edit"])
    revision = serializers.IntegerField()
    job_id = serializers.SerializerMethodField()
    modules = serializers.ListField(child=Facts())
    checked = serializers.SerializerMethodField()
    updated_at = serializers.DateTimeField()

    def get_jobId(self, page: APlusPage) -> str | None:
        return str(page.job.uid) if page.job else None

    def get_checked(self, page: APlusPage) -> dict[str, Any] | None:
        return CheckedSerializer(page.report).data if page.report else None


class APlusListSerializer(CamelSerializer):
    results = APlusSerializer(many=True)


class ProcessAPlus(Endpoint):
    @documented(
        "Have an A+ page written",
        description="From the product's facts only. One that is being written is answered with.",
        body=ProcessAPlusSerializer,
        answers={202: APlusStartedSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={"projectId": examples.PROJECT_ID},
        shown=examples.APLUS_STARTED,
        operation_id="process_aplus",
    )
    @keyed
    def post(self, request: Request, claim: Claim) -> Response:
        asked, user = read(ProcessAPlusSerializer, request), user_of(request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        project = find_project(user, asked["project_id"])

        def make(within: Within) -> None:
            page = process(
                project,
                premium=asked.get("is_premium", False),
                pictures=asked.get("generate_images", False),
                locale=asked.get("locale", ""),
                priority=asked["priority"],
                within=within,
            )
            within([page.job_id or 0])

        return claim.answer_about_jobs(make, lambda made: _started(request, made[0]), status=202)


class APlusPages(Endpoint):
    @documented(
        "The A+ pages of a product",
        answers={200: APlusListSerializer},
        problems=(404,),
        shown={"results": [examples.APLUS]},
        operation_id="aplus_list",
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        pages = APlusPage.objects.filter(project=project).select_related("job").order_by("created_at")
        return Response({"results": APlusSerializer(pages, many=True).data})


class APlusItem(Endpoint):
    @documented(
        "One A+ page",
        answers={200: APlusSerializer},
        problems=(404,),
        shown=examples.APLUS,
        operation_id="aplus_read",
    )
    def get(self, request: Request, project_id: UUID, aplus_id: UUID) -> Response:
        return _shown(find_page(find_project(user_of(request), project_id), aplus_id))

    @documented(
        "Save an A+ page",
        description="What is wrong with it is told and does not forbid to save it. 412 when another save came first.",
        body=ModulesSerializer,
        answers={200: APlusSerializer},
        problems=(404, 412),
        parameters=[IF_MATCH],
        example={"revision": 1, "modules": [{"type": "STANDARD_TEXT", "texts": {"body": "Eighty millilitres."}}]},
        shown=examples.APLUS,
        operation_id="aplus_save",
    )
    def put(self, request: Request, project_id: UUID, aplus_id: UUID) -> Response:
        page = find_page(find_project(user_of(request), project_id), aplus_id)
        asked = read(ModulesSerializer, request)
        return _shown(save_page(page, list(map(dict, asked["modules"])), revision=_revision(request, asked)))


class APlusCheck(Endpoint):
    @documented(
        "Check an A+ page without saving it",
        body=ModulesSerializer,
        answers={200: CheckedSerializer},
        problems=(404,),
        example={"modules": [{"type": "STANDARD_TEXT", "texts": {"body": "The best price."}}]},
        shown=examples.CHECKED,
        operation_id="aplus_validate",
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project = find_project(user_of(request), project_id)
        modules = [clean(dict(module), n) for n, module in enumerate(read(ModulesSerializer, request)["modules"])]
        return Response(CheckedSerializer(checked(project, modules, locale=project.locale).as_json()).data)


def _revision(request: Request, asked: dict[str, Any]) -> int:
    told = request.headers.get("If-Match", "").strip().strip('"')
    if told.isdecimal() and told.isascii() and len(told) < 9:
        return int(told)
    if "revision" in asked:
        return int(asked["revision"])
    raise Problem(422, "revision_missing", "The revision that was read is not named.", "Send If-Match or revision.")


def _started(request: Request, job_id: int) -> dict[str, Any]:
    job = Job.objects.get(pk=job_id)
    page = APlusPage.objects.filter(job=job).first()
    url = request.build_absolute_uri(f"/api/jobs/{job.uid}")
    return {"jobId": job.uid, "aplusId": page.pk if page else job.uid, "statusUrl": url}


def _shown(page: APlusPage) -> Response:
    response = Response(APlusSerializer(page).data)
    response["ETag"] = f'"{page.revision}"'
    return response
