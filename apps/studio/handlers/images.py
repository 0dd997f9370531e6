"""An image job: submit once, give the worker back, look again, fetch what was made.

Whatever died before, the job's open paid call says how to go on: nothing sent → submit; accepted → poll that id; sent
and not answered → look it up at the provider, adopt it if found, submit again only when it surely does not exist.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NoReturn

import structlog
from django.conf import settings
from django.db import transaction

from apps.assets.storage import PROBLEMS as STORAGE_PROBLEMS
from apps.core.clock import database_now
from apps.core.errors import Problem, Remedy
from apps.core.failpoints import failpoint
from apps.jobs import endings
from apps.jobs.handlers import Done, GiveUp, Handler, Parked, RetryLater, Run
from apps.jobs.models import Job
from apps.jobs.states import LIVE, Stage
from apps.jobs.values import Failure
from apps.orders import budgets, leave, settling
from apps.orders.paid import Taken, book_price, paid
from apps.orders.quotes import Price
from apps.providers import calls
from apps.providers.errors import InputUnreadable, ProviderError, ResultLost
from apps.providers.models import Call, CallState
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.errors import task_error
from apps.providers.wavespeed.lookup import Absent, Found
from apps.studio.image_inputs import inputs_for
from apps.studio.models import ImageJob
from apps.studio.owned import ROW_GONE, has_place, hold_row, no_place
from apps.studio.pictures import assets_of, content_of, picture_failure
from apps.studio.quotes import asked_price, wanted_for_image
from apps.studio.results import Fetched, fetch, store_images
from apps.studio.states import WAITING_FOR_PROMPT

log = structlog.get_logger(__name__)

PROVIDER = "wavespeed"
SUBMIT_SECONDS = 60.0
POLL_SECONDS = 20.0
FIRST_LOOK_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 10.0
SETTLE_SECONDS = 5.0
STORAGE_PAUSE_SECONDS = 5.0
LONGEST_WAIT = timedelta(minutes=10)
# What cannot be fetched when its job is over is asked for again for so long, before it counts as gone or is kept as it is.
FETCHED_AGAIN_FOR = timedelta(hours=1)

TOO_SLOW = Failure(
    "provider_too_slow",
    "WaveSpeed did not finish the image in 10 minutes.",
    "Try it again. If it finishes after all, it is kept.",
    Remedy.RETRY,
)
NOT_FETCHED = "Retry fetches it again at no cost. When it is still gone an hour from now, it counts as lost, and Retry orders anew."
NO_PROMPT = Failure(
    "prompt_missing", "There is no prompt for this image.", "Type one and press Generate.", Remedy.NEW_PROMPT
)


class ImageHandler(Handler):
    dependency_failed = Failure(
        "dependency_failed",
        "The prompt it waited for could not be written.",
        "Type a prompt and press Generate.",
        Remedy.NEW_PROMPT,
    )

    def run(self, run: Run) -> Done | Parked:
        image_job = ImageJob.objects.select_related("job").get(job_id=run.lease.job_id)
        call = _current_call(image_job)
        run.check()
        if call is None:
            return _submit(run, image_job)
        if call.state in (CallState.INTENT, CallState.UNKNOWN):
            return _settle(run, image_job, call)
        return _look(run, image_job, call)

    def needed_by(self, job_ids: Sequence[int]) -> Sequence[int]:
        prompts = ImageJob.objects.filter(job__in=job_ids, prompt_job__job__status__in=LIVE)
        return list(prompts.values_list("prompt_job_id", flat=True).distinct())

    def cancelled(self, job: Job) -> None:
        """A prompt that no image waits for any more is not worth writing."""
        prompt_job = ImageJob.objects.get(job=job).prompt_job_id
        if (
            prompt_job
            and not Job.objects.live().filter(image_job__prompt_job=prompt_job, cancel_requested_at=None).exists()
        ):
            endings.cancel([prompt_job], reason="nobody_waits")

    waiting_stage = WAITING_FOR_PROMPT

    def goes_without(self, old: Job) -> bool:
        """It is made from the text that the row has by then."""
        return True

    def clone(self, old: Job, new_id: int) -> None:
        asked = ImageJob.objects.get(job=old)
        if not hold_row(asked.row_id):
            raise no_place()
        again = ImageJob.objects.create(
            job_id=new_id,
            row=asked.row,
            generation=asked.generation,
            prompt_job=asked.prompt_job,
            prompt=asked.prompt or (asked.prompt_job.generated_prompt if asked.prompt_job else ""),
            prompt_source=asked.prompt_source,
            image_urls=asked.image_urls,
            generation_model=asked.generation_model,
            width=asked.width,
            height=asked.height,
            seed=asked.seed,
        )
        # An order that is still open goes with the retry, which looks at it instead of buying another.
        if not calls.hand_over(old.pk, new_id, purpose="submit"):
            budgets.set_aside([wanted_for_image(again, old.owner_id)])

    def reconcile(self, job: Job) -> None:
        """The job is over and its order is not: what comes of it is kept, marked late, and never applied."""
        image_job = ImageJob.objects.select_related("job").get(job=job)
        for call in calls.open_calls(job.pk):
            try:
                _reconcile_call(image_job, call)
            except (ProviderError, Problem) as error:
                log.info("reconcile_later", call=str(call.pk), error=str(error))


def _current_call(image_job: ImageJob) -> Call | None:
    """The oldest order that may exist. Not the newest: a worker that woke late may have put a refused one after it."""
    orders = Call.objects.filter(job_id=image_job.job_id, purpose="submit", resent=False)
    return orders.exclude(state__in=[CallState.FAILED, CallState.LOST]).order_by("created_at").first()


def _submit(run: Run, image_job: ImageJob) -> Parked:
    if not has_place(image_job):
        raise GiveUp(ROW_GONE)
    if not image_job.prompt:
        raise GiveUp(NO_PROMPT)
    run.stage(Stage.SUBMITTING)
    client = WavespeedClient.from_settings()
    model = image_job.generation_model
    price = _price_of(image_job)
    # Money is asked for before the pictures are uploaded in vain, leave after: uploads outlast a place for a call.
    budgets.cover(run.lease, provider=PROVIDER, amount=price.amount or Decimal(0))
    inputs = _inputs(run, client, image_job)
    try:
        with paid(
            run,
            provider=PROVIDER,
            purpose="submit",
            model=model,
            inputs=inputs,
            price=price,
            seconds=SUBMIT_SECONDS,
        ) as order:
            prediction = client.submit(
                model=model,
                inputs=inputs,
                webhook_url=webhook_url(),
                seconds=order.seconds,
                leaves_by=order.leaves_by,
            )
            order.outcome = Taken(prediction.id)
    except ProviderError as error:
        if error.outcome_known:
            raise leave.end_for_job(error) from error
        run.stage(Stage.SETTLING)
        return Parked(SETTLE_SECONDS, Stage.SETTLING)
    ImageJob.objects.filter(pk=image_job.pk).update(prediction_id=prediction.id)
    run.stage(Stage.WAITING_FOR_PROVIDER)
    return Parked(FIRST_LOOK_SECONDS, Stage.WAITING_FOR_PROVIDER)


def _inputs(run: Run, client: WavespeedClient, image_job: ImageJob) -> dict[str, object]:
    try:
        pictures = [content_of(asset) for asset in assets_of(image_job.image_urls)]
    except Problem as problem:
        raise GiveUp(picture_failure(problem)) from problem
    try:
        urls = [
            client.upload(data, filename=name, content_type=kind, seconds=max(run.remaining, 1.0))
            for data, name, kind in pictures
        ]
    except ProviderError as error:
        raise leave.end_for_job(error) from error
    return inputs_for(
        image_job.generation_model,
        prompt=image_job.prompt,
        urls=urls,
        size=(image_job.width, image_job.height),
        seed=image_job.seed,
    )


def webhook_url() -> str:
    """WaveSpeed calls back only where it can reach us; polling does without."""
    reachable = settings.SITE_URL.startswith("https://") or PROVIDER in settings.SIMULATED
    return f"{settings.SITE_URL}/api/webhooks/wavespeed" if reachable and settings.WAVESPEED_WEBHOOKS else ""


def _price_of(image_job: ImageJob) -> Price:
    size = (image_job.width, image_job.height)
    return asked_price(image_job.generation_model, pictures=len(image_job.image_urls), size=size)


def _settle(run: Run, image_job: ImageJob, call: Call) -> Done | Parked:
    """Sent, and nobody knows whether it was taken."""
    run.stage(Stage.SETTLING)
    finding = settling.settle(call)
    if isinstance(finding, Found):
        ImageJob.objects.filter(pk=image_job.pk).update(prediction_id=finding.prediction.id)
        return _look(run, image_job, call)
    if isinstance(finding, Absent):
        return _submit(run, image_job)
    if settling.is_still_looked_for(call):
        return Parked(SETTLE_SECONDS, Stage.SETTLING)
    raise settling.left_to_a_person(call)


def _look(run: Run, image_job: ImageJob, call: Call) -> Done | Parked:
    client = WavespeedClient.from_settings()
    _know_cost(image_job, call)
    try:
        prediction = client.prediction(call.provider_id, seconds=min(POLL_SECONDS, run.remaining))
    except ResultLost as error:
        if _is_young(call):
            return _wait_on(call)
        calls.failed(call, error)
        raise GiveUp(Failure(error.code, error.message, error.action, error.remedy)) from error
    except ProviderError as error:
        # A look costs nothing and proves nothing about the task: look again, without using up an attempt.
        log.info("look_failed", error=error.code)
        return _wait_on(call)
    if not prediction.finished:
        return _wait_on(call)
    if prediction.failed:
        _task_failed(call, prediction)
    run.stage(Stage.SAVING)
    return _fetched(client, run, image_job, call, prediction)


def _know_cost(image_job: ImageJob, call: Call) -> None:
    """However the order became ours: answered, found after a crash, or adopted by a person."""
    if call.cost_usd is None:
        book_price(call, _price_of(image_job))


def _is_young(call: Call) -> bool:
    """A task may not be found yet right after it was taken: that it is unknown is believed only later."""
    age = database_now() - (call.accepted_at or call.created_at)
    return age < timedelta(seconds=settings.LOOKUP_GRACE_SECONDS)


def _wait_on(call: Call) -> Parked:
    waited = database_now() - (call.accepted_at or call.created_at)
    if waited > LONGEST_WAIT:
        raise GiveUp(TOO_SLOW)
    return Parked(min(max(1.0, waited.total_seconds() / 10), LONGEST_PAUSE_SECONDS), Stage.WAITING_FOR_PROVIDER)


def _task_failed(call: Call, prediction: Prediction) -> NoReturn:
    error = task_error(prediction)
    if isinstance(error, InputUnreadable):
        # Our copy there may be what is broken or gone: the pictures are sent again, once.
        WavespeedClient.from_settings().forget_uploads(call.inputs)
        error.can_pass = not _was_unreadable_before(call)
    calls.failed(call, error, cost_usd=Decimal(0), cost_source="refunded")  # WaveSpeed refunds failed tasks
    leave.report(provider=PROVIDER, model=call.model_asked, error=error)
    raise leave.end_for_job(error)


def _was_unreadable_before(call: Call) -> bool:
    orders = Call.objects.filter(job_id=call.job_id, purpose="submit", error_code=InputUnreadable.code)
    return orders.exclude(pk=call.pk).exists()


def _fetched(
    client: WavespeedClient, run: Run, image_job: ImageJob, call: Call, prediction: Prediction
) -> Done | Parked:
    try:
        last = run.lease.failures >= run.lease.max_retries
        files = fetch(client, prediction, seconds=run.remaining, as_it_is=last)
    except ResultLost as error:
        # The address may have run out and not the file: the next look gives a new one. Never a new order.
        raise RetryLater(Failure(error.code, error.message, NOT_FETCHED, error.remedy)) from error
    except ProviderError as error:
        raise leave.end_for_job(error) from error
    except Problem as problem:
        if problem.code not in STORAGE_PROBLEMS:
            raise leave.unusable_result(PROVIDER, problem) from problem
        # The image is paid for and stays at WaveSpeed for seven days: wait for room, at no try's expense.
        log.error("storage_failed", code=problem.code)
        return Parked(STORAGE_PAUSE_SECONDS, Stage.SAVING)
    failpoint("after_fetch")
    run.check()
    return Done(store=_storing(image_job, call, prediction, files, late=False))


def _storing(
    image_job: ImageJob, call: Call, prediction: Prediction, files: list[Fetched], *, late: bool
) -> Callable[[], None]:
    def store() -> None:
        settled = calls.succeeded(
            call,
            result={"outputs": list(prediction.outputs)},
            model_answered=prediction.model or call.model_asked,
            late=late,
        )
        if settled:
            store_images(image_job, files, late=late)

    return store


def _reconcile_call(image_job: ImageJob, call: Call) -> None:
    """A second order of a job that has its image is kept beside it: it was paid for."""
    is_unsettled = call.state in (CallState.INTENT, CallState.UNKNOWN)
    if is_unsettled and not isinstance(settling.settle(call), Found):
        return
    client = WavespeedClient.from_settings()
    _know_cost(image_job, call)
    ended = image_job.job.finished_at
    overdue = ended is not None and database_now() - ended > FETCHED_AGAIN_FOR
    try:
        prediction = client.prediction(call.provider_id, seconds=POLL_SECONDS)
    except ResultLost as error:
        if not _is_young(call):
            calls.failed(call, error)
        return
    if prediction.failed:
        calls.failed(call, task_error(prediction), cost_usd=Decimal(0), cost_source="refunded")
    elif prediction.succeeded:
        try:
            files = fetch(client, prediction, seconds=SUBMIT_SECONDS, as_it_is=overdue)
        except ResultLost as error:
            if not overdue:
                raise
            calls.failed(call, error)  # made, paid for and gone: it costs what it cost
            return
        with transaction.atomic():
            if calls.belongs_to(call, image_job.job_id):  # else a retry has taken it over, and its result is not late
                _storing(image_job, call, prediction, files, late=True)()
