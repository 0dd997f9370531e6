"""How a job, its attempts, calls and images read."""

from typing import Any

from rest_framework import serializers

from apps.api.jobs.presentation import facts_of
from apps.api.serializers import CamelSerializer, Facts, Money
from apps.core.errors import Remedy
from apps.jobs.models import Job
from apps.jobs.states import known_reasons
from apps.studio.links import image_url, thumbnail_url
from apps.studio.models import GeneratedImage

PUBLIC_STATUSES = ("queued", "processing", "completed", "failed", "cancelled", "skipped")
PROMPT_STATUSES = ("pending", "generating", "completed", "failed")


class ErrorSerializer(CamelSerializer):
    """`code` is stable, `message` says what happened, `action` what to do, and `remedy` the same as a code."""

    code = serializers.CharField()
    message = serializers.CharField()
    action = serializers.CharField()
    remedy = serializers.ChoiceField(
        choices=["", *Remedy],
        help_text="retry: the same again; new_prompt, new_target: change that first; settle: say what became of the "
        "order; none: nothing for you to do. Empty with an attempt",
    )


class WaitSerializer(CamelSerializer):
    """Seconds until it starts: half of such jobs have started by `p50`, nine of ten by `p90`."""

    p50 = serializers.FloatField()
    p90 = serializers.FloatField()


class ImageSerializer(CamelSerializer):
    image_id = serializers.UUIDField(source="pk")
    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    favourite = serializers.BooleanField()
    rating = serializers.IntegerField(allow_null=True, min_value=1, max_value=5)
    simulated = serializers.BooleanField(help_text="Drawn by the simulator, not by a provider")
    late = serializers.BooleanField(help_text="It came after its job was cancelled")
    nsfw = serializers.BooleanField(help_text="The provider flagged it as perhaps not safe for work")
    unreadable = serializers.CharField(
        help_text="Empty, or the code of why it cannot be shown: its file is kept as it came, and `url` downloads it"
    )

    def get_url(self, image: GeneratedImage) -> str:
        return image_url(image)

    def get_thumbnailUrl(self, image: GeneratedImage) -> str:
        return thumbnail_url(image)


class CallSerializer(CamelSerializer):
    """One paid request to a provider, recorded before it was sent."""

    call_id = serializers.UUIDField(source="pk")
    provider = serializers.CharField()
    purpose = serializers.CharField()
    model = serializers.CharField(source="model_asked")
    model_answered = serializers.CharField()
    state = serializers.ChoiceField(choices=["intent", "accepted", "succeeded", "failed", "unknown", "lost"])
    provider_id = serializers.CharField()
    cost = Money(source="cost_usd", allow_null=True)
    cost_source = serializers.CharField()
    error_code = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AttemptSerializer(CamelSerializer):
    attempt = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="null while it runs")
    error = ErrorSerializer(allow_null=True)
    calls = CallSerializer(many=True)


class OutlookSerializer(CamelSerializer):
    """When it will run, and why not now."""

    position = serializers.IntegerField(
        source="outlook.position", allow_null=True, help_text="Jobs that start before this one; 0 = next"
    )
    estimated_wait = WaitSerializer(source="wait", allow_null=True)
    estimated_wait_unknown = serializers.CharField(
        source="outlook.wait_unknown", help_text="Why estimatedWait is null; empty when it is known"
    )
    waiting_reason = serializers.CharField(
        source="outlook.reason", help_text=f"Empty when it does not wait, else a code: {', '.join(known_reasons())}"
    )
    waiting_until = serializers.DateTimeField(source="outlook.until", allow_null=True)
    waiting_facts = Facts(
        source="outlook.facts",
        help_text="The figures and names behind the reason. Of a provider: `cause` (a code), `message`, `action`, and "
        "`trial`: another call tries it now",
    )


class JobSerializer(OutlookSerializer):
    job_id = serializers.UUIDField()
    kind = serializers.CharField(source="job.kind")
    status = serializers.ChoiceField(choices=PUBLIC_STATUSES)
    stage = serializers.CharField()
    priority = serializers.IntegerField(source="job.priority", min_value=1, max_value=10)
    row_id = serializers.UUIDField(allow_null=True)
    prompt_job_id = serializers.UUIDField(allow_null=True)
    prompt_status = serializers.ChoiceField(choices=PROMPT_STATUSES, allow_null=True)
    prompt = serializers.CharField()
    retried_from = serializers.UUIDField(allow_null=True)
    error = ErrorSerializer(allow_null=True)
    images = ImageSerializer(many=True)
    cost = Money()
    created_at = serializers.DateTimeField(source="job.created_at")
    started_at = serializers.DateTimeField(source="job.started_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="job.finished_at", allow_null=True)
    cancel_requested_at = serializers.DateTimeField(source="job.cancel_requested_at", allow_null=True)
    attempts = AttemptSerializer(many=True)


class JobPageSerializer(CamelSerializer):
    results = JobSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class CancelledSerializer(CamelSerializer):
    """`cancelled`: it will not run. `requested`: it runs, and stops at the next safe point."""

    job_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["cancelled", "requested"])


def jobs_shown(jobs: list[Job]) -> Any:
    return JobSerializer(facts_of(jobs), many=True).data


def job_shown(job: Job) -> Any:
    return jobs_shown([job])[0]
