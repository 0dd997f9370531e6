"""`/api/prompt/queue`: prompts that a model writes."""

from uuid import UUID

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import urgent_allowed, user_of
from apps.api.idempotency import Claim, keyed
from apps.api.jobs.job_shapes import (
    PUBLIC_STATUSES,
    AttemptSerializer,
    CancelledSerializer,
    ErrorSerializer,
    OutlookSerializer,
)
from apps.api.jobs.jobs import cancelled
from apps.api.jobs.presentation import PROMPT_FALLBACKS, PROMPT_SOURCES, fact_of
from apps.api.jobs.priorities import PRIORITY
from apps.api.serializers import MAX_PROMPT, CamelSerializer, Id, Money, Prose, Url, Urls, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.desk.estimates import statistics
from apps.jobs.models import Job
from apps.jobs.services import allow_priority, find_job
from apps.studio.models import PromptJob
from apps.studio.services import queue_prompt

MAX_INSTRUCTIONS = 2000
TRIED = ("accepted", "refusal", "too_long", "error", "held", "incapable")


class QueuePromptSerializer(CamelSerializer):
    row_id = Id()
    ref_urls = Urls(required=False, allow_null=True, default=None, help_text="null: the row's own; []: none")
    target_url = Url()
    priority = PRIORITY()
    operation = serializers.ChoiceField(choices=PromptJob.Operation.choices, default=PromptJob.Operation.GENERATE)
    existing_prompt = Prose(max_length=MAX_PROMPT, default="")
    instructions = Prose(max_length=MAX_INSTRUCTIONS, default="")
    apply_to_row = YesOrNo(default=False, help_text="Also make the prompt the row's own when it is written")


class QueuedPromptSerializer(OutlookSerializer):
    prompt_job_id = serializers.UUIDField(source="job_id")
    status = serializers.ChoiceField(choices=PUBLIC_STATUSES)
    estimated_wait_time = serializers.FloatField(source="outlook.p50", allow_null=True, help_text="Seconds: the p50")


class TriedSerializer(CamelSerializer):
    """One model that was asked, or passed over, and what came of it."""

    attempt = serializers.IntegerField()
    model = serializers.CharField()
    answered = serializers.CharField(help_text="The model that answered; empty when none did")
    outcome = serializers.ChoiceField(choices=TRIED, help_text="held: budget, rate limit or breaker stood in the way")
    said = serializers.CharField()
    cost = serializers.CharField(allow_null=True, help_text="USD; null when none is known")


class PromptSerializer(QueuedPromptSerializer):
    kind = serializers.CharField(source="job.kind")
    stage = serializers.CharField()
    priority = serializers.IntegerField(source="job.priority")
    row_id = serializers.UUIDField(allow_null=True)
    operation = serializers.ChoiceField(source="prompt_job.operation", choices=PromptJob.Operation.choices)
    strategy = serializers.CharField(source="prompt_job.strategy")
    strategy_version = serializers.IntegerField(source="prompt_job.strategy_version")
    generated_prompt = serializers.CharField(source="prompt_job.generated_prompt")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        source="prompt_source", choices=PROMPT_SOURCES, allow_blank=True, help_text="Empty until it is written"
    )
    fallback = serializers.ChoiceField(
        source="prompt_fallback",
        choices=PROMPT_FALLBACKS,
        allow_null=True,
        help_text="With source template: what stood in for a model's prompt, the built-in template or the workspace's "
        "default prompt",
    )
    model_asked = serializers.CharField(source="prompt_job.model_asked")
    model_answered = serializers.CharField(source="prompt_job.model_answered")
    reused_from = serializers.UUIDField(
        source="prompt_job.reused_from.job.uid",
        allow_null=True,
        default=None,
        help_text="The prompt job whose prompt was used again, at no cost",
    )
    tried = TriedSerializer(source="prompt_job.tried", many=True, help_text="Every model asked, in order")
    error = ErrorSerializer(allow_null=True)
    cost = Money()
    created_at = serializers.DateTimeField(source="job.created_at")
    started_at = serializers.DateTimeField(source="job.started_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="job.finished_at", allow_null=True)
    attempts = AttemptSerializer(many=True)


class StatisticsSerializer(CamelSerializer):
    """Seconds; null when nothing was measured yet."""

    total_queued = serializers.IntegerField()
    total_processing = serializers.IntegerField()
    total_completed = serializers.IntegerField()
    total_failed = serializers.IntegerField()
    average_wait_time = serializers.FloatField(source="average_wait_seconds", allow_null=True)
    estimated_wait_time = serializers.FloatField(source="estimated_wait_seconds", allow_null=True)


class PromptQueue(Endpoint):
    @documented(
        "Queue a prompt",
        body=QueuePromptSerializer,
        answers={201: QueuedPromptSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={
            "rowId": examples.ROW_ID,
            "targetUrl": "https://images.example.com/target.jpg",
            "priority": 8,
        },
        shown=examples.QUEUED_PROMPT,
        operation_id="prompt_queue_create",
    )
    @keyed
    def post(self, request: Request, claim: Claim) -> Response:
        asked = read(QueuePromptSerializer, request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        return claim.answer_about_jobs(
            lambda within: queue_prompt(user=user_of(request), within=within, **asked),
            lambda made: QueuedPromptSerializer(fact_of(Job.objects.get(pk=made[0]))).data,
        )

    @documented(
        "Counts and waits of the prompt queue",
        description="The caller's own; for staff, everybody's.",
        answers={200: StatisticsSerializer},
        shown={
            "totalQueued": 2,
            "totalProcessing": 1,
            "totalCompleted": 40,
            "totalFailed": 1,
            "averageWaitTime": 3.2,
            "estimatedWaitTime": 20.0,
        },
        operation_id="prompt_queue_statistics",
    )
    def get(self, request: Request) -> Response:
        whose = None if user_of(request).is_staff else user_of(request).pk
        return Response(
            StatisticsSerializer(statistics(kind="prompt", lane=settings.KINDS["prompt"].lane, owner_id=whose)).data
        )


class PromptQueueItem(Endpoint):
    @documented(
        "One prompt",
        answers={200: PromptSerializer},
        problems=(404,),
        shown=examples.PROMPT,
        operation_id="prompt_queue_read",
    )
    def get(self, request: Request, prompt_job_id: UUID) -> Response:
        job = find_job(user=user_of(request), uid=prompt_job_id, kind="prompt")
        return Response(PromptSerializer(fact_of(job)).data)

    @documented(
        "Cancel a prompt",
        answers={200: CancelledSerializer, 202: CancelledSerializer},
        problems=(404, 409),
        shown=examples.CANCELLED,
        operation_id="prompt_queue_cancel",
    )
    def delete(self, request: Request, prompt_job_id: UUID) -> Response:
        return cancelled(request, prompt_job_id, kind="prompt")
