"""A prompt job: ask the models of the chain in order until one writes a prompt that passes the checks."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

import structlog

from apps.assets.library import data_uri
from apps.core.errors import Problem, Remedy
from apps.jobs import lifecycle
from apps.jobs.handlers import Done, GiveUp, Handler, RetryLater, Run
from apps.jobs.models import Job
from apps.jobs.states import Stage, Status
from apps.jobs.values import Failure
from apps.orders import budgets, chat, settling
from apps.orders.chain import ACCEPTED, REFUSAL, Entry, Setback, ask_in_order, end_of
from apps.providers import calls, spending
from apps.providers.types import ImagePart, TextPart
from apps.studio.comparison import add_to_sums
from apps.studio.models import ImageJob, PromptJob, PromptPolicy
from apps.studio.owned import ROW_GONE, has_place, hold_row, no_place
from apps.studio.pictures import assets_of, picture_failure
from apps.studio.prompting.asking import Written, ask, cannot, note
from apps.studio.prompting.chain import chain
from apps.studio.prompting.checks import Rejected, accepted
from apps.studio.prompting.reuse import written_before
from apps.studio.prompting.standing import put_in_row
from apps.studio.prompting.strategies import user_text
from apps.studio.prompting.template import from_template
from apps.studio.quotes import wanted_for_prompt
from apps.studio.states import NEEDS_PROMPT, WRITING

log = structlog.get_logger(__name__)


class PromptHandler(Handler):
    def run(self, run: Run) -> Done:
        prompt_job = PromptJob.objects.select_related("row__workspace").get(job_id=run.lease.job_id)
        written = _paid_already(run, prompt_job) or _written_before(prompt_job) or _write(run, prompt_job)
        return Done(store=_storing(prompt_job, written))

    def failed(self, job: Job, failure: Failure) -> None:
        """The policy decides what becomes of the images that wait: a person's prompt, or failing too."""
        prompt_job = PromptJob.objects.get(job=job)
        waiting = list(Job.objects.filter(waits_for=job, status=Status.WAITING).values_list("pk", flat=True))
        made_up = _made_up(prompt_job)
        if made_up:  # the run itself could not: its worker died, or its pictures are gone
            _give_to_images(prompt_job, made_up)
            put_in_row(prompt_job, prompt=made_up.prompt, source=made_up.source)
            lifecycle.release(waiting, reason="prompt_made_up")
        elif prompt_job.on_failure == PromptPolicy.WAIT:
            lifecycle.wait_for_person(waiting, reason=NEEDS_PROMPT)
            spending.let_go(waiting)

    def clone(self, old: Job, new_id: int) -> None:
        asked = PromptJob.objects.get(job=old)
        if not hold_row(asked.row_id):
            raise no_place()
        again = PromptJob.objects.create(
            job_id=new_id,
            row=asked.row,
            ref_urls=asked.ref_urls,
            target_url=asked.target_url,
            operation=asked.operation,
            existing_prompt=asked.existing_prompt,
            instructions=asked.instructions,
            strategy=asked.strategy,
            strategy_version=asked.strategy_version,
            request_digest=asked.request_digest,
            on_failure=asked.on_failure,
            apply_to_row=asked.apply_to_row,
            # Whoever tries again wants it in the field, whatever was typed since; that text can be gone back to.
            row_prompt=asked.row.prompt_override if asked.row and asked.row_prompt is not None else None,
        )
        budgets.set_aside([wanted_for_prompt(again, old.owner_id)])

    def pruned(self, job_ids: Sequence[int]) -> None:
        add_to_sums(job_ids)

    def reconcile(self, job: Job) -> None:
        """A text call whose worker died: its answer cannot be asked for again, so it stays flagged as unknown."""
        for call in calls.open_calls(job.pk):
            settling.settle(call)


