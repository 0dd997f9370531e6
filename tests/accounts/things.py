"""One real row of everything the administration shows. A model that is registered and not here fails the walk."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import ApiToken, Budget, User
from apps.assets.models import Asset
from apps.jobs.models import Attempt, Hold, Job, JobEvent, Lane, Worker
from apps.listings.models import APlusPage, BrandKit, Cutout, Export, ListingImage, Pack, Project, SourcePhoto
from apps.providers.models import Breaker, Call, Earmark, Place, Upload
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Strategy, Workspace
from tests.factories import (
    AssetFactory,
    AttemptFactory,
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    UserFactory,
    finish,
    token_for,
)
from tests.listings import things as listings

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def _failed_job(kind: str) -> Job:
    """With an order whose outcome nobody knows, which is what can be settled."""
    job = finish(JobFactory(kind=kind), error="outcome_unknown")
    CallFactory(owner=job.owner, job_id=job.pk, state="unknown")
    return job


def _call() -> Call:
    return Call.objects.get(job_id=_failed_job("image").pk)


def _audit_entry() -> AuditEntry:
    record(via=AuditEntry.Via.COMMAND, action="queue pause", subject="images")
    return AuditEntry.objects.latest("pk")


def _interval() -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=90, period="seconds")[0]


def _periodic_task() -> PeriodicTask:
    return PeriodicTask.objects.create(name="a task of the test", task="apps.jobs.tasks.tick", interval=_interval())


def _hold() -> Hold:
    return Hold.objects.create(scope="lane", key="images", reason="lane_paused", set_by="root")


THINGS: dict[type[Model], Callable[[], Any]] = {
    Project: lambda: listings.project_of(UserFactory()),
    BrandKit: lambda: listings.kit_of(UserFactory()),
    SourcePhoto: lambda: listings.photo_of(UserFactory()),
    Cutout: lambda: listings.cutout_of(UserFactory()),
    Pack: lambda: listings.pack_of(UserFactory()),
    ListingImage: lambda: listings.image_of(UserFactory()),
    APlusPage: lambda: listings.aplus_of(UserFactory()),
    Export: lambda: listings.export_of(UserFactory()),
    User: lambda: UserFactory(is_superuser=True, is_staff=True),
    ApiToken: lambda: token_for(UserFactory())[0],
    Budget: lambda: Budget.objects.create(owner=UserFactory(), amount_usd=5),
    AuditEntry: _audit_entry,
    Asset: AssetFactory,
    Job: lambda: _failed_job("image"),
    Attempt: lambda: AttemptFactory(job=JobFactory()),
    JobEvent: lambda: JobEvent.objects.filter(job=JobFactory()).latest("pk"),
    Lane: lambda: Lane.objects.get_or_create(name="images", defaults={"limit": 3})[0],
    Hold: _hold,
    Worker: lambda: Worker.objects.create(name="w1", lanes=["images"], started_at=NOW, alive_at=NOW),
    Call: _call,
    Breaker: lambda: Breaker.objects.create(provider="xai", window_started_at=NOW),
    Earmark: lambda: Earmark.objects.create(job_id=JobFactory().pk, owner=UserFactory(), provider="xai"),
    Place: lambda: Place.objects.create(provider="xai", kind="concurrent", number=77, free_at=NOW),
    Upload: lambda: Upload.objects.create(
        base="https://x.test", digest="0" * 64, url="https://x.test/a", created_at=NOW
    ),
    Workspace: lambda: JobFactory().image_job.row.workspace,
    Row: lambda: JobFactory().image_job.row,
    Strategy: lambda: Strategy.objects.latest("pk"),
    PromptJob: lambda: JobFactory(kind="prompt").prompt_job,
    ImageJob: lambda: JobFactory().image_job,
    GeneratedImage: GeneratedImageFactory,
    PeriodicTask: _periodic_task,
    IntervalSchedule: _interval,
    CrontabSchedule: lambda: CrontabSchedule.objects.create(hour="3"),
    ClockedSchedule: lambda: ClockedSchedule.objects.create(clocked_time=NOW),
    SolarSchedule: lambda: SolarSchedule.objects.create(event="sunset", latitude=48, longitude=11),
}


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that the administration shows; what one's own sign-in writes is left out."""
    own = {"last_login", "last_used_at"}
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in own}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in THINGS
    }
