"""A person with rows of small pictures, and work for them: what every fault is tried on."""

from collections.abc import Sequence
from uuid import UUID

import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from apps.accounts.models import User
from apps.assets.library import store_upload
from apps.assets.urls import asset_url
from apps.jobs import families, lifecycle
from apps.jobs.models import Job
from apps.jobs.states import FINAL, AfterChildren
from apps.jobs.values import NewJob
from apps.studio.models import Row, Workspace
from apps.studio.services import Generated, generate_images
from tests.factories import picture_bytes
from tests.support.simulator import SimulatorProcess
from tests.support.stack import wait_until

MODEL = "bytedance/seedream-v4.5/edit"


def person(name: str = "ada") -> User:
    return User.objects.create_user(name, password="a long password")


def picture(owner: User, colour: str) -> str:
    file = SimpleUploadedFile("shoe.png", picture_bytes(colour=colour), "image/png")
    return asset_url(store_upload(owner=owner, file=file, name="shoe.png"))


def workspace_of(owner: User, **fields: object) -> Workspace:
    standard = {"name": "Shoes", "default_prompt": "A shoe on warm sand.", "output_width": 1024, "output_height": 1024}
    return Workspace.objects.create(owner=owner, **(standard | fields))


def rows_in(workspace: Workspace, count: int) -> list[Row]:
    target, reference = picture(workspace.owner, "teal"), picture(workspace.owner, "coral")
    return [
        Row.objects.create(workspace=workspace, position=place, target_url=target, ref_urls=[reference])
        for place in range(count)
    ]


def generate(row: Row, *, ai: bool = False, count: int = 1, priority: int = 5) -> Generated:
    return generate_images(user=row.workspace.owner, row_id=row.pk, use_ai_prompt=ai, count=count, priority=priority)


def family(owner: User, *, parts: int) -> UUID:
    """A parent whose parts wait for one shared sibling, as a pack's do. If its maker dies, the tick goes on with its plan."""
    new = NewJob(kind="noop", owner_id=owner.pk, after_children=AfterChildren.END, plan={"parts": parts})
    with transaction.atomic():
        parent_id = lifecycle.enqueue([new])[new.uid]
    families.make_children(parent_id)
    return new.uid


def finished(jobs: Sequence[Job]) -> bool:
    return not Job.objects.filter(pk__in=[job.pk for job in jobs]).exclude(status__in=FINAL).exists()


def wait_for(jobs: Sequence[Job], *, seconds: float = 60) -> dict[str, int]:
    """How many of the jobs ended in each status."""
    wait_until(lambda: finished(jobs), seconds=seconds, what=f"the end of {[str(job) for job in jobs]}")
    counts: dict[str, int] = {}
    for status in Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("status", flat=True):
        counts[status] = counts.get(status, 0) + 1
    return counts


def errors() -> list[tuple[str, str]]:
    """What failed jobs say, for the message of a failed assertion."""
    return list(Job.objects.exclude(error_code="").values_list("error_code", "error_message"))


def upload_result(simulator: SimulatorProcess, data: bytes = b"", name: str = "result.png") -> str:
    """The address of one small picture, or of any other bytes, at the provider."""
    reply = requests.post(
        f"{simulator.wavespeed_base}/api/v3/media/upload/binary",
        headers={"Authorization": "Bearer simulator"},
        files={"file": (name, data or picture_bytes(colour="gold"), "image/png")},
        timeout=20,
    )
    return str(reply.json()["data"]["download_url"])
