"""One model of the chain is asked for a prompt: leave and money first, then the paid call, then the check of its answer.

Whatever comes of it is written down in `PromptJob.tried`: who was asked, who answered, what was said, what it cost.
"""

from dataclasses import dataclass
from decimal import Decimal

import structlog

from apps.core.errors import Remedy
from apps.jobs.handlers import GiveUp, RetryLater, Run
from apps.jobs.values import Failure
from apps.orders import chat
from apps.orders.chain import (
    ACCEPTED,
    ERROR,
    HELD,
    INCAPABLE,
    REFUSAL,
    TOO_LONG,
    Entry,
    Setback,
    held_back,
    setback_of,
)
from apps.providers.catalogue import find_model
from apps.providers.errors import ProviderError
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, TextPart
from apps.studio.models import PromptJob
from apps.studio.prompting.checks import LONGEST, Rejected, accepted
from apps.studio.prompting.strategies import MAX_TOKENS, strategy_of
from apps.studio.quotes import prompt_price

log = structlog.get_logger(__name__)

Parts = tuple[TextPart | ImagePart, ...]
PROVIDER = "xai"
CALL_SECONDS = 60.0
LONGEST_SAID = 300  # characters kept of what a model or provider said
REFUSED = Failure(
    "prompt_refused",
    "Grok declined to write a prompt for this row.",
    "Type a prompt and press Generate.",
    Remedy.NEW_PROMPT,
)
REJECTED = Failure(
    "prompt_rejected", "Grok answered, but not with a usable prompt.", "Try it again, or type a prompt.", Remedy.RETRY
)
NO_EYES = Failure(
    "model_takes_no_pictures",
    "No model that may write prompts takes pictures.",
    "Whoever runs this desk must name one in PRESSROOM_PROMPT_MODELS.",
)


@dataclass(frozen=True)
class Written:
    """A prompt and where it is from."""

    prompt: str
    source: str
    model_asked: str = ""
    model_answered: str = ""
    reused_from: int | None = None


def ask(run: Run, prompt_job: PromptJob, entry: Entry, parts: Parts) -> Written | Setback:
    """Asks one model, or says why it was not asked; either is written down."""
    try:
        answer = _answer_of(run, prompt_job, entry.model, parts)
    except RetryLater as held:
        return _setback(run, prompt_job, entry, held_back(held))
    except ProviderError as error:
        return _setback(run, prompt_job, entry, setback_of(error, refused=REFUSED))
    try:
        prompt = accepted(answer.text)
    except Rejected as rejection:
        return _setback(run, prompt_job, entry, _of_rejection(rejection, answer))
    note(run, prompt_job, model=entry.model, answered=answer.model, outcome=ACCEPTED, cost_usd=answer.cost_usd)
    return Written(prompt, PromptJob.Source.MODEL, entry.model, answer.model)


def cannot(run: Run, prompt_job: PromptJob, entry: Entry) -> Setback | None:
    """Why a model is passed over without a call: it takes no pictures, or has answered this very request in vain."""
    known = find_model(PROVIDER, entry.model)
    if known and not known.images:
        said = "It takes no pictures, so it was not asked."
        return _setback(run, prompt_job, entry, Setback(ERROR, GiveUp(NO_EYES), said, INCAPABLE))
    for past in (past for past in prompt_job.tried if past["model"] == entry.model):
        if past["outcome"] == REFUSAL:
            return Setback(REFUSAL, GiveUp(REFUSED), "", REFUSAL)
        if past["outcome"] in (ERROR, TOO_LONG) and past["cost"]:  # its answer was paid for and of no use
            return Setback(past["outcome"], GiveUp(REJECTED), "", past["outcome"])
    return None


def note(
    run: Run,
    prompt_job: PromptJob,
    *,
    model: str,
    outcome: str,
    answered: str = "",
    said: str = "",
    cost_usd: Decimal | None = None,
) -> None:
    """Adds a line to the record, at once: whoever looks while the next one is asked sees it."""
    cost = None if cost_usd is None else f"{cost_usd:f}"
    last = prompt_job.tried[-1] if prompt_job.tried else None
    if outcome == HELD and last and (last["model"], last["outcome"]) == (model, HELD):
        prompt_job.tried.pop()  # it goes on being held: one line says so
    prompt_job.tried.append(
        {
            "attempt": run.lease.attempt,
            "model": model,
            "answered": answered,
            "outcome": outcome,
            "said": said[:LONGEST_SAID],
            "cost": cost,
        }
    )
    PromptJob.objects.filter(pk=prompt_job.pk).update(tried=prompt_job.tried)


def _setback(run: Run, prompt_job: PromptJob, entry: Entry, setback: Setback) -> Setback:
    note(
        run,
        prompt_job,
        model=entry.model,
        answered=setback.answered,
        outcome=setback.outcome,
        said=setback.said,
        cost_usd=setback.cost_usd,
    )
    log.info("model_failed", model=entry.model, kind=setback.outcome)
    return setback


def _of_rejection(rejection: Rejected, answer: ChatAnswer) -> Setback:
    """The check of an answer counts as that model's failure."""
    kind = {"refusal": REFUSAL, "too_long": TOO_LONG}.get(rejection.code, ERROR)
    end = GiveUp(REFUSED if kind == REFUSAL else REJECTED)
    return Setback(kind, end, rejection.message, kind, answer.model, answer.cost_usd)


def _answer_of(run: Run, prompt_job: PromptJob, model: str, parts: Parts) -> ChatAnswer:
    """Budget and breaker are asked again for each model; raises RetryLater when one of them stands in the way."""
    strategy = strategy_of(prompt_job)
    return chat.ask(
        run,
        ChatRequest(model=model, system=strategy.system, parts=parts, max_tokens=MAX_TOKENS),
        provider=PROVIDER,
        inputs={"strategy": f"{strategy.name}.{strategy.version}", "pictures": len(parts) - 1},
        price=prompt_price(model, prompt_job),
        seconds=CALL_SECONDS,
        longest_told=2 * LONGEST,  # what is longer will be rejected anyway
    )
