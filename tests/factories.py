"""Things for tests, made as the application makes them where it matters."""

import hashlib
import io
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.accounts.models import ApiToken, User, create_token
from apps.assets.library import store_upload
from apps.assets.models import Asset
from apps.assets.storage import write_once
from apps.core.errors import Remedy
from apps.jobs import lifecycle
from apps.jobs.models import Attempt, Job
from apps.jobs.values import NewJob
from apps.providers.models import Call, CallState
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.states import WAITING_FOR_PROMPT

PASSWORD = "correct horse battery"  # what every user of the factory signs in with


@cache
def _hashed_password() -> str:
    """Hashed once: the hasher is slow on purpose."""
    return make_password(PASSWORD)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = factory.LazyFunction(_hashed_password)


class StaffFactory(UserFactory):
    is_staff = True


class WorkspaceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Workspace

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Workspace {n}")


class RowFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Row

    workspace = factory.SubFactory(WorkspaceFactory)
    label = factory.Sequence(lambda n: f"Row {n}")
    position = factory.Sequence(lambda n: n)


def picture_bytes(*, size: tuple[int, int] = (64, 48), colour: str = "teal", format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format)
    return buffer.getvalue()


def picture_file(name: str = "shoe.png", **picture: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture_bytes(**picture), "image/png")


class AssetFactory(factory.Factory):
    """A real picture, through the same door as an upload. Each colour is another picture."""

    class Meta:
        model = Asset

    owner = factory.SubFactory(UserFactory)
    name = "shoe.png"
    colour = factory.Sequence(lambda n: f"#{n * 7919 % 0xFFFFFF:06x}")

    @classmethod
    def _create(cls, model_class: type[Asset], *args: Any, **fields: Any) -> Asset:
        file = picture_file(fields["name"], colour=fields["colour"])
        return store_upload(owner=fields["owner"], file=file, name=fields["name"])


def large_asset(owner: User) -> str:
    """The path of a stored file of 16 MB: more than the system keeps for a reader that does not read."""
    data = os.urandom(16_000_000)
    digest = hashlib.sha256(data).hexdigest()
    path = f"assets/{digest}.png"  # a path names one content for ever
    write_once(path, data)
    asset = Asset.objects.create(
        owner=owner, file=path, digest=digest, width=1, height=1, bytes=len(data), name="large.png"
    )
    return f"/media/assets/{asset.pk}"


class JobFactory(factory.Factory):
    """A queued job of a row, with its own side (prompt or image); `waits_for` makes it wait."""

    class Meta:
        model = Job

    kind = "image"
    row = factory.SubFactory(RowFactory)
    priority = 5
    waits_for = None

    @classmethod
    def _create(cls, model_class: type[Job], *args: Any, **fields: Any) -> Job:
        row, waits_for = fields["row"], fields["waits_for"]
        new = NewJob(
            kind=fields["kind"],
            owner_id=row.workspace.owner_id,
            subject=f"row:{row.pk}",
            priority=fields["priority"],
            waits_for_id=waits_for.pk if waits_for else None,
            stage=WAITING_FOR_PROMPT if waits_for else "",
        )
        job = Job.objects.get(pk=lifecycle.enqueue([new])[new.uid])
        _add_side(job, row, waits_for)
        return job


def _add_side(job: Job, row: Row, waits_for: Job | None) -> None:
    if job.kind == "prompt":
        PromptJob.objects.create(job=job, row=row, target_url="https://example.com/target.jpg")
        return
    if row.generation is None:
        row.generation = row.pk
        row.save(update_fields=["generation"])
    ImageJob.objects.create(
        job=job,
        row=row,
        generation=row.generation,
        prompt="" if waits_for else "A shoe on warm sand",
        prompt_job=waits_for.prompt_job if waits_for else None,
        generation_model="bytedance/seedream-v4.5/edit",
        width=2048,
        height=2048,
    )


def finish(job: Job, *, error: str = "", remedy: Remedy = Remedy.RETRY) -> Job:
    """Takes the job as a worker would and ends it."""
    lease = lifecycle.claim(lane=job.lane, worker="tests")
    assert lease is not None
    assert lease.job_id == job.pk, "another job was first in the line"
    if error:
        assert lifecycle.fail(lease, lifecycle.Failure(error, "It went wrong.", "Try again.", remedy))
    else:
        assert lifecycle.complete(lease)
    job.refresh_from_db()
    return job


class GeneratedImageFactory(factory.django.DjangoModelFactory):
    """A picture a job made, with a real file."""

    class Meta:
        model = GeneratedImage
        exclude = ("asset",)

    row = factory.SubFactory(RowFactory)
    job = None
    owner = factory.LazyAttribute(lambda image: image.row.workspace.owner)
    asset = factory.LazyAttribute(lambda image: AssetFactory(owner=image.owner))
    index = factory.Sequence(lambda n: n)
    file = factory.LazyAttribute(lambda image: image.asset.file.name)
    thumbnail = factory.LazyAttribute(lambda image: image.asset.thumbnail.name)
    width = 64
    height = 48
    bytes = 100


class CallFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Call

    provider = "wavespeed"
    purpose = "submit"
    product = "studio"
    model_asked = "bytedance/seedream-v4.5/edit"
    state = CallState.SUCCEEDED
    attempt = 1
    created_at = factory.LazyFunction(lambda: datetime.now(UTC))


class AttemptFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Attempt

    number = 1
    kind = "image"
    outcome = "completed"
    started_at = finished_at = factory.LazyFunction(lambda: datetime.now(UTC))


def token_for(user: User, *scopes: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    return create_token(user=user, name="tests", scopes=scopes or ("read", "write"), expires_at=expires_at)
