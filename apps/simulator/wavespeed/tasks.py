"""A prediction's life, told by the clock: created, processing, then completed or failed."""

import asyncio
import dataclasses
import heapq
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.simulator.clock import rfc3339
from apps.simulator.photographs import Photograph
from apps.simulator.scenarios import Effect, parse_effect
from apps.simulator.wavespeed.catalogue import BY_ID, Model
from apps.simulator.wavespeed.storage import LIVES

CREATED_SHARE = 0.15  # of the work's time until the status turns to processing


@dataclass(frozen=True)
class Failure:
    code: int
    text: str


@dataclass(kw_only=True)
class Task:
    """`ready_at`: when its outcome shows. `prepared` ends once the input images are read or found unreadable.

    `clock_skew`: by how many seconds the time at which it says it was made is wrong.
    """

    model: Model
    inputs: dict[str, Any]
    effect: Effect
    cost: Decimal
    created_at: float
    started_at: float
    ready_at: float
    url: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    failure: Failure | None = None
    clock_skew: float = 0.0
    photographs: list[Photograph] = field(default_factory=list)
    prepared: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def told_at(self) -> float:
        return self.created_at + self.clock_skew

    def status(self, now: float) -> str:
        if now < self.ready_at or not self.prepared.is_set():
            begun = self.started_at + CREATED_SHARE * (self.ready_at - self.started_at)
            return "processing" if now >= begun else "created"
        return self.effect.task_status or ("failed" if self.failure else "completed")

    def output_urls(self) -> list[str]:
        if self.effect.output_url:
            return [self.effect.output_url] * self.model.outputs(self.inputs)
        extension = "png" if self.inputs.get("output_format") == "png" else "jpeg"
        return [
            f"{self.url}/wavespeed-cdn/{self.id}/out-{place}.{extension}"
            for place in range(self.model.outputs(self.inputs))
        ]

    def as_json(self, now: float, *, outputs: list[Any] | None = None) -> dict[str, Any]:
        """The prediction as polls show it; `outputs` replaces the addresses (base64)."""
        status, shown = self.status(now), self._outputs(now) if outputs is None else outputs
        worked = round((self.ready_at - self.started_at) * 1000) if status in ("completed", "failed") else 0
        body: dict[str, Any] = {
            "id": self.id, "model": self.model.id, "outputs": shown,
            "urls": {"get": f"{self.url}/wavespeed/api/v3/predictions/{self.id}/result"},
            "has_nsfw_contents": [self.effect.nsfw] * len(shown), "status": status,
            "created_at": rfc3339(self.told_at), "error": "", "timings": {"inference": worked},
        }  # fmt: skip
        if status == "completed":
            body["executionTime"] = worked
        if self.failure and status in ("failed", "cancelled", "timeout"):
            body |= {"code": self.failure.code, "error": self.failure.text, "timings": {"inference": 0}}
        return body

    def as_record(self) -> dict[str, Any]:
        """What `from_record` needs to make the same task again after a restart."""
        failure = [self.failure.code, self.failure.text] if self.failure else None
        return {
            "id": self.id, "model": self.model.id, "inputs": self.inputs, "effect": dataclasses.asdict(self.effect),
            "cost": str(self.cost), "created_at": self.created_at, "clock_skew": self.clock_skew,
            "started_at": self.started_at, "ready_at": self.ready_at, "failure": failure,
        }  # fmt: skip

    @classmethod
    def from_record(cls, record: dict[str, Any], *, url: str) -> "Task":
        changes = {
            "model": BY_ID[record["model"]], "cost": Decimal(record["cost"]), "effect": parse_effect(record["effect"]),
            "failure": Failure(*record["failure"]) if record["failure"] else None,
        }  # fmt: skip
        return cls(**{name: value for name, value in record.items() if name != "webhook"} | changes, url=url)

    def _outputs(self, now: float) -> list[Any]:
        if self.status(now) != "completed":
            return []
        urls = self.output_urls()
        return [{"url": url} for url in urls] if self.effect.output_objects else urls


class Slots:
    """The account's tasks at once: those over the limit start when an earlier one ends."""

    def __init__(self) -> None:
        self._busy_until: list[float] = []
        self._unfinished_until: list[float] = []

    def unfinished(self, now: float) -> int:
        while self._unfinished_until and self._unfinished_until[0] <= now:
            heapq.heappop(self._unfinished_until)
        return len(self._unfinished_until)

    def reserve(self, *, now: float, seconds: float, limit: int | None) -> tuple[float, float]:
        """(start, end) of a task that takes `seconds`."""
        while self._busy_until and self._busy_until[0] <= now:
            heapq.heappop(self._busy_until)
        is_full = limit is not None and len(self._busy_until) >= limit
        start = max(now, heapq.heappop(self._busy_until)) if is_full else now
        heapq.heappush(self._busy_until, start + seconds)
        heapq.heappush(self._unfinished_until, start + seconds)
        return start, start + seconds


class Tasks:
    """Newest last. Forgets a task seven days after it was made."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def add(self, task: Task) -> None:
        self._tasks[task.id] = task

    def find(self, task_id: str, now: float) -> Task | None:
        task = self._tasks.get(task_id)
        return task if task and now - task.created_at < LIVES else None

    def newest_first(self, now: float) -> list[Task]:
        return [task for task in reversed(self._tasks.values()) if now - task.created_at < LIVES]

    def delete(self, task_ids: list[str]) -> None:
        for task_id in task_ids:
            self._tasks.pop(task_id, None)

    def clear(self) -> None:
        self._tasks.clear()
