"""A row as the page shows it: every word, picture and button state decided here, so that the template only lays it out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.utils.functional import cached_property
from django.utils.text import Truncator

from apps.jobs.estimates import describe
from apps.jobs.models import Attempt, Job
from apps.jobs.states import LIVE, Status
from apps.pages.pictures import Picture, pictures_of
from apps.pages.results import ImageView, Slot, image_views, slot_of
from apps.pages.row_status import RowStatus, status_of_row
from apps.pages.words import count, model_name, money
from apps.providers import calls
from apps.studio.models import PromptJob, Row
from apps.studio.quotes import Price, known_price
from apps.studio.rows import RowState, references_of, rows_with_state

SHOWN = 6  # pictures in a row; the lightbox has the others too


@dataclass(frozen=True)
class RowView:
    """`status` comes from RowState; what it says in words is in `told`."""

    state: RowState
    number: int
    told: RowStatus
    pictures: Mapping[str, Picture]
    price: Price | None = None

    @property
    def row(self) -> Row:
        return self.state.row

    @property
    def status(self) -> str:
        return self.state.status

    @property
    def busy(self) -> bool:
        return self.status in {"queued", "running"} or any(job.status in LIVE for job in self.state.jobs)

    @property
    def writing(self) -> bool:
        return self.state.prompt_job is not None and self.state.prompt_job.status in LIVE

    @property
    def making(self) -> bool:
        """Images are under way, so that asking again would double them."""
        return any(job.status in LIVE for job in self.state.jobs) and self.status != "needs_you"

    # ---- references and target
    @cached_property
    def refs(self) -> list[Picture]:
        return [self.pictures[url] for url in references_of(self.row) if url in self.pictures]

    @property
    def refs_note(self) -> str:
        if self.row.ref_urls is None:
            return "workspace default" if self.refs else "no default yet"
        return "own" if self.row.ref_urls else "none for this row"

    @property
    def room_for_reference(self) -> bool:
        return not self.refs or (self.row.ref_urls is not None and len(self.refs) < 2)

    @property
    def refs_json(self) -> str:
        return json.dumps(self.row.ref_urls)

    @property
    def default_refs_json(self) -> str:
        return json.dumps(self.row.workspace.default_ref_urls)

    @property
    def target(self) -> Picture | None:
        picture = self.pictures.get(self.row.target_url)
        if picture and self.row.label:
            return Picture(picture.url, self.row.label, picture.thumb)
        return picture

    @property
    def target_broken(self) -> bool:
        return self.told.fix == "target"

    # ---- prompt
    @property
    def placeholder(self) -> str:
        if self.writing:
            return "The prompt arrives here; you can still type your own."
        if self.status == "needs_you":
            return "Type the prompt, then press Generate."
        return (
            Truncator(self._last_written).chars(160)
            or self.row.workspace.default_prompt
            or "Type a prompt, or let one be written."
        )

    @property
    def _last_written(self) -> str:
        """The prompt that a model wrote for the last images, where the row has none of its own."""
        asked = self._asked
        made = asked is not None and any(job.image_job.prompt_job_id == asked.pk for job in self.state.jobs)
        return asked.generated_prompt if asked and made else ""

    @property
    def note(self) -> str:
        asked = self._asked
        if self.writing:
            return "Grok will write it here" if asked and asked.apply_to_row else "Grok writes one for the images"
        if not self.row.prompt_override:
            return self._unwritten_note()
        if asked and asked.generated_prompt.strip() == self.row.prompt_override.strip():
            return _author(asked)
        return "Typed by you"

    def _unwritten_note(self) -> str:
        if self.status == "needs_you":
            return "Waits for you"
        if self._last_written and self._asked:
            return f"{_author(self._asked)}, for the last images"
        return "Uses the workspace default" if self.row.workspace.default_prompt else "No own prompt"

    @property
    def _asked(self) -> PromptJob | None:
        return getattr(self.state.prompt_job, "prompt_job", None)

    # ---- generate
    @property
    def failed_jobs(self) -> list[Job]:
        return [job for job in self.state.jobs if job.status in (Status.FAILED, Status.CANCELLED)]

    @property
    def retry(self) -> list[UUID]:
        """The jobs that *Try the n again* names: only where others of the same run made it."""
        return [job.uid for job in self.failed_jobs] if self.status == "partial" else []

    @property
    def retry_count(self) -> int:
        return len(self.retry)

    @property
    def again(self) -> str:
        """How the last run got its prompt: AI Generate or Generate."""
        last = self.state.jobs[-1] if self.state.jobs else None
        return "ai" if last is not None and last.image_job.prompt_job_id else "own"

    @property
    def cannot(self) -> bool:
        return self.making or not self.row.target_url

    @property
    def next_step(self) -> str:
        """Which button is filled: one a row, and none while it works or when it is done."""
        if self.cannot or self.told.fix or self.status not in {"idle", "error", "needs_you"}:
            return ""
        return "own" if self.status == "needs_you" and self.row.prompt_override else "ai"

    @property
    def quote(self) -> str:
        """How many images, and what they cost: as quoted, else about as much as the last one of this model."""
        if not self.row.target_url:
            return "Choose a target first"
        made = len(self.state.jobs) if self.making else self.row.workspace.images_per_generate
        if self.price is None or self.price.amount is None:
            return count(made, "image")
        about = "" if self.price.source == "quoted" else "about "
        return f"{count(made, 'image')} · {about}{money(made * self.price.amount)}"

    @property
    def cancel(self) -> list[UUID]:
        """Images before their prompt: cancelling the prompt alone would fail them."""
        live = [*self.state.jobs, *([self.state.prompt_job] if self.state.prompt_job else [])]
        return [job.uid for job in live if job.status in LIVE and not job.cancel_requested_at]

    # ---- results
    @cached_property
    def images(self) -> list[ImageView]:
        """Of the last run, or of earlier ones when it has none and none is coming."""
        return self._in_sight[0]

    @cached_property
    def more_images(self) -> list[ImageView]:
        """The others: out of sight in the table, in the lightbox's film."""
        return self._in_sight[1]

    @cached_property
    def _in_sight(self) -> tuple[list[ImageView], list[ImageView]]:
        latest = {job.pk for job in self.state.jobs}
        ordered = sorted(self.state.images, key=lambda image: image.job_id not in latest)
        fresh = sum(1 for image in ordered if image.job_id in latest)
        shown = fresh if fresh or self.slots else SHOWN
        every = image_views(ordered)
        return every[:shown], every[shown:]

    @property
    def slots(self) -> list[Slot]:
        if not self.making and self.status != "partial":
            return []
        done = {image.job_id for image in self.state.images}
        return [slot_of(job) for job in self.state.jobs if job.pk not in done and job.status != Status.COMPLETED]

    @property
    def job_uid(self) -> UUID | None:
        last = self.state.jobs[0] if self.state.jobs else self.state.prompt_job
        return last.uid if last else None

    @property
    def announcement(self) -> str:
        """Said once when the row stops working."""
        return f"Row {self.number}: {self.told.word}. {' '.join(str(line.text) for line in self.told.lines)}".strip()


