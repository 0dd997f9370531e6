"""A job as the API tells it, gathered for a whole list in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from apps.desk.estimates import Outlook, describe
from apps.jobs.models import Job
from apps.jobs.states import LIVE, Status, public_status
from apps.providers.models import Call
from apps.studio.models import GeneratedImage, ImageJob, PromptJob
from apps.studio.remedies import remedy_of

PROMPT_SOURCES = ("model", "template", "manual")
PROMPT_FALLBACKS = ("template", "default")


@dataclass(frozen=True)
class ErrorFacts:
    code: str
    message: str
    action: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Wait:
    """Seconds until the job starts: half of them by `p50`, nine of ten by `p90`."""

    p50: float
    p90: float


@dataclass(frozen=True)
class AttemptFacts:
    """One try; `outcome` None while it runs."""

    attempt: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    error: ErrorFacts | None
    calls: Sequence[Call]


@dataclass(frozen=True)
class JobFacts:
    """Everything about one job that its owner may see. Property names are the API's, in snake_case."""

    job: Job
    outlook: Outlook
    calls: Sequence[Call] = field(default_factory=tuple)

    @property
    def job_id(self) -> UUID:
        return self.job.uid

    @property
    def status(self) -> str:
        return public_status(self.job.status)

    @property
    def stage(self) -> str:
        return self.job.stage if self.job.status in LIVE else ""

    @property
    def wait(self) -> Wait | None:
        p50, p90 = self.outlook.p50, self.outlook.p90
        return None if p50 is None or p90 is None else Wait(p50, p90)

    @property
    def error(self) -> ErrorFacts | None:
        job = self.job
        if not job.error_code:
            return None
        return ErrorFacts(job.error_code, job.error_message, job.error_action, remedy_of(job))

    @property
    def prompt_job(self) -> PromptJob | None:
        """The prompt job's own side of it; None for other kinds."""
        return getattr(self.job, "prompt_job", None)

    @property
    def image_job(self) -> ImageJob | None:
        return getattr(self.job, "image_job", None)

    @property
    def prompt(self) -> str:
        if self.prompt_job:
            return self.prompt_job.generated_prompt
        return self.image_job.prompt if self.image_job else ""

    @property
    def prompt_source(self) -> str:
        """Of a prompt job; a workspace's default prompt in place of a model's is a template like the built-in one."""
        source = self.prompt_job.source if self.prompt_job else ""
        return PromptJob.Source.TEMPLATE if source == PromptJob.Source.DEFAULT else source

    @property
    def prompt_fallback(self) -> str | None:
        source = self.prompt_job.source if self.prompt_job else ""
        return source if source in PROMPT_FALLBACKS else None

    @property
    def row_id(self) -> UUID | None:
        side = self.prompt_job or self.image_job
        return side.row_id if side else None

    @property
    def prompt_job_id(self) -> UUID | None:
        """Of an image job: the job that writes its prompt."""
        written_by = self.image_job.prompt_job if self.image_job else None
        return written_by.job.uid if written_by else None

    @property
    def prompt_status(self) -> str | None:
        return _prompt_status(self.image_job) if self.image_job else None

    @property
    def retried_from(self) -> UUID | None:
        return self.job.retry_of.uid if self.job.retry_of else None

    @property
    def images(self) -> list[GeneratedImage]:
        return sorted(self.job.images.all(), key=lambda image: image.index)

    @property
    def cost(self) -> Decimal:
        return sum((call.cost_usd for call in self.calls if call.cost_usd is not None), Decimal(0))

    @cached_property
    def attempts(self) -> list[AttemptFacts]:
        """Oldest first. The one that runs now has no row of its own yet: it is the job's."""
        calls = defaultdict(list)
        for call in self.calls:
            calls[call.attempt].append(call)
        tries = [
            AttemptFacts(
                attempt=past.number,
                started_at=past.started_at,
                finished_at=past.finished_at,
                outcome=past.outcome,
                error=ErrorFacts(past.error_code, past.error_message) if past.error_code else None,
                calls=calls[past.number],
            )
            for past in sorted(self.job.attempts.all(), key=lambda past: past.number)
        ]
        now = self.job
        if now.status == Status.PROCESSING and now.started_at:
            tries.append(AttemptFacts(now.attempt, now.started_at, None, None, None, calls[now.attempt]))
        return tries


def _prompt_status(image_job: ImageJob) -> str:
    """pending: a person must type one; generating: a job writes it; completed: it is there; failed: it never came."""
    if image_job.prompt:
        return "completed"
    if image_job.prompt_job is None:
        return "pending"
    written = image_job.prompt_job.job.status
    if written in LIVE:
        return "generating"
    return "pending" if image_job.job.status in LIVE else "failed"


def with_parts(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The jobs with what `facts_of` reads of them."""
    return jobs.select_related(
        "retry_of", "prompt_job__reused_from__job", "image_job__prompt_job__job"
    ).prefetch_related("attempts", "images")


def facts_of(jobs: Iterable[Job]) -> list[JobFacts]:
    """In the given order; a constant number of queries."""
    ids = [job.pk for job in jobs]
    loaded = with_parts(Job.objects.all()).in_bulk(ids)
    outlooks = describe(list(loaded.values()))
    calls: dict[int, list[Call]] = defaultdict(list)
    for call in Call.objects.filter(job_id__in=ids).order_by("created_at"):
        calls[call.job_id or 0].append(call)
    return [JobFacts(loaded[pk], outlooks.get(pk, Outlook()), calls[pk]) for pk in ids if pk in loaded]


def fact_of(job: Job) -> JobFacts:
    return facts_of([job])[0]
