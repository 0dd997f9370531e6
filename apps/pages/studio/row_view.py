"""A row as the page shows it: every word, picture and button state decided here, so that the template only lays it out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.utils.functional import cached_property

from apps.core.errors import Remedy
from apps.desk.estimates import describe
from apps.jobs.models import Attempt, Job
from apps.jobs.states import LIVE, Status
from apps.orders.quotes import Price
from apps.pages.studio.pictures import Picture, pictures_of
from apps.pages.studio.prompt_words import PromptTrouble, author
from apps.pages.studio.results import ImageView, Slot, image_views, slot_of
from apps.pages.studio.row_money import cost_of, costs_of, pictures_sent, prices_of
from apps.pages.studio.row_status import RowStatus, status_of_row
from apps.pages.words import count, money
from apps.studio.models import PromptJob, Row
from apps.studio.prompting.standing import Standing, standing_prompt, usable_prompt
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
    prompt_cost: Decimal | None = Decimal(0)

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
            return replace(picture, name=self.row.label)
        return picture

    @cached_property
    def remote(self) -> list[Picture]:
        """Those that lie at an address of somebody else's, which may hold another picture by now."""
        return [one for one in (*self.refs, *([self.target] if self.target else [])) if one.remote]

    @property
    def remote_json(self) -> str:
        return json.dumps([one.url for one in self.remote])

    @property
    def fetched(self) -> str:
        """Since when the oldest of them is as we have it (RFC 3339); empty while none was fetched."""
        times = [one.fetched_at for one in self.remote if one.fetched_at]
        return min(times).isoformat() if times else ""

    @property
    def target_broken(self) -> bool:
        return self.told.remedy == Remedy.NEW_TARGET

    # ---- prompt
    @property
    def placeholder(self) -> str:
        if self.writing:
            return "The prompt arrives here; you can still type your own."
        if self.status == "needs_you":
            return "Type the prompt, then press Generate."
        return self.row.workspace.default_prompt or "Type a prompt, or let one be written."

    @cached_property
    def prompt(self) -> Standing:
        return standing_prompt(self.row)

    @property
    def note(self) -> str:
        """Whose text stands in the field, and whether the newest pictures were made from another."""
        if self.writing:
            whose = f"{self._whose} · " if self.prompt.text else ""
            return f"{whose}Grok writes a new one" if whose else "Grok will write it here"
        if self.status == "needs_you" and not self.prompt.text:
            return "Waits for you"
        return f"{self._whose} · the pictures are of another text" if self._pictures_are_of_another else self._whose

    @property
    def _whose(self) -> str:
        if not self.prompt.text:
            return "Uses the workspace default" if self.row.workspace.default_prompt else "No own prompt"
        if self.prompt.source != PromptJob.Source.MANUAL:
            asked = self._asked
            reused = bool(asked and asked.reused_from_id and asked.generated_prompt == self.prompt.text)
            return author(self.prompt, reused=reused)
        return "Typed by you"

    @property
    def _pictures_are_of_another(self) -> bool:
        newest = max(self.state.images, key=lambda image: (image.job_id or 0, image.index), default=None)
        text, _ = usable_prompt(self.row)
        return newest is not None and bool(newest.prompt) and newest.prompt.strip() != text and not self.making

    @cached_property
    def prompt_trouble(self) -> PromptTrouble | None:
        """A prompt that was asked for alone and could not be written, on a row whose status tells of its pictures:
        until it is put away, asked for again, or pictures are."""
        asked = self.state.prompt_job
        if asked is None or asked.status != Status.FAILED or (self.status == "error" and not self.state.jobs):
            return None
        run = max((job.pk for job in self.state.jobs), default=0)
        if asked.pk < run or asked.uid == self.row.trouble_read:
            return None
        return PromptTrouble.of(asked, self.prompt_cost)

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
        remedy, typed = self.told.remedy, bool(self.row.prompt_text)
        if self.cannot or self.status not in {"idle", "error", "needs_you"}:
            return ""
        if remedy in {Remedy.NEW_TARGET, Remedy.RETRY, Remedy.SETTLE} or self.needs_other_words:
            return ""
        if remedy == Remedy.NEW_PROMPT and not self._declined:  # it was the model that wrote none: a person types one
            return "own"
        return "own" if typed or self.status == "needs_you" else "ai"

    @property
    def needs_other_words(self) -> bool:
        """The prompt in the field is the one that was declined: the same again would be declined again."""
        return self.told.remedy == Remedy.NEW_PROMPT and self.row.prompt_text.strip() in self._declined

    @property
    def _declined(self) -> set[str]:
        """The prompts of the images that failed."""
        return {job.image_job.prompt.strip() for job in self.failed_jobs if job.image_job.prompt}

    @property
    def run_key(self) -> str:
        """The same for everybody who looks at this state of the row: two tabs that press at once make one run."""
        row, prompt = self.row, self.state.prompt_job
        pictures = (references_of(row), row.target_url, row.match_target_ratio)
        asked = (row.workspace.images_per_generate, row.prompt_text, *pictures)
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
        if self.retry:
            again = f"all again {self._priced(self.row.workspace.images_per_generate)}"
            return f"{self._priced(self.retry_count)}; {again}"
        return self._priced(len(self.state.jobs) if self.making else self.row.workspace.images_per_generate)

    def _priced(self, images: int) -> str:
        if self.price is None or self.price.amount is None:
            return count(images, "image")
        about = "" if self.price.source == "quoted" else "about "
        return f"{count(images, 'image')} · {about}{money(images * self.price.amount)}"

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
    def before(self) -> list[ImageView]:
        """Of earlier runs, beside the last one: what is finished never makes place for what comes."""
        return self._in_sight[1]

    @cached_property
    def more_images(self) -> list[ImageView]:
        """The others: out of sight in the table, in the lightbox's film."""
        return self._in_sight[2]

    @cached_property
    def _in_sight(self) -> tuple[list[ImageView], list[ImageView], list[ImageView]]:
        latest = {job.pk for job in self.state.jobs}
        ordered = sorted(self.state.images, key=lambda image: image.job_id not in latest)
        every, fresh = image_views(ordered), sum(1 for image in ordered if image.job_id in latest)
        if not fresh and not self.slots:
            return every[:SHOWN], [], every[SHOWN:]
        return every[:fresh], every[fresh : fresh + SHOWN], every[fresh + SHOWN :]

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
        trouble = f"{self.prompt_trouble.said} " if self.prompt_trouble else ""
        return f"Row {self.number}: {trouble}{self.told.word}. {' '.join(str(one.text) for one in self.told.lines)}".strip()


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
            costs.get(state.prompt_job.pk, Decimal(0)) if state.prompt_job else Decimal(0),
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
