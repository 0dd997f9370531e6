"""A row as the page shows it: every word, picture and button state decided here, so that the template only lays it out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import cached_property
from django.utils.text import Truncator

from apps.jobs.estimates import describe
from apps.jobs.models import Attempt, Job
from apps.jobs.states import LIVE, Status
from apps.pages.pictures import Picture, pictures_of
from apps.pages.results import ImageView, Slot, image_views, slot_of
from apps.pages.row_money import cost_of, costs_of, pictures_sent, prices_of
from apps.pages.row_status import RowStatus, status_of_row
from apps.pages.words import count, model_name, money
from apps.studio.models import PromptJob, Row
from apps.studio.quotes import Price
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
        return bool(self.state.unfinished)

    @property
    def writing(self) -> bool:
        return any(job.status in LIVE for job in self.state.prompts)

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
    def fix_jobs(self) -> list[UUID]:
        """The jobs that *Try it again* names; none where the prompt failed its images: they need another one first."""
        if any(job.error_code == "dependency_failed" for job in self.state.jobs):
            return []
        prompt = self.state.prompt_job
        return [job.uid for job in self.failed_jobs] or ([prompt.uid] if prompt else [])

    @property
    def cannot(self) -> bool:
        return self.making or not self.row.target_url

    @property
    def next_step(self) -> str:
        """Which button is filled: one a row, and none while it works or when it is done."""
        if self.cannot or self.told.fix in {"target", "retry"} or self.status not in {"idle", "error", "needs_you"}:
            return ""
        typed = self.status == "needs_you" or self.told.fix == "prompt" or self.row.prompt_override
        return "own" if typed else "ai"

    @property
    def run_key(self) -> str:
        """The same for everybody who looks at this state of the row: two tabs that press at once make one run."""
        row, prompt = self.row, self.state.prompt_job
        pictures = (references_of(row), row.target_url, row.match_target_ratio)
        asked = (row.workspace.images_per_generate, row.prompt_override, *pictures)
        seen = (row.pk, row.generation, prompt.pk if prompt else 0, self.status == "needs_you", *asked)
        return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:32]

    @property
    def unquoted(self) -> bool:
        """The page asks for its price. A row in its target's shape has a size of its own, which is not looked up here."""
        known = self.price is not None and self.price.source == "quoted"
        return bool(self.row.target_url) and not known and not self.row.match_target_ratio

    @property
    def shape(self) -> str:
        """Rows of one shape cost the same."""
        return str(pictures_sent(self.row))

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
        """Of every run that is not over, as its jobs must be stopped: images before their prompt."""
        return [job.uid for job in self.state.unfinished if not job.cancel_requested_at]

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
    live = [job for state in states for job in state.unfinished]
    _load_last_errors(live)
    outlooks = describe(live) if live else {}
    costs, pictures, prices = costs_of(states), _pictures(rows), prices_of(rows)
    return [
        RowView(
            state,
            numbers.get(state.row.pk, 0),
            status_of_row(state, outlooks, cost_of(state, costs)),
            pictures,
            prices[pictures_sent(state.row)],
        )
        for state in states
    ]


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