def _author(asked: PromptJob) -> str:
    if asked.source == PromptJob.Source.TEMPLATE:
        return "Made from the template: no prompt could be written"
    if asked.source == PromptJob.Source.DEFAULT:
        return "The workspace default: no prompt could be written"
    again = ", used again at no cost" if asked.reused_from_id else ""
    return f"Written by {model_name(asked.model_answered or asked.model_asked or 'grok')}{again}"


def row_views(rows: Sequence[Row], numbers: Mapping[UUID, int]) -> list[RowView]:
    """The rows of one workspace, in the given order; a number of queries that does not grow with them."""
    states = rows_with_state(rows)
    live = [job for state in states for job in _jobs_of(state) if job.status in LIVE]
    _load_last_errors(live)
    outlooks = describe(live) if live else {}
    costs = calls.costs([job.pk for state in states for job in _jobs_of(state)])
    pictures, price = _pictures(rows), _price_of_one(rows)
    return [
        RowView(
            state, numbers.get(state.row.pk, 0), status_of_row(state, outlooks, _cost(state, costs)), pictures, price
        )
        for state in states
    ]


def _price_of_one(rows: Sequence[Row]) -> Price | None:
    """Of one image of the workspace, without asking the provider."""
    if not rows:
        return None
    workspace = rows[0].workspace
    model = workspace.generation_model or settings.IMAGE_MODEL
    pictures = len(workspace.default_ref_urls) + 1
    return known_price(model, pictures=pictures, size=(workspace.output_width, workspace.output_height))


def _jobs_of(state: RowState) -> list[Job]:
    return [*state.jobs, *([state.prompt_job] if state.prompt_job else [])]


def _cost(state: RowState, costs: Mapping[int, Decimal]) -> Decimal:
    """Of the last run: its images, and the prompt written for them."""
    ids = {job.pk for job in state.jobs} | {job.image_job.prompt_job_id for job in state.jobs}
    return sum((costs.get(pk, Decimal(0)) for pk in ids if pk), Decimal(0))


def _pictures(rows: Sequence[Row]) -> Mapping[str, Picture]:
    if not rows:
        return {}
    urls = [url for row in rows for url in [*references_of(row), row.target_url]]
    return pictures_of(urls, owner_id=rows[0].workspace.owner_id)


def _load_last_errors(jobs: Sequence[Job]) -> None:
    """What ended the try before, for jobs that will be tried again (words: `backoff_until`)."""
    retrying = {job.pk: job for job in jobs if job.status == Status.SCHEDULED and job.attempt}
    for past in Attempt.objects.filter(job_id__in=retrying).order_by("number") if retrying else ():
        retrying[past.job_id].last_error = past.error_message  # type: ignore[attr-defined]
