"""What people ask of Studio: prompts and images for a row."""

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.jobs.values import NewJob
from apps.orders import budgets
from apps.studio.models import ImageJob, PromptJob, PromptPolicy, Row
from apps.studio.owned import find_row, hold_row
from apps.studio.pictures import checked, soon
from apps.studio.prompting.reuse import digest_of
from apps.studio.prompting.standing import usable_prompt
from apps.studio.prompting.strategies import pick
from apps.studio.quotes import wanted_for_image, wanted_for_prompt
from apps.studio.rows import references_of, subject_of
from apps.studio.sizes import output_size
from apps.studio.states import NEEDS_PROMPT, WAITING_FOR_PROMPT

GENERATING, COMPLETED, PENDING = "generating", "completed", "pending"
Within = Callable[[Sequence[int]], object]


@dataclass(frozen=True)
class Generated:
    """What one press of Generate or AI Generate made."""

    jobs: list[Job]
    prompt_job: Job | None
    prompt_status: str


@dataclass(frozen=True)
class Pictures:
    """A row's pictures, checked, as our own URLs."""

    references: list[str]
    target: str

    @property
    def all(self) -> list[str]:
        """References first, target last: the order in which models get them."""
        return [*self.references, self.target]


def generate_images(
    *,
    user: User,
    row_id: UUID,
    use_ai_prompt: bool,
    count: int | None = None,
    priority: int = 5,
    unless_busy: bool = False,
    within: Within = lambda _job_ids: None,
) -> Generated:
    """Queues the row's images, and with `use_ai_prompt` a prompt job that they wait for, all in one transaction.

    `within` is called with the ids of the jobs inside that transaction: what it writes is there exactly when they are.

    Image jobs that wait for a person to type a prompt are released with the row's prompt instead of made anew.
    Problem 422: target_missing, prompt_missing, or what is wrong with a picture; with `unless_busy` 409 row_busy when
    images of the row are under way already, so that two who ask at once make one run.
    """
    row = find_row(user, row_id)
    if not use_ai_prompt:
        prompt, source = _own_prompt(row)
        with transaction.atomic():
            released = _release_waiting(row, prompt, source)
            if released:
                within(released)
        if released:
            return generated(released)
    pictures = _pictures_of(row)
    wanted, generation = count or row.workspace.images_per_generate, uuid.uuid4()
    with transaction.atomic():
        if not hold_row(row.pk, alone=True):  # of two requests the second waits here for the first one's jobs
            raise not_found("row")
        if unless_busy:
            _refuse_busy(row)
        prompt_job = (
            _add_prompt_job(row, pictures, priority, generation=generation, row_prompt=row.prompt_override)
            if use_ai_prompt
            else None
        )
        image_jobs = _add_image_jobs(row, pictures, wanted, priority, prompt_job, generation=generation)
        if not use_ai_prompt:
            ids = [image_job.pk for image_job in image_jobs]
            ImageJob.objects.filter(pk__in=ids).update(prompt=prompt, prompt_source=source)
        asked: list[PromptJob | ImageJob] = [*([prompt_job] if prompt_job else []), *image_jobs]
        made = [one.pk for one in asked]
        within(made)
        set_money_aside(row.workspace.owner_id, *asked)  # last: everybody waits for the budgets' locks
    return generated(made)


def generated(job_ids: Sequence[int]) -> Generated:
    """What one press made, as it stands now."""
    jobs = list(Job.objects.filter(pk__in=job_ids).order_by("pk"))
    prompt_job = next((job for job in jobs if job.kind == "prompt"), None)
    images = [job for job in jobs if job is not prompt_job]
    return Generated(images, prompt_job, GENERATING if prompt_job else COMPLETED)


def queue_prompt(
    *,
    user: User,
    row_id: UUID,
    target_url: str,
    ref_urls: Sequence[str] | None = None,
    priority: int = 5,
    operation: str = PromptJob.Operation.GENERATE,
    existing_prompt: str = "",
    instructions: str = "",
    apply_to_row: bool = False,
    within: Within = lambda _job_ids: None,
) -> Job:
    """Queues a prompt for a row, without images. `ref_urls` None: the row's own references; `within` as above."""
    row = find_row(user, row_id)
    references = references_of(row) if ref_urls is None else list(ref_urls)
    pictures = _checked_pictures(row, references, target_url or row.target_url)
    if operation == PromptJob.Operation.ENHANCE and not existing_prompt.strip():
        raise Problem(
            422, "prompt_missing", "There is no prompt to improve.", "Send existingPrompt, or ask for a new one."
        )
    with transaction.atomic():
        if not hold_row(row.pk):
            raise not_found("row")
        prompt_job = _add_prompt_job(
            row,
            pictures,
            priority,
            operation=operation,
            existing_prompt=existing_prompt,
            instructions=instructions,
            apply_to_row=apply_to_row,
            row_prompt=row.prompt_override if apply_to_row else None,
            on_failure=PromptPolicy.FAIL,
        )
        within([prompt_job.pk])
        set_money_aside(row.workspace.owner_id, prompt_job)
    return Job.objects.get(pk=prompt_job.pk)


