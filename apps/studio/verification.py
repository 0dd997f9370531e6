"""One small job of each kind, end to end, to show that a deployment works: a prompt, then an image."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from apps.accounts.models import User
from apps.assets.library import store_upload
from apps.assets.urls import asset_url
from apps.desk.estimates import describe
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.states import FINAL, Status
from apps.jobs.values import NewJob
from apps.providers import calls
from apps.providers.causes import cause_of
from apps.providers.errors import ProviderError
from apps.providers.wavespeed.client import WavespeedClient
from apps.studio.deletion import delete_workspace
from apps.studio.demo import PHOTOS
from apps.studio.image_inputs import inputs_for
from apps.studio.models import PromptPolicy, Row, Workspace
from apps.studio.services import generate_images

USERNAME = "verify"
ASKED = ("xai", "wavespeed")  # the providers that the prompt and the image are paid to
SIDE = 1024  # the smallest picture the image models make
PROMPT_ESTIMATE = Decimal("0.01")  # USD: two small pictures and 200 words at the dearest model's price
_ADVICE = {
    Status.QUEUED: "Nobody took it: start workers (celery -A config worker) and look at their log.",
    Status.WAITING: "The prompt did not come: look at the prompt job on the page or in the admin.",
    Status.SCHEDULED: "It failed and is tried again: look at its attempts on the page or in the admin.",
    Status.PROCESSING: "It still runs: look again with a longer --seconds.",
}


@dataclass(frozen=True)
class Proof:
    """How one job went, and what to do when it did not work."""

    name: str
    ok: bool
    detail: str
    action: str = ""


def quote() -> Decimal | None:
    """USD that the image and the prompt would cost at the real providers; None when the price cannot be had."""
    inputs = inputs_for(
        settings.IMAGE_MODEL, prompt="verify", urls=["https://example.com/a.jpg"], size=(SIDE, SIDE), seed=None
    )
    try:
        return PROMPT_ESTIMATE + WavespeedClient.from_settings().price(settings.IMAGE_MODEL, inputs)
    except ProviderError:
        return None


def prove(*, seconds: float) -> Iterator[Proof]:
    """Runs a job of each kind and removes what it made; each proof within `seconds`, as soon as it is there."""
    user, _created = User.objects.get_or_create(username=USERNAME, defaults={"is_active": False})
    yield _noop(user, seconds)
    yield from _generate(user, seconds)


def _noop(user: User, seconds: float) -> Proof:
    new = NewJob(kind="noop", owner_id=user.pk, priority=9)
    job_id = lifecycle.enqueue([new])[new.uid]
    return _proof("queue", job_id, seconds)


def _generate(user: User, seconds: float) -> Iterator[Proof]:
    row = _row(user)
    try:
        made = generate_images(user=user, row_id=row.pk, use_ai_prompt=True, count=1, priority=9)
        assert made.prompt_job is not None
        yield _proof("prompt", made.prompt_job.pk, seconds)
        yield _proof("image", made.jobs[0].pk, seconds)
    finally:
        delete_workspace(row.workspace)


def _row(user: User) -> Row:
    with (PHOTOS / "coffee.png").open("rb") as file:
        url = asset_url(store_upload(owner=user, file=file, name="coffee.png"))
    workspace = Workspace.objects.create(
        owner=user, name="verify", output_width=SIDE, output_height=SIDE, on_prompt_failure=PromptPolicy.FAIL
    )
    return Row.objects.create(workspace=workspace, target_url=url, ref_urls=[])


def _proof(name: str, job_id: int, seconds: float) -> Proof:
    job = _wait(lambda: Job.objects.get(pk=job_id), seconds)
    if job.status == Status.COMPLETED:
        took = (job.finished_at - job.created_at).total_seconds() if job.finished_at else 0
        cost = calls.costs([job_id]).get(job_id)
        return Proof(name, True, f"completed in {took:.1f} s" + (f", ${cost:.4f}" if cost else ""))
    if job.status in FINAL:
        return Proof(name, False, f"{job.status}: {job.error_message}", job.error_action)
    waits = describe([job])[job.pk]
    said = f"{job.status} after {seconds:.0f} s"
    if "cause" in waits.facts and waits.facts.get("message"):
        cause = cause_of(str(waits.facts["cause"]), job.provider)
        return Proof(name, False, f"{said}: {cause.said}", cause.desk)
    return Proof(name, False, said, _ADVICE[Status(job.status)])


def _wait(look: Callable[[], Job], seconds: float) -> Job:
    ends = time.monotonic() + seconds
    while (job := look()).status not in FINAL and time.monotonic() < ends:
        time.sleep(0.2)
    return job
