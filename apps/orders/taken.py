"""Taken, look later: a provider takes an order, works on it under an id, and is asked for it until it is done.

Whatever died before, the job's open paid call says how to go on: nothing sent → order; accepted → look at that id; sent and
not answered → look it up at the provider, adopt it if found, order again only when it surely does not exist.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Generic, NoReturn, Protocol, TypeVar

import structlog
from django.conf import settings
from django.db import transaction

from apps.core.clock import database_now
from apps.core.errors import Problem
from apps.jobs.handlers import Done, GiveUp, Handler, Parked, Run
from apps.jobs.models import Job
from apps.jobs.states import Stage
from apps.jobs.values import Failure
from apps.orders import leave, settling
from apps.orders.paid import book_price
from apps.orders.quotes import Price
from apps.providers import calls
from apps.providers.errors import ProviderError, ResultLost
from apps.providers.models import Call, CallState
from apps.providers.types import Absent, Found

log = structlog.get_logger(__name__)

LOOK_SECONDS = 20.0
FIRST_LOOK_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 10.0
SETTLE_SECONDS = 5.0
# What cannot be fetched when its job is over is asked for again for so long, before it counts as gone or is kept as it is.
FETCHED_AGAIN_FOR = timedelta(hours=1)
_UNSETTLED = (CallState.INTENT, CallState.UNKNOWN)


class Task(Protocol):
    """What a look brings. A finished one either failed or has a result."""

    @property
    def finished(self) -> bool: ...
    @property
    def failed(self) -> bool: ...


Asked = TypeVar("Asked")
Made = TypeVar("Made", bound=Task)


class TaskHandler(Handler, ABC, Generic[Asked, Made]):
    """A kind of job whose work a provider does while no worker is held. A product says what is asked (`Asked`, its own row)
    and what is made of a finished task (`Made`, the provider's).
    """

    provider: ClassVar[str]
    purpose: ClassVar[str] = "submit"
    too_slow: ClassVar[Failure]
    longest_wait: ClassVar[timedelta] = timedelta(minutes=10)

    @abstractmethod
    def asked(self, job_id: int) -> Asked:
        """What the product keeps beside the job."""

    @abstractmethod
    def order(self, run: Run, asked: Asked) -> str:
        """Pays for one task, by `paid`, and answers its id. Raises what `paid` raises."""

    @abstractmethod
    def taken(self, asked: Asked, provider_id: str) -> None:
        """Keeps the id of the task that is this job's."""

    @abstractmethod
    def price(self, asked: Asked) -> Price:
        """What it costs, for an order that became ours without one: found after a crash, or adopted by a person."""

    @abstractmethod
    def look(self, call: Call, *, seconds: float) -> Made:
        """The task as it is now; costs nothing. Raises ResultLost when the provider knows no such task, ProviderError."""

    @abstractmethod
    def error_of(self, call: Call, task: Made) -> ProviderError:
        """Why the task failed. Failed tasks are refunded."""

    @abstractmethod
    def result(self, run: Run, asked: Asked, call: Call, task: Made) -> Done | Parked:
        """Fetches what was made, and stores it with the end of the job."""

    @abstractmethod
    def late_result(self, asked: Asked, call: Call, task: Made, *, overdue: bool) -> Callable[[], None]:
        """The same after the job has ended: what stores it beside the job, marked late. Raises ResultLost when it is gone.

        `overdue`: it was asked for again for an hour, and is kept now as it is.
        """

    def run(self, run: Run) -> Done | Parked:
        asked = self.asked(run.lease.job_id)
        call = current_call(run.lease.job_id, self.purpose)
        run.check()
        if call is None:
            return self._order(run, asked)
        if call.state in _UNSETTLED:
            return self._settle(run, asked, call)
        return self._look(run, asked, call)

    def reconcile(self, job: Job) -> None:
        """The job is over and its order is not: what comes of it is kept, marked late, and never applied."""
        asked = self.asked(job.pk)
        for call in calls.open_calls(job.pk):
            try:
                self._reconcile(job, asked, call)
            except (ProviderError, Problem) as error:
                log.info("reconcile_later", call=str(call.pk), error=str(error))

    def _order(self, run: Run, asked: Asked) -> Parked:
        try:
            provider_id = self.order(run, asked)
        except ProviderError as error:
            if error.outcome_known:
                raise leave.end_for_job(error) from error
            run.stage(Stage.SETTLING)
            return Parked(SETTLE_SECONDS, Stage.SETTLING)
        self.taken(asked, provider_id)
        run.stage(Stage.WAITING_FOR_PROVIDER)
        return Parked(FIRST_LOOK_SECONDS, Stage.WAITING_FOR_PROVIDER)

    def _settle(self, run: Run, asked: Asked, call: Call) -> Done | Parked:
        """Sent, and nobody knows whether it was taken."""
        run.stage(Stage.SETTLING)
        finding = settling.settle(call)
        if isinstance(finding, Found):
            self.taken(asked, call.provider_id)
            return self._look(run, asked, call)
        if isinstance(finding, Absent):
            return self._order(run, asked)
        if settling.is_still_looked_for(call):
            return Parked(SETTLE_SECONDS, Stage.SETTLING)
        raise settling.left_to_a_person(call)

    def _look(self, run: Run, asked: Asked, call: Call) -> Done | Parked:
        self._know_cost(asked, call)
        try:
            task = self.look(call, seconds=min(LOOK_SECONDS, run.remaining))
        except ResultLost as error:
            if _is_young(call):
                return self._wait_on(call)
            calls.failed(call, error)
            raise GiveUp(Failure(error.code, error.message, error.action, error.remedy)) from error
        except ProviderError as error:
            # A look costs nothing and proves nothing about the task: look again, without using up an attempt.
            log.info("look_failed", error=error.code)
            return self._wait_on(call)
        if not task.finished:
            return self._wait_on(call)
        if task.failed:
            self._task_failed(call, task)
        run.stage(Stage.SAVING)
        return self.result(run, asked, call, task)

    def _know_cost(self, asked: Asked, call: Call) -> None:
        if call.cost_usd is None:
            book_price(call, self.price(asked))

    def _wait_on(self, call: Call) -> Parked:
        waited = database_now() - (call.accepted_at or call.created_at)
        if waited > self.longest_wait:
            raise GiveUp(self.too_slow)
        pause = min(max(1.0, waited.total_seconds() / 10), LONGEST_PAUSE_SECONDS)
        return Parked(pause, Stage.WAITING_FOR_PROVIDER)

    def _task_failed(self, call: Call, task: Made) -> NoReturn:
        error = self.error_of(call, task)
        calls.failed(call, error, cost_usd=Decimal(0), cost_source="refunded")
        leave.report(provider=self.provider, model=call.model_asked, error=error)
        raise leave.end_for_job(error)

    def _reconcile(self, job: Job, asked: Asked, call: Call) -> None:
        """A second order of a job that has its result is kept beside it: it was paid for."""
        if call.state in _UNSETTLED and not isinstance(settling.settle(call), Found):
            return
        self._know_cost(asked, call)
        overdue = job.finished_at is not None and database_now() - job.finished_at > FETCHED_AGAIN_FOR
        try:
            task = self.look(call, seconds=LOOK_SECONDS)
        except ResultLost as error:
            if not _is_young(call):
                calls.failed(call, error)
            return
        if task.failed:
            calls.failed(call, self.error_of(call, task), cost_usd=Decimal(0), cost_source="refunded")
        elif task.finished:
            try:
                store = self.late_result(asked, call, task, overdue=overdue)
            except ResultLost as error:
                if not overdue:
                    raise
                calls.failed(call, error)  # made, paid for and gone: it costs what it cost
                return
            with transaction.atomic():
                if calls.belongs_to(call, job.pk):  # else a retry has taken it over, and its result is not late
                    store()


def current_call(job_id: int, purpose: str) -> Call | None:
    """The oldest order that may exist. Not the newest: a worker that woke late may have put a refused one after it."""
    orders = Call.objects.filter(job_id=job_id, purpose=purpose, resent=False)
    return orders.exclude(state__in=[CallState.FAILED, CallState.LOST]).order_by("created_at").first()


def _is_young(call: Call) -> bool:
    """A task may not be found yet right after it was taken: that it is unknown is believed only later."""
    age = database_now() - (call.accepted_at or call.created_at)
    return age < timedelta(seconds=settings.LOOKUP_GRACE_SECONDS)
