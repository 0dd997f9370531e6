"""Changing what waits: the prompt of an image that has not started."""

from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.services import find_job
from apps.jobs.states import PENDING, Status, public_status
from apps.studio.models import ImageJob, PromptJob


def edit_prompt(*, user: User, uid: UUID, prompt: str) -> Job:
    """Gives a waiting image another prompt; it keeps its place. One that waits for a prompt need not wait any more.

    Problem 409 when it has started, 422 when the prompt is empty.
    """
    job = find_job(user=user, uid=uid, kind="image")
    if not prompt.strip():
        raise Problem(422, "prompt_missing", "The prompt is empty.", "Type what the picture should show.")
    with transaction.atomic():
        # A claim passes over a locked row: it gets the old prompt before this, or the new one after.
        job = Job.objects.select_for_update().get(pk=job.pk)
        if job.status not in PENDING:
            raise _too_late(job)
        typed = {"prompt": prompt.strip(), "prompt_source": PromptJob.Source.MANUAL, "prompt_job": None}
        ImageJob.objects.filter(job=job).update(**typed)
        if job.status == Status.WAITING:
            lifecycle.release([job.pk], reason="prompt_typed")
    job.refresh_from_db()
    return job


def _too_late(job: Job) -> Problem:
    status = public_status(job.status)
    return Problem(
        409,
        "already_started",
        f"The image is {status}.",
        "Only what waits can be changed. Make another one.",
        {"jobStatus": status},
    )
