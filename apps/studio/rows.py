"""Rows as people see them: their state follows from their jobs, so it cannot disagree with them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Window
from django.db.models.functions import RowNumber

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.core.text import seen
from apps.jobs import announce
from apps.jobs.models import Job
from apps.jobs.states import LIVE, PENDING, Status
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.owned import find_row, find_workspace
from apps.studio.pictures import check_addresses
from apps.studio.prompting.standing import typed
from apps.studio.remedies import remedy_of
from apps.studio.shares import admit_rows
from apps.studio.states import NEEDS_PROMPT

MOST_IMAGES_SHOWN = 60


@dataclass(frozen=True)
class RowState:
    """`status`: idle, queued, running, partial, done, error or needs_you.

    `jobs`: the image jobs of the latest generation and of every other that is not over; `prompts`: the prompt jobs that
    are not over, and the newest one. Both oldest first.
    """

    row: Row
    status: str
    jobs: list[Job] = field(default_factory=list)
    prompts: list[Job] = field(default_factory=list)
    images: list[GeneratedImage] = field(default_factory=list)
    error: dict[str, str] | None = None

    @property
    def prompt_job(self) -> Job | None:
        return self.prompts[-1] if self.prompts else None

    @property
    def unfinished(self) -> list[Job]:
        """Images before their prompts: cancelling a prompt first would fail the images that wait for it."""
        return [job for job in (*self.jobs, *self.prompts) if job.status in LIVE]

    @property
    def runs(self) -> int:
        """How many presses of a button are not over: sets of images with their prompt, and prompts asked for alone."""
        images = [job for job in self.jobs if job.status in LIVE]
        theirs = {job.image_job.prompt_job_id for job in images}
        alone = [job for job in self.prompts if job.status in LIVE and job.pk not in theirs]
        return len({job.image_job.generation for job in images}) + len(alone)


def subject_of(row: Row) -> str:
    return f"row:{row.pk}"


def references_of(row: Row) -> list[str]:
    """The row's own references; null means the workspace's, an empty list none."""
    return row.workspace.default_ref_urls if row.ref_urls is None else row.ref_urls


def rows_with_state(rows: Iterable[Row]) -> list[RowState]:
    """The state of each row in six queries, however many rows there are."""
    rows = list(rows)
    live = _live_ids(rows)
    jobs, prompts, images = _image_jobs(rows, live), _prompt_jobs(rows, live), _images(rows)
    return [_state(row, jobs[row.pk], prompts[row.pk], images[row.pk]) for row in rows]


def _live_ids(rows: list[Row]) -> list[int]:
    """Of every job that is not over: two tabs or the API may have started more than one run of a row."""
    return list(Job.objects.live().filter(subject__in=map(subject_of, rows)).values_list("pk", flat=True))


def _image_jobs(rows: list[Row], live: list[int]) -> dict[UUID, list[Job]]:
    # Read first: the planner reads the whole table for "in a list or in a subquery".
    unfinished = ImageJob.objects.filter(job__in=live).values_list("generation", flat=True)
    generations = {*unfinished, *(row.generation for row in rows if row.generation)}
    details = ImageJob.objects.filter(generation__in=generations).select_related("job", "prompt_job").order_by("job_id")
    found: dict[UUID, list[Job]] = defaultdict(list)
    for detail in details:
        if detail.row_id:
            detail.job.image_job = detail
            found[detail.row_id].append(detail.job)
    return defaultdict(list, {row_id: latest_tries(jobs) for row_id, jobs in found.items()})


def latest_tries(jobs: list[Job]) -> list[Job]:
    """Without the jobs that were tried again: the newer one stands for them."""
    retried = {job.retry_of_id for job in jobs}
    return [job for job in jobs if job.pk not in retried]


def _prompt_jobs(rows: list[Row], live: list[int]) -> dict[UUID, list[Job]]:
    """The newest prompt job of each row, and those that are not over."""
    newest = PromptJob.objects.filter(row__in=rows).values("row").annotate(newest=Max("job_id"))
    wanted = {*live, *newest.values_list("newest", flat=True)}
    found: dict[UUID, list[Job]] = defaultdict(list)
    for detail in PromptJob.objects.filter(job__in=wanted).select_related("job").order_by("job_id"):
        detail.job.prompt_job = detail
        if detail.row_id:
            found[detail.row_id].append(detail.job)
    return found


def _images(rows: list[Row]) -> dict[UUID, list[GeneratedImage]]:
    found: dict[UUID, list[GeneratedImage]] = defaultdict(list)
    # A picture outlives its job, which is pruned after a month: without one it is older than all that have one.
    newest_first = (F("job_id").desc(nulls_last=True), F("created_at").desc(), F("index").asc())
    numbered = GeneratedImage.objects.filter(row__in=rows, late=False).annotate(
        place=Window(RowNumber(), partition_by="row", order_by=newest_first)
    )
    for image in numbered.filter(place__lte=MOST_IMAGES_SHOWN).order_by(*newest_first):
        if image.row_id:
            found[image.row_id].append(image)
    return found


def _state(row: Row, jobs: list[Job], prompts: list[Job], images: list[GeneratedImage]) -> RowState:
    return RowState(
        row=row,
        status=status_of(_facts(jobs, prompts, has_images=bool(images))),
        jobs=jobs,
        prompts=prompts,
        images=images,
        error=_error_of(jobs, prompts[-1] if prompts else None),
    )


@dataclass(frozen=True)
class RowFacts:
    """What a row's state follows from: the statuses of its image jobs (of the latest generation and of every other that is
    not over, without those that were tried again) and of its prompt jobs (those not over, and the newest one).

    `needs_prompt`: an image waits for a text from a person. `prompt_failed`: the newest prompt job did.
    """

    images: frozenset[str] = frozenset()
    prompts: frozenset[str] = frozenset()
    needs_prompt: bool = False
    prompt_failed: bool = False
    has_images: bool = False


def status_of(row: RowFacts) -> str:
    """One word for the row. Its one home: a page of rows and the index of all of them ask here."""
    if row.needs_prompt:
        return "needs_you"
    if Status.PROCESSING in row.images | row.prompts:
        return "running"
    if (row.images | row.prompts) & set(PENDING):
        return "queued"
    if not row.images:
        return "done" if row.has_images else "error" if row.prompt_failed else "idle"
    if row.images == {Status.COMPLETED}:
        return "done"
    if Status.COMPLETED in row.images:
        return "partial"
    return "error" if Status.FAILED in row.images else "done" if row.has_images else "idle"


def _facts(jobs: list[Job], prompts: list[Job], *, has_images: bool) -> RowFacts:
    return RowFacts(
        images=frozenset(job.status for job in jobs),
        prompts=frozenset(job.status for job in prompts),
        needs_prompt=any(job.reason == NEEDS_PROMPT and job.status == Status.WAITING for job in jobs),
        prompt_failed=bool(prompts) and prompts[-1].status == Status.FAILED,
        has_images=has_images,
    )


def _error_of(jobs: list[Job], prompt_job: Job | None) -> dict[str, str] | None:
    """The prompt's failure before its dependants', which only repeat it."""
    alone = prompt_job if prompt_job and (not jobs or prompt_job.pk > max(job.pk for job in jobs)) else None
    behind = [prompt_job] if prompt_job and any(job.error_code == "dependency_failed" for job in jobs) else []
    for job in [*behind, *jobs, *([alone] if alone else [])]:
        if job.status == Status.FAILED and job.error_code:
            return {
                "code": job.error_code,
                "message": job.error_message,
                "action": job.error_action,
                "remedy": remedy_of(job),
            }
    return None


def create_rows(*, user: User, workspace_id: UUID, rows: list[dict[str, object]]) -> list[Row]:
    """Adds rows at the end of the workspace. Fields as of Row: label, ref_urls, target_url, prompt_override, match_target_ratio."""
    workspace = find_workspace(user, workspace_id)
    check_addresses(user, *rows)
    with transaction.atomic():
        admit_rows(user, len(rows))
        # One writer at a time, so that two tabs do not give the same position.
        if not Workspace.objects.select_for_update().filter(pk=workspace.pk).exists():
            raise not_found("workspace")
        last = workspace.rows.aggregate(last=Max("position"))["last"]
        start = 0 if last is None else last + 1
        made = Row.objects.bulk_create(
            [Row(workspace=workspace, position=start + place, **fields) for place, fields in enumerate(rows)]
        )
        tell_edited(*made)
    return made


def update_row(*, user: User, row_id: UUID, fields: dict[str, object], prompt_was: str | None = None) -> Row:
    """Changes only what is named, so that two tabs that edit different fields both win.

    `prompt_was`: the text that the prompt was typed over. Problem 409, with the text that is there now, when another
    tab or program has saved a third one meanwhile; then nothing is changed.
    """
    found = find_row(user, row_id)
    check_addresses(user, {name: value for name, value in fields.items() if value != getattr(found, name, None)})
    with transaction.atomic():
        # Two tabs that save at once come one after the other, and the second one is told.
        rows = Row.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace__owner")
        row = rows.filter(pk=row_id).first()
        if row is None:
            raise not_found("row")
        known = {seen(str(text)) for text in (prompt_was, fields.get("prompt_override", prompt_was))}
        if prompt_was is not None and seen(row.prompt_text) not in known:
            raise _prompt_changed(row)
        if fields.get("prompt_override", row.written_prompt) != row.written_prompt:
            fields = fields | typed(fields["prompt_override"])
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=[*fields, "updated_at"])
        tell_edited(row)
    return row


def _prompt_changed(row: Row) -> Problem:
    return Problem(
        409,
        "prompt_changed",
        "Another prompt was saved for this row meanwhile.",
        "Look at both: send yours again with promptWas as it is now, or keep the other.",
        {"promptText": row.prompt_text, "updatedAt": row.updated_at.isoformat()},
    )


def tell_edited(*rows: Row) -> None:
    """Tells the owner's other tabs, after commit, that a person changed the rows; no job did, so no event says so."""
    edits = [(row.workspace.owner_id, subject_of(row), str(row.workspace_id)) for row in rows]
    transaction.on_commit(partial(announce.edited, edits), robust=True)
