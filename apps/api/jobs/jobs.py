"""`/api/jobs`: what is queued, runs and is done."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import urgent_allowed, user_of
from apps.api.idempotency import Claim, Within, keyed
from apps.api.jobs.job_shapes import (
    PROMPT_STATUSES,
    PUBLIC_STATUSES,
    CancelledSerializer,
    JobPageSerializer,
    JobSerializer,
    job_shown,
    jobs_shown,
)
from apps.api.jobs.priorities import PRIORITY
from apps.api.pagination import PAGE_PARAMETERS, page_of
from apps.api.query import query_invalid
from apps.api.serializers import MAX_PROMPT, CamelSerializer, Id, Prose, WholeNumber, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.jobs.models import Job
from apps.jobs.services import allow_priority, cancel_job, change_job, find_job, pending_count, retry_job
from apps.jobs.states import PENDING
from apps.studio.edits import edit_prompt
from apps.studio.services import generate_images, generated

MAX_COUNT = 6


class CreateJobsSerializer(CamelSerializer):
    row_id = Id()
    use_ai_prompt = YesOrNo(
        help_text="true: a model writes the prompt first; false: the row's own is used, as its `prompt` shows it"
    )
    count = WholeNumber(
        min_value=1, max_value=MAX_COUNT, allow_null=True, default=None, help_text="null: as many as the workspace says"
    )
    priority = PRIORITY()


class CreatedJobsSerializer(CamelSerializer):
    jobs = JobSerializer(many=True)
    job_id = serializers.UUIDField(help_text="The first of them")
    prompt_job_id = serializers.UUIDField(allow_null=True)
    prompt_status = serializers.ChoiceField(choices=PROMPT_STATUSES)


class ChangeJobSerializer(CamelSerializer):
    """A new priority, a new place in the own queue (before or after another queued job of one's own), or a new prompt."""

    priority = WholeNumber(min_value=1, max_value=10, required=False)
    before = Id(required=False)
    after = Id(required=False)
    prompt = Prose(max_length=MAX_PROMPT, required=False, help_text="Of an image that has not started")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if len(asked) != 1:
            raise serializers.ValidationError("Give priority, before, after or prompt, one of them.")
        return asked


class PendingCountSerializer(CamelSerializer):
    count = serializers.IntegerField()


class CreateJobs(Endpoint):
    @documented(
        "Generate images for a row",
        body=CreateJobsSerializer,
        answers={201: CreatedJobsSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={"rowId": examples.ROW_ID, "useAiPrompt": True, "count": 2, "priority": 8},
        shown=examples.CREATED_JOBS,
        operation_id="jobs_create",
    )
    @keyed
    def post(self, request: Request, claim: Claim) -> Response:
        asked = read(CreateJobsSerializer, request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        return claim.answer_about_jobs(
            lambda within: generate_images(user=user_of(request), within=within, **asked), created_jobs_shown
        )


class Jobs(Endpoint):
    @documented(
        "Your jobs, newest first",
        answers={200: JobPageSerializer},
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=PUBLIC_STATUSES),
            OpenApiParameter("kind", str, enum=tuple(settings.KINDS)),
            OpenApiParameter("rowId", {"type": "string", "format": "uuid"}),
        ],
        shown=examples.JOBS,
        operation_id="jobs_list",
    )
    def get(self, request: Request) -> Response:
        page = page_of(_filtered(request), request, order=("-id",))
        return Response(page.body(jobs_shown))


class JobItem(Endpoint):
    @documented("One job", answers={200: JobSerializer}, problems=(404,), shown=examples.JOB, operation_id="jobs_read")
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(job_shown(find_job(user=user_of(request), uid=job_id)))

    @documented(
        "Cancel a job",
        description="200: it will not run. 202: it runs, and stops at the next safe point. 409: it had finished.",
        answers={200: CancelledSerializer, 202: CancelledSerializer},
        problems=(404, 409),
        shown=examples.CANCELLED,
        operation_id="jobs_cancel",
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        return cancelled(request, job_id)

    @documented(
        "Change a waiting job's priority, place or prompt",
        body=ChangeJobSerializer,
        answers={200: JobSerializer},
        problems=(404, 409),
        example={"priority": 8},
        shown=examples.QUEUED_JOB,
        operation_id="jobs_change",
    )
    def patch(self, request: Request, job_id: UUID) -> Response:
        asked, user = read(ChangeJobSerializer, request), user_of(request)
        if "prompt" in asked:
            job = edit_prompt(user=user, uid=job_id, prompt=asked["prompt"])
        else:
            job = change_job(user=user, uid=job_id, urgent_allowed=urgent_allowed(request), **asked)
        return Response(job_shown(job))


class RetryJob(Endpoint):
    @documented(
        "Try a finished job again",
        description="Makes a new job that names the old one.",
        answers={201: JobSerializer},
        problems=(404, 409, 422, 429),
        parameters=[IDEMPOTENCY_KEY],
        shown=examples.RETRIED_JOB,
        operation_id="jobs_retry",
    )
    @keyed
    def post(self, request: Request, claim: Claim, job_id: UUID) -> Response:
        def make(within: Within) -> None:
            with transaction.atomic():
                within([retry_job(user=user_of(request), uid=job_id).pk])

        return claim.answer_about_jobs(make, lambda made: job_shown(Job.objects.get(pk=made[0])))


class PendingCount(Endpoint):
    @documented(
        "How many of your jobs wait to start",
        answers={200: PendingCountSerializer},
        shown={"count": 4},
        operation_id="jobs_pending_count",
    )
    def get(self, request: Request) -> Response:
        return Response({"count": pending_count(user_of(request))})


def cancelled(request: Request, uid: UUID, kind: str | None = None) -> Response:
    outcome = cancel_job(user=user_of(request), uid=uid, kind=kind)
    body = {"jobId": uid, "state": outcome.state}
    return Response(body, status=200 if outcome.state == "cancelled" else 202)


def created_jobs_shown(job_ids: list[int]) -> dict[str, Any]:
    made = generated(job_ids)
    return {
        "jobs": jobs_shown(made.jobs),
        "jobId": made.jobs[0].uid,
        "promptJobId": made.prompt_job.uid if made.prompt_job else None,
        "promptStatus": made.prompt_status,
    }


def _filtered(request: Request) -> Any:
    query = request.query_params
    jobs = Job.objects.of(user_of(request))
    if status := query.get("status"):
        jobs = jobs.filter(_status_filter(status))
    if kind := query.get("kind"):
        jobs = jobs.filter(kind=_one_of(kind, tuple(settings.KINDS), "kind"))
    if row := query.get("rowId"):
        jobs = jobs.filter(subject=f"row:{_uuid(row, 'rowId')}")
    return jobs


def _status_filter(status: str) -> Q:
    known = _one_of(status, PUBLIC_STATUSES, "status")
    return Q(status__in=PENDING) if known == "queued" else Q(status=known)


def _one_of(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise query_invalid(f"There is no {name} of this name.", f"Use one of {', '.join(known)}.")
    return value


def _uuid(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise query_invalid(f"{name} is not an id.", "Send the id as it was given.") from error
