"""A prompt job: ask the models of the chain in order until one writes a prompt that passes the checks."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from apps.assets.images import data_uri
from apps.core.errors import Problem
from apps.core.failpoints import failpoint
from apps.jobs import budgets, calling, lifecycle
from apps.jobs.handlers import Done, GiveUp, Handler, RetryLater, Run
from apps.jobs.models import Job
from apps.jobs.states import Stage, Status
from apps.jobs.values import Failure
from apps.providers import calls
from apps.providers.errors import ContentRefused, OutcomeUnknown, ProviderError, RequestTooLarge, Truncated
from apps.providers.models import Call, CallState
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, TextPart
from apps.providers.xai.client import XaiClient
from apps.providers.xai.errors import shortcoming
from apps.studio.models import ImageJob, PromptJob, PromptPolicy, Row
from apps.studio.pictures import assets_of
from apps.studio.prompting.chain import ERROR, REFUSAL, TOO_LONG, Entry, chain
from apps.studio.prompting.checks import Rejected, accepted
from apps.studio.prompting.strategies import MAX_TOKENS, strategy_for, user_text
from apps.studio.prompting.template import from_template
from apps.studio.quotes import prompt_price, wanted_for_prompt

log = structlog.get_logger(__name__)

CALL_SECONDS = 60.0
REFUSED = Failure(
    "prompt_refused", "Grok declined to write a prompt for this row.", "Type a prompt and press Generate."
)
REJECTED = Failure("prompt_rejected", "Grok answered, but not with a usable prompt.", "Try it again, or type a prompt.")


@dataclass(frozen=True)
class Written:
    """A prompt and where it is from."""

    prompt: str
    source: str
    model_asked: str = ""
    model_answered: str = ""


@dataclass(frozen=True)
class Setback:
    """One model of the chain did not deliver: the kind of failure, and what it means if nobody else does."""

    kind: str
    end: RetryLater | GiveUp
    said: str


class PromptHandler(Handler):
    def run(self, run: Run) -> Done:
        prompt_job = PromptJob.objects.select_related("row__workspace").get(job_id=run.lease.job_id)
        written = _paid_already(prompt_job) or _write(run, prompt_job)
        return Done(store=_storing(prompt_job, written))

    def failed(self, job: Job, failure: Failure) -> None:
        """The policy decides what becomes of the images that wait: a person's prompt, or failing too."""
        prompt_job = PromptJob.objects.get(job=job)
        waiting = list(Job.objects.filter(waits_for=job, status=Status.WAITING).values_list("pk", flat=True))
        made_up = _made_up(prompt_job)
        if made_up:  # only after crashes: a run that ends by itself has used it already
            _give_to_images(prompt_job, made_up)
            lifecycle.release(waiting, reason="prompt_made_up")
        elif prompt_job.on_failure == PromptPolicy.WAIT:
            lifecycle.wait_for_person(waiting)

    def clone(self, old: Job, new_id: int) -> None:
        asked = PromptJob.objects.get(job=old)
        again = PromptJob.objects.create(
            job_id=new_id,
            row=asked.row,
            ref_urls=asked.ref_urls,
            target_url=asked.target_url,
            operation=asked.operation,
            existing_prompt=asked.existing_prompt,
            instructions=asked.instructions,
            strategy=asked.strategy,
            on_failure=asked.on_failure,
            apply_to_row=asked.apply_to_row,
        )
        budgets.set_aside([wanted_for_prompt(again, old.owner_id)])

    def reconcile(self, job: Job) -> None:
        """A text call whose worker died: its answer cannot be asked for again, so it stays flagged as unknown."""
        for call in calls.open_calls(job.pk):
            calls.unknown(call, _gone(call))


def _paid_already(prompt_job: PromptJob) -> Written | None:
    """An answer that an earlier attempt paid for and had no time to store; open calls are flagged and may be sent once more."""
    for call in calls.open_calls(prompt_job.job_id):
        calls.unknown(call, _gone(call))
    for call in Call.objects.filter(job_id=prompt_job.job_id, purpose="chat", state=CallState.SUCCEEDED):
        try:
            return Written(
                accepted(str((call.result or {}).get("text", ""))),
                PromptJob.Source.MODEL,
                call.model_asked,
                call.model_answered,
            )
        except Rejected:
            continue
    return None


def _gone(call: Call) -> ProviderError:
    return ProviderError(call.provider, detail="The worker died while it waited for the answer.", sent=None)


def _write(run: Run, prompt_job: PromptJob) -> Written:
    """Goes through the chain; then, when this was the last try, the workspace's policy."""
    parts = _parts(run, prompt_job)
    prompt_job.tried = []
    setback: Setback | None = None
    for entry in chain():
        if setback and not entry.steps_in_for(setback.kind):
            continue
        run.check()
        answer = _ask(run, prompt_job, entry, parts)
        if isinstance(answer, Written):
            return answer
        setback = answer
    assert setback is not None, "the chain is empty: manage.py check names it"
    return _after_all_failed(run, prompt_job, setback)


