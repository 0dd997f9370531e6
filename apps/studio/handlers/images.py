"""An image job: WaveSpeed makes it while no worker is held (orders/taken.py); what is asked for, and what becomes of it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar

import structlog
from django.conf import settings

from apps.assets.storage import PROBLEMS as STORAGE_PROBLEMS
from apps.core.errors import Problem, Remedy
from apps.core.failpoints import failpoint
from apps.jobs import endings
from apps.jobs.handlers import Done, GiveUp, Parked, RetryLater, Run
from apps.jobs.models import Job
from apps.jobs.states import LIVE, Stage
from apps.jobs.values import Failure
from apps.orders import budgets, leave
from apps.orders.paid import Taken, paid
from apps.orders.quotes import Price
from apps.orders.taken import TaskHandler
from apps.providers import calls
from apps.providers.errors import InputUnreadable, ProviderError, ResultLost
from apps.providers.models import Call
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.errors import task_error
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
STORAGE_PAUSE_SECONDS = 5.0

NOT_FETCHED = "Retry fetches it again at no cost. When it is still gone an hour from now, it counts as lost, and Retry orders anew."
NO_PROMPT = Failure(
    "prompt_missing", "There is no prompt for this image.", "Type one and press Generate.", Remedy.NEW_PROMPT
)


class ImageHandler(TaskHandler[ImageJob, Prediction]):
    provider: ClassVar[str] = PROVIDER
    too_slow: ClassVar[Failure] = Failure(
        "provider_too_slow",
        "WaveSpeed did not finish the image in 10 minutes.",
        "Try it again. If it finishes after all, it is kept.",
        Remedy.RETRY,
    )
    dependency_failed = Failure(
        "dependency_failed",
        "The prompt it waited for could not be written.",
        "Type a prompt and press Generate.",
        Remedy.NEW_PROMPT,
    )
    waiting_stage = WAITING_FOR_PROMPT

    def asked(self, job_id: int) -> ImageJob:
        return ImageJob.objects.select_related("job").get(job_id=job_id)

    def order(self, run: Run, asked: ImageJob) -> str:
        if not has_place(asked):
            raise GiveUp(ROW_GONE)
        if not asked.prompt:
            raise GiveUp(NO_PROMPT)
        run.stage(Stage.SUBMITTING)
        client, price = WavespeedClient.from_settings(), self.price(asked)
        # Money is asked for before the pictures are uploaded in vain, leave after: uploads outlast a place for a call.
        budgets.cover(run.lease, provider=PROVIDER, amount=price.amount or Decimal(0))
        inputs = _inputs(run, client, asked)
        with paid(
            run,
            provider=PROVIDER,
            purpose=self.purpose,
            model=asked.generation_model,
            inputs=inputs,
            price=price,
            seconds=SUBMIT_SECONDS,
        ) as order:
            prediction = client.submit(
                model=asked.generation_model,
                inputs=inputs,
                webhook_url=webhook_url(),
                seconds=order.seconds,
                leaves_by=order.leaves_by,
            )
            order.outcome = Taken(prediction.id)
        return prediction.id

    def taken(self, asked: ImageJob, provider_id: str) -> None:
        ImageJob.objects.filter(pk=asked.pk).update(prediction_id=provider_id)

    def price(self, asked: ImageJob) -> Price:
        return asked_price(asked.generation_model, pictures=len(asked.image_urls), size=(asked.width, asked.height))

    def look(self, call: Call, *, seconds: float) -> Prediction:
        return WavespeedClient.from_settings().prediction(call.provider_id, seconds=seconds)

    def error_of(self, call: Call, task: Prediction) -> ProviderError:
        error = task_error(task)
        if isinstance(error, InputUnreadable):
            # Our copy there may be what is broken or gone: the pictures are sent again, once.
            WavespeedClient.from_settings().forget_uploads(call.inputs)
            error.can_pass = not _was_unreadable_before(call)
        return error

    def result(self, run: Run, asked: ImageJob, call: Call, task: Prediction) -> Done | Parked:
        try:
            last = run.lease.failures >= run.lease.max_retries
            files = fetch(WavespeedClient.from_settings(), task, seconds=run.remaining, as_it_is=last)
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
        return Done(store=_storing(asked, call, task, files, late=False))

    def late_result(self, asked: ImageJob, call: Call, task: Prediction, *, overdue: bool) -> Callable[[], None]:
        files = fetch(WavespeedClient.from_settings(), task, seconds=SUBMIT_SECONDS, as_it_is=overdue)
        return _storing(asked, call, task, files, late=True)

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


def _was_unreadable_before(call: Call) -> bool:
    orders = Call.objects.filter(job_id=call.job_id, purpose="submit", error_code=InputUnreadable.code)
    return orders.exclude(pk=call.pk).exists()


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