def set_money_aside(owner_id: int, *asked: PromptJob | ImageJob) -> None:
    """For all of them in one go, so that the budgets are locked in one order. In the transaction that queued them."""
    budgets.set_aside(
        [
            wanted_for_prompt(one, owner_id) if isinstance(one, PromptJob) else wanted_for_image(one, owner_id)
            for one in asked
        ]
    )


def _refuse_busy(row: Row) -> None:
    images = Job.objects.live().filter(subject=subject_of(row), kind="image")
    if images.exclude(status=Status.WAITING, reason=NEEDS_PROMPT).exists():
        raise Problem(409, "row_busy", "Images of this row are under way.", "Wait for them, or cancel them first.")


def _own_prompt(row: Row) -> tuple[str, str]:
    prompt, source = usable_prompt(row)
    if not prompt:
        raise Problem(
            422, "prompt_missing", "This row has no prompt.", "Type one, or press AI Generate to have one written."
        )
    return prompt, source


def _release_waiting(row: Row, prompt: str, source: str) -> list[int]:
    with transaction.atomic():
        theirs = Job.objects.filter(subject=subject_of(row), status=Status.WAITING, reason=NEEDS_PROMPT)
        waiting = theirs.select_for_update().order_by("pk")
        ids = [job.pk for job in waiting]
        ImageJob.objects.filter(job__in=ids).update(prompt=prompt, prompt_source=source)
        lifecycle.release(ids, reason="prompt_typed")
    return ids


def _pictures_of(row: Row) -> Pictures:
    return _checked_pictures(row, references_of(row), row.target_url)


def _checked_pictures(row: Row, references: Sequence[str], target: str) -> Pictures:
    """Outside any transaction: it may fetch from the network."""
    if not target:
        raise Problem(422, "target_missing", "This row has no target picture.", "Add one, then generate.")
    owner, ends = row.workspace.owner, soon()
    try:
        found = checked(owner, references, field="refUrls", ends=ends)
        return Pictures(found, checked(owner, [target], field="targetUrl", ends=ends)[0])
    except Problem:
        if not Row.objects.filter(pk=row.pk).exists():
            raise not_found("row") from None  # deleted meanwhile, and its pictures with it
        raise


def _add_prompt_job(
    row: Row,
    pictures: Pictures,
    priority: int,
    *,
    generation: UUID | None = None,
    operation: str = PromptJob.Operation.GENERATE,
    **asked: object,
) -> PromptJob:
    workspace = row.workspace
    strategy = pick(workspace, operation=operation, row=row.pk, generation=generation or row.generation)
    new = NewJob(kind="prompt", owner_id=workspace.owner_id, subject=subject_of(row), priority=priority)
    job_id = lifecycle.enqueue([new])[new.uid]
    prompt_job = PromptJob(
        job_id=job_id,
        row=row,
        ref_urls=pictures.references,
        target_url=pictures.target,
        operation=operation,
        strategy=strategy.name,
        strategy_version=strategy.version,
        **{"on_failure": workspace.on_prompt_failure} | asked,
    )
    prompt_job.request_digest = digest_of(prompt_job)
    prompt_job.save(force_insert=True)
    return prompt_job


def _add_image_jobs(
    row: Row, pictures: Pictures, count: int, priority: int, prompt_job: PromptJob | None, *, generation: UUID
) -> list[ImageJob]:
    waits_for = prompt_job.job_id if prompt_job else None
    wanted = [
        NewJob(
            kind="image",
            owner_id=row.workspace.owner_id,
            subject=subject_of(row),
            priority=priority,
            waits_for_id=waits_for,
            stage=WAITING_FOR_PROMPT if waits_for else "",
        )
        for _ in range(count)
    ]
    ids = lifecycle.enqueue(wanted)
    width, height = output_size(row, pictures.target)
    made = ImageJob.objects.bulk_create(
        [
            ImageJob(
                job_id=job_id,
                row=row,
                generation=generation,
                prompt_job=prompt_job,
                image_urls=pictures.all,
                generation_model=row.workspace.generation_model or settings.IMAGE_MODEL,
                width=width,
                height=height,
                seed=secrets.randbelow(2**31 - 1),
            )
            for job_id in ids.values()
        ]
    )
    Row.objects.filter(pk=row.pk).update(generation=generation)
    return made
