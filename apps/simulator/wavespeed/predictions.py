"""Submitting, polling, listing and deleting predictions."""

import asyncio
import base64
import fnmatch
import sys
from collections.abc import Coroutine
from typing import Any

from apps.simulator.clock import from_rfc3339
from apps.simulator.journal import Purchase
from apps.simulator.latency import IMAGE
from apps.simulator.messages import Exchange, Reply
from apps.simulator.photographs import NotAnImage
from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed import errors
from apps.simulator.wavespeed.catalogue import BY_ID, Model
from apps.simulator.wavespeed.downloads import Downloads
from apps.simulator.wavespeed.inputs import check, sources
from apps.simulator.wavespeed.tasks import Failure, Slots, Task, Tasks
from apps.simulator.wavespeed.webhooks import Webhooks

NAME = "wavespeed"
SYNC_SECONDS = 90
MOST_PER_PAGE = 100


class Predictions:
    def __init__(self, simulation: Simulation, downloads: Downloads) -> None:
        self._simulation = simulation
        self._downloads = downloads
        self._webhooks = Webhooks(simulation)
        self._tasks = Tasks()
        self._slots = Slots()
        self._background: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        for running in self._background:
            running.cancel()
        self._tasks.clear()
        self._slots = Slots()

    def resume(self) -> None:
        """What an earlier process left: unfinished tasks go on, and their webhooks are sent."""
        now = self._simulation.clock.now()
        for record in self._downloads.storage.load_predictions(now):
            task = Task.from_record(record, url=self._simulation.url)
            self._tasks.add(task)
            self._downloads.register(task)
            is_unfinished = task.ready_at > now
            self._start(
                self._live(task, record["webhook"], task.effect.webhook) if is_unfinished else self._prepare(task)
            )

    async def submit(self, exchange: Exchange) -> Reply:
        model = BY_ID.get(exchange.request.match_info["model_id"])
        if model is None:
            raise errors.refused(404, f"model not found: {exchange.request.match_info['model_id']}")
        check(model, exchange.json)
        cost = model.cost(exchange.json)
        self._check_limits(cost)
        task = self._create(model, exchange, cost)
        webhook = exchange.request.query.get("webhook")
        options = exchange.effect.webhook
        if webhook and options.get("mode") == "early":
            await self._deliver_early(task, webhook, options)
            webhook = None
        self._downloads.storage.keep_prediction({**task.as_record(), "webhook": webhook})
        self._start(self._live(task, webhook, options))
        if task.inputs.get("enable_sync_mode"):
            return await self._wait_for(task)
        return errors.success(self._as_created(task))

    def _check_limits(self, cost: Any) -> None:
        account, now = self._simulation.account(NAME), self._simulation.clock.now()
        is_rejecting = account.over_concurrent == "reject" and account.concurrent is not None
        if is_rejecting and self._slots.unfinished(now) >= (account.concurrent or 0):
            raise errors.refused(429)
        if not account.takes_another(now):
            raise errors.refused(429)
        if not account.can_pay(cost):
            raise errors.refused(400, errors.OUT_OF_CREDITS)

    def _create(self, model: Model, exchange: Exchange, cost: Any) -> Task:
        simulation, now = self._simulation, self._simulation.clock.now()
        account = simulation.account(NAME)
        seconds = simulation.latency.draw(IMAGE) + exchange.effect.task_delay_ms / 1000
        start, end = self._slots.reserve(now=now, seconds=seconds, limit=account.concurrent)
        task = Task(
            model=model, inputs=interned(exchange.json), effect=exchange.effect, cost=cost, created_at=now, clock_skew=simulation.clock.skew,
            started_at=start, ready_at=end, url=simulation.url, failure=_planned_failure(exchange),
        )  # fmt: skip
        self._tasks.add(task)
        self._downloads.register(task)
        traffic = simulation.traffic_of(NAME)
        traffic.tasks_at_once = max(traffic.tasks_at_once, self._slots.unfinished(now))
        account.pay(cost)
        exchange.entry.prediction_id, exchange.entry.cost = task.id, str(cost)
        simulation.ledger.accept(
            Purchase(
                at=now, provider=NAME, id=task.id, model=model.id, cost=cost, prompt=str(task.inputs.get("prompt", ""))
            )
        )
        return task

    async def _live(self, task: Task, webhook: str | None, options: dict[str, Any]) -> None:
        """A task's life apart from anybody asking for it."""
        await self._prepare(task)
        await self._simulation.clock.sleep_until(task.ready_at)
        outcome = task.status(self._simulation.clock.now())
        if outcome == "failed":
            self._refund(task)
        if webhook and outcome in ("completed", "failed"):
            await self._webhooks.deliver(webhook, self._with_input(task), options)

    async def _prepare(self, task: Task) -> None:
        try:
            for source in sources(task.inputs):
                task.photographs.append(await self._downloads.open_input(source))
        except NotAnImage as error:
            task.failure = task.failure or Failure(1402, f"{errors.TASK_FAILURES[1402]} {error}")
        finally:
            task.prepared.set()

    def _refund(self, task: Task) -> None:
        self._simulation.account(NAME).pay(-task.cost)
        self._simulation.ledger.refund(task.id)

    async def _deliver_early(self, task: Task, webhook: str, options: dict[str, Any]) -> None:
        """The outcome is told before the submit reply leaves."""
        task.ready_at = self._simulation.clock.now()
        await self._prepare(task)
        await self._webhooks.deliver(webhook, self._with_input(task), options)

    async def _wait_for(self, task: Task) -> Reply:
        clock = self._simulation.clock
        deadline = clock.now() + SYNC_SECONDS
        if not task.effect.sync_timeout:
            await clock.sleep_until(min(task.ready_at, deadline))
            if task.ready_at <= deadline:
                await task.prepared.wait()
                return errors.success(await self._shown(task))
        text = f"Sync mode timed out after {SYNC_SECONDS} seconds. The prediction is still processing asynchronously."
        return errors.success({**task.as_json(clock.now()), "status": "processing", "code": 5004, "error": text,
                               "outputs": []})  # fmt: skip

    async def show(self, exchange: Exchange) -> Reply:
        task = self._tasks.find(exchange.request.match_info["id"], self._simulation.clock.now())
        if task is None:
            raise errors.refused(404, "prediction not found")
        if self._simulation.clock.now() >= task.ready_at:
            await task.prepared.wait()
        return errors.success(await self._shown(task))

    async def _shown(self, task: Task) -> dict[str, Any]:
        now = self._simulation.clock.now()
        if task.inputs.get("enable_base64_output") and task.status(now) == "completed":
            drawn = [await self._downloads.draw(task, place) for place in range(task.model.outputs(task.inputs))]
            return task.as_json(now, outputs=[base64.b64encode(each).decode() for each in drawn])
        return task.as_json(now)

    def _as_created(self, task: Task) -> dict[str, Any]:
        """The submit reply never tells an outcome, however quick the task was."""
        return {**task.as_json(task.created_at - 1), "status": "created"}

    def _with_input(self, task: Task) -> dict[str, Any]:
        return {**task.as_json(self._simulation.clock.now()), "input": task.inputs}

    async def list(self, exchange: Exchange) -> Reply:
        body = exchange.json if isinstance(exchange.json, dict) else {}
        page, size = int(body.get("page") or 1), int(body.get("page_size") or 20)
        if not 1 <= size <= MOST_PER_PAGE or page < 1:
            raise errors.refused(400, f"page_size must be 1 to {MOST_PER_PAGE}")
        found = [task for task in self._tasks.newest_first(self._simulation.clock.now()) if self._fits(task, body)]
        items = [self._with_input(task) for task in found[(page - 1) * size : page * size]]
        return errors.success({"page": page, "page_size": size, "total": len(found), "items": items})

    def _fits(self, task: Task, body: dict[str, Any]) -> bool:
        now = self._simulation.clock.now()
        try:
            after, before = (from_rfc3339(body[each]) if body.get(each) else None
                             for each in ("created_after", "created_before"))  # fmt: skip
        except (TypeError, ValueError) as error:
            raise errors.refused(400, "created_after and created_before must be RFC 3339 times") from error
        return (
            (not task.effect.listed_after_ms or now >= task.created_at + task.effect.listed_after_ms / 1000)
            and (not body.get("model") or fnmatch.fnmatch(task.model.id, body["model"]))
            and (not body.get("status") or task.status(now) == body["status"])
            and (after is None or task.told_at >= after)
            and (before is None or task.told_at <= before)
        )

    async def delete(self, exchange: Exchange) -> Reply:
        ids = exchange.json.get("ids") if isinstance(exchange.json, dict) else None
        if not isinstance(ids, list):
            raise errors.refused(400, "property 'ids' is missing")
        self._tasks.delete(ids)
        return errors.success({"ids": ids})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        running = asyncio.create_task(work)
        self._background.add(running)
        running.add_done_callback(self._background.discard)


def _planned_failure(exchange: Exchange) -> Failure | None:
    effect = exchange.effect
    if effect.task_code is None and effect.task_error is None and effect.task_status != "failed":
        return None
    code = effect.task_code or 1403
    return Failure(code, effect.task_error or errors.TASK_FAILURES.get(code, "Task failed."))


def interned(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same picture sent in a thousand submissions is kept once."""
    return {name: _interned(value) for name, value in inputs.items()}


def _interned(value: Any) -> Any:
    if isinstance(value, list):
        return [_interned(each) for each in value]
    return sys.intern(value) if isinstance(value, str) else value