def _paid_already(run: Run, prompt_job: PromptJob) -> Written | None:
    """An answer that an earlier attempt paid for and had no time to store."""
    for answer in chat.paid_answers(prompt_job.job_id):
        try:
            prompt = accepted(answer.text)
        except Rejected:
            continue
        asked, answered = answer.model_asked, answer.model_answered
        note(run, prompt_job, model=asked, answered=answered, outcome=ACCEPTED, cost_usd=answer.cost_usd)
        return Written(prompt, PromptJob.Source.MODEL, asked, answered)
    return None


def _written_before(prompt_job: PromptJob) -> Written | None:
    """The same request was answered before, and the workspace allows that answer to be used again: no call is made."""
    before = written_before(prompt_job)
    if before is None:
        return None
    source = PromptJob.Source.MODEL
    return Written(before.generated_prompt, source, before.model_asked, before.model_answered, before.pk)


def _write(run: Run, prompt_job: PromptJob) -> Written:
    """Goes through the chain; then, when this was the last try, the workspace's policy."""
    if not has_place(prompt_job):
        raise GiveUp(ROW_GONE)
    parts = _parts(run, prompt_job)

    def one(entry: Entry) -> Written | Setback:
        run.check()
        run.stage(WRITING)
        return cannot(run, prompt_job, entry) or ask(run, prompt_job, entry, parts)

    written = ask_in_order(chain(), one, may_step_in=partial(_may_step_in, prompt_job))
    if isinstance(written, Written):
        return written
    end = end_of(run, written)
    made_up = _made_up(prompt_job)
    if made_up is None:
        raise end
    return made_up


def _may_step_in(prompt_job: PromptJob, kind: str) -> bool:
    """A refusal is shopped around only where the owner says so, and then only to entries that are there for refusals."""
    workspace = prompt_job.row.workspace if prompt_job.row else None
    return kind != REFUSAL or bool(workspace and workspace.shop_refusals)


def _made_up(prompt_job: PromptJob) -> Written | None:
    """What the policy puts in place of a model's prompt; None when it puts nothing."""
    workspace = prompt_job.row.workspace if prompt_job.row else None
    if prompt_job.on_failure == PromptPolicy.TEMPLATE:
        return Written(from_template(prompt_job, workspace), PromptJob.Source.TEMPLATE)
    if prompt_job.on_failure == PromptPolicy.DEFAULT and workspace and workspace.default_prompt.strip():
        return Written(workspace.default_prompt.strip(), PromptJob.Source.DEFAULT)
    return None


def _parts(run: Run, prompt_job: PromptJob) -> tuple[TextPart | ImagePart, ...]:
    """References first, target last, then the words."""
    run.stage(Stage.READING)
    try:
        assets = assets_of([*prompt_job.ref_urls, prompt_job.target_url])
    except Problem as problem:
        raise GiveUp(picture_failure(problem)) from problem
    try:
        pictures = [ImagePart(data_uri(asset)) for asset in assets]
    except (Problem, FileNotFoundError) as error:
        raise _not_read(error) from error
    return (*pictures, TextPart(user_text(prompt_job, references=len(prompt_job.ref_urls))))


def _not_read(error: Problem | FileNotFoundError) -> RetryLater | GiveUp:
    if isinstance(error, FileNotFoundError):
        said = "The file of a picture of this row is missing on the disk."
        return GiveUp(Failure("picture_lost", said, "Add it again.", Remedy.NEW_TARGET))
    failure = picture_failure(error)
    return RetryLater(failure) if error.status == HTTPStatus.SERVICE_UNAVAILABLE else GiveUp(failure)


def _storing(prompt_job: PromptJob, written: Written) -> Callable[[], None]:
    def store() -> None:
        PromptJob.objects.filter(pk=prompt_job.pk).update(
            generated_prompt=written.prompt,
            source=written.source,
            model_asked=written.model_asked,
            model_answered=written.model_answered,
            reused_from=written.reused_from,
        )
        _give_to_images(prompt_job, written)
        answered = written.model_answered or written.model_asked
        put_in_row(prompt_job, prompt=written.prompt, source=written.source, model=answered)

    return store


def _give_to_images(prompt_job: PromptJob, written: Written) -> None:
    ImageJob.objects.filter(prompt_job=prompt_job).update(prompt=written.prompt, prompt_source=written.source)
