"""Workers die at every step of a cut-out and of a painted image: neither is bought twice, and who cannot know says so."""

import io
from collections import Counter
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.accounts.models import User
from apps.jobs import lanes
from apps.jobs.models import Job
from apps.jobs.services import retry_job
from apps.listings import cutouts
from apps.listings.models import Cutout, ImageType, ListingImage, Project
from apps.listings.packs import make_image
from apps.listings.photos import add_photo, require_photo
from apps.listings.projects import create_project
from apps.providers.models import Call
from apps.providers.registry import PROVIDERS
from apps.simulator.drawing.matte import cut_out
from tests.faults import scene
from tests.faults.armed import FaultStack

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

PHOTO = Path(__file__).resolve().parents[2] / "apps" / "listings" / "demo_photos" / "cup.png"
CUT_STEPS = (
    "after_claim",
    "before_cut_out",
    "after_cut_out",
    "after_answer",
    "after_cutout",
    "before_complete",
    "before_commit",
)
PAINT_STEPS = (
    "after_claim",
    "before_edit",
    "after_edit",
    "after_answer",
    "after_image",
    "before_complete",
    "before_commit",
)


@pytest.fixture(autouse=True)
def _simulated(settings: LazySettings) -> None:
    settings.SIMULATED = list(PROVIDERS)


def product(owner: User, place: int) -> Project:
    """Each with a photograph of its own: the same one is cut out once for all."""
    project = create_project(user=owner, name=f"Cup {place}", facts=[{"label": "Volume", "value": f"{80 + place} ml"}])
    picture = Image.open(PHOTO).convert("RGB")
    picture.paste((30 * place, 90, 60), (0, 0, 24, 24))
    file = io.BytesIO()
    picture.save(file, "PNG")
    add_photo(project, file=SimpleUploadedFile("cup.png", file.getvalue(), "image/png"), name=f"cup{place}.png")
    return project


def bring_cutout(project: Project) -> None:
    file = io.BytesIO()
    cut_out(PHOTO.read_bytes(), longest=600).save(file, "PNG")
    cutouts.bring(project, require_photo(project), file=io.BytesIO(file.getvalue()))


def bought(stack: FaultStack, provider: str) -> int:
    return len(stack.simulator.ledger(provider))


def test_killed_at_any_step_a_cut_out_is_bought_once(stack: FaultStack, owner: User) -> None:
    lanes.pause("listings")
    jobs: dict[str, Job] = {}
    for place, step in enumerate(CUT_STEPS):
        project = product(owner, place)
        job = cutouts.make_alone(project, require_photo(project), method="removebg", anew=False, priority=5)
        assert job is not None
        jobs[step] = job
        stack.arm_for(job, step, "kill")
    lanes.resume("listings")
    scene.wait_for(list(jobs.values()), seconds=120)

    assert {step: stack.used(step, job) for step, job in jobs.items()} == dict.fromkeys(CUT_STEPS, 1)
    ended = {step: (job.status, job.error_code) for step, job in refreshed(jobs).items()}
    unheard = {"before_cut_out", "after_cut_out"}
    assert ended == {
        step: ("failed", "outcome_unknown") if step in unheard else ("completed", "") for step in CUT_STEPS
    }, scene.errors()
    assert bought(stack, "removebg") == len(CUT_STEPS) - 1  # what died before it was sent was never sent
    assert Counter(Call.objects.values_list("state", flat=True)) == {"succeeded": len(CUT_STEPS) - 2, "unknown": 2}
    assert Cutout.objects.exclude(file="").count() == len(CUT_STEPS) - 2


def test_killed_at_any_step_a_painted_image_is_bought_once_and_sent_again_only_by_a_person(
    stack: FaultStack, owner: User
) -> None:
    lanes.pause("listings")
    jobs: dict[str, Job] = {}
    for place, step in enumerate(PAINT_STEPS):
        project = product(owner, place)
        bring_cutout(project)
        jobs[step] = make_image(project, ImageType.LIFESTYLE)
        stack.arm_for(jobs[step], step, "kill")
    lanes.resume("listings")
    scene.wait_for(list(jobs.values()), seconds=120)

    assert {step: stack.used(step, job) for step, job in jobs.items()} == dict.fromkeys(PAINT_STEPS, 1)
    unheard = {"before_edit", "after_edit"}
    ended = {step: (job.status, job.error_code) for step, job in refreshed(jobs).items()}
    assert ended == {
        step: ("failed", "outcome_unknown") if step in unheard else ("completed", "") for step in PAINT_STEPS
    }, scene.errors()
    assert bought(stack, "openai") == len(PAINT_STEPS) - 1
    assert ListingImage.objects.count() == len(PAINT_STEPS) - 2

    again = retry_job(user=owner, uid=jobs["after_edit"].uid)
    assert scene.wait_for([again], seconds=90) == {"completed": 1}
    assert bought(stack, "openai") == len(PAINT_STEPS)
    assert Call.objects.filter(state="unknown").count() == 2  # flagged until somebody settles them


def refreshed(jobs: dict[str, Job]) -> dict[str, Job]:
    found = Job.objects.in_bulk([job.pk for job in jobs.values()])
    return {step: found[job.pk] for step, job in jobs.items()}