def _after_all_failed(run: Run, prompt_job: PromptJob, setback: Setback) -> Written:
    end = setback.end
    held = isinstance(end, RetryLater) and end.reason != "backoff_until"
    tries_left = run.lease.failures < run.lease.max_retries
    PromptJob.objects.filter(pk=prompt_job.pk).update(tried=prompt_job.tried)
    if isinstance(end, RetryLater) and (held or tries_left):
        raise end
    made_up = _made_up(prompt_job)
    if made_up is None:
        raise end
    return made_up


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
        raise GiveUp(Failure(problem.code, problem.detail, problem.action)) from problem
    pictures = [ImagePart(data_uri(asset)) for asset in assets]
    return (*pictures, TextPart(user_text(prompt_job, references=len(prompt_job.ref_urls))))


def _ask(run: Run, prompt_job: PromptJob, entry: Entry, parts: tuple[TextPart | ImagePart, ...]) -> Written | Setback:
    run.stage(Stage.WRITING)
    strategy = strategy_for(prompt_job)
    request = ChatRequest(model=entry.model, system=strategy.system, parts=parts, max_tokens=MAX_TOKENS)
    try:
        most = prompt_price(entry.model, prompt_job).amount
        budgets.cover(run.lease, provider="xai", amount=most or Decimal(0))
        answer = _paid_answer(run, request, strategy=f"{strategy.name}.{strategy.version}", pictures=len(parts) - 1)
        prompt = accepted(answer.text)
    except RetryLater as held:
        return _note(prompt_job, entry, Setback(ERROR, held, held.failure.message))
    except ProviderError as error:
        return _note(prompt_job, entry, _setback(error))
    except Rejected as rejection:
        kind = {"refusal": REFUSAL, "too_long": TOO_LONG}.get(rejection.code, ERROR)
        return _note(
            prompt_job, entry, Setback(kind, GiveUp(REFUSED if kind == REFUSAL else REJECTED), rejection.message)
        )
    prompt_job.tried.append({"model": entry.model, "answered": answer.model, "outcome": "accepted", "said": ""})
    return Written(prompt, PromptJob.Source.MODEL, entry.model, answer.model)


def _paid_answer(run: Run, request: ChatRequest, *, strategy: str, pictures: int) -> ChatAnswer:
    """One call in the ledger: its intent before it leaves, what it cost before anything else is done with the answer."""
    seconds = min(CALL_SECONDS, run.remaining)
    _mark_resent(run.lease.job_id)
    with calling.permit(provider="xai", model=request.model, seconds=seconds):
        call = calls.begin(
            job_id=run.lease.job_id,
            attempt=run.lease.attempt,
            owner_id=run.lease.owner_id,
            provider="xai",
            purpose="chat",
            model=request.model,
            inputs={"strategy": strategy, "pictures": pictures},
        )
        failpoint("before_chat")
        try:
            answer = XaiClient.from_settings().chat(request, seconds=seconds)
        except ProviderError as error:
            (calls.failed if error.outcome_known else calls.unknown)(call, error)
            calling.report(provider="xai", model=request.model, error=error)
            raise
    failpoint("after_chat")
    calls.succeeded(
        call,
        result={"text": answer.text, "refusal": answer.refusal, "finish_reason": answer.finish_reason},
        model_answered=answer.model,
        usage=dict(answer.usage.raw),
        cost_usd=answer.cost_usd,
        cost_source=answer.cost_source,
        provider_id=answer.id,
        http_status=answer.http_status,
    )
    failpoint("after_answer")
    calling.report(provider="xai", model=request.model, error=None)
    lacking = shortcoming(answer)
    if lacking:
        raise lacking
    return answer


def _mark_resent(job_id: int) -> None:
    """After one call of unknown outcome another is sent, and the first flagged; after two, none. Raises OutcomeUnknown."""
    unheard = list(Call.objects.filter(job_id=job_id, purpose="chat", state=CallState.UNKNOWN))
    if any(call.resent for call in unheard):
        raise OutcomeUnknown("xai", message="Grok was asked twice, and no answer came back either time.")
    for call in unheard:
        calls.resent(call)


def _setback(error: ProviderError) -> Setback:
    if isinstance(error, ContentRefused):
        return Setback(REFUSAL, GiveUp(REFUSED), error.detail or error.message)
    if isinstance(error, RequestTooLarge | Truncated):
        return Setback(TOO_LONG, calling.verdict(error), error.message)
    return Setback(ERROR, calling.verdict(error), error.message)


def _note(prompt_job: PromptJob, entry: Entry, setback: Setback) -> Setback:
    prompt_job.tried.append({"model": entry.model, "answered": "", "outcome": setback.kind, "said": setback.said[:300]})
    log.info("model_failed", model=entry.model, kind=setback.kind)
    return setback


def _storing(prompt_job: PromptJob, written: Written) -> Callable[[], None]:
    def store() -> None:
        PromptJob.objects.filter(pk=prompt_job.pk).update(
            generated_prompt=written.prompt,
            source=written.source,
            model_asked=written.model_asked,
            model_answered=written.model_answered,
            tried=prompt_job.tried,
        )
        _give_to_images(prompt_job, written)
        if prompt_job.apply_to_row:
            Row.objects.filter(prompt_jobs=prompt_job, prompt_override=prompt_job.existing_prompt).update(
                prompt_override=written.prompt
            )

    return store


def _give_to_images(prompt_job: PromptJob, written: Written) -> None:
    ImageJob.objects.filter(prompt_job=prompt_job).update(prompt=written.prompt, prompt_source=written.source)
