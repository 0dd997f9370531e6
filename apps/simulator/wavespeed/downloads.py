"""The files WaveSpeed serves: outputs, drawn when they are first fetched, and uploads."""

import asyncio
import mimetypes
from collections import OrderedDict

from apps.simulator.drawing.pictures import Order, draw
from apps.simulator.messages import Exchange, Reply
from apps.simulator.photographs import Photograph
from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed import errors
from apps.simulator.wavespeed.inputs import canvas
from apps.simulator.wavespeed.storage import LIVES, Storage
from apps.simulator.wavespeed.tasks import Task
from apps.simulator.wavespeed.uploads import Ticket, name_of, new_ticket, put_file

KEPT_DRAWINGS = 64
UPLOADS = "uploads"


class Downloads:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._tasks: dict[str, Task] = {}
        self._tickets: dict[str, Ticket] = {}
        self._drawn: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self.storage = Storage(simulation.options.data_dir)

    def reset(self) -> None:
        self._tasks.clear()
        self._tickets.clear()
        self._drawn.clear()
        self.storage.clear()

    def register(self, task: Task) -> None:
        self._tasks[task.id] = task

    def keep_upload(self, data: bytes, filename: str) -> str:
        """Returns its address."""
        name = name_of(filename)
        self.storage.keep_upload(name, data, self._simulation.clock.now())
        return self._address(name)

    def announce_upload(self, exchange: Exchange) -> Reply:
        """The first of two steps: where to put the file, and where it can be read then."""
        ticket = new_ticket(exchange, now=self._simulation.clock.now())
        self._tickets[ticket.name] = ticket
        url = self._address(ticket.name)
        put = {
            "method": "PUT",
            "url": f"{url}?token={ticket.token}",
            "headers": {"Content-Type": ticket.content_type},
        }
        return errors.success({"upload": put, "download_url": url})

    async def take_upload(self, exchange: Exchange) -> Reply:
        """The second step. An address takes one file once."""
        name, now = exchange.request.match_info["file"], self._simulation.clock.now()
        data = put_file(exchange, self._tickets.get(name), now=now)
        del self._tickets[name]
        self.storage.keep_upload(name, data, now)
        return Reply()

    def _address(self, name: str) -> str:
        return f"{self._simulation.url}/wavespeed-cdn/{UPLOADS}/{name}"

    async def open_input(self, source: str) -> Photograph:
        """Raises NotAnImage."""
        return await self._simulation.photographs.open(source)

    async def serve(self, exchange: Exchange) -> Reply:
        folder, file = exchange.request.match_info["id"], exchange.request.match_info["file"]
        content_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
        headers = {"Content-Type": content_type, "Cache-Control": "max-age=604800"}
        if folder == UPLOADS:
            return Reply(body=self._upload(file), headers=headers)
        task, place = self._task_of(folder), _place(file)
        if task.effect.output_status or task.effect.output_body is not None:
            body = (task.effect.output_body or "").encode()
            return Reply(status=task.effect.output_status or 200, body=body, headers={"Content-Type": "text/html"})
        if place >= task.model.outputs(task.inputs):
            raise errors.refused(404)
        return Reply(body=await self.draw(task, place), headers=headers)

    def _upload(self, name: str) -> bytes:
        data = self.storage.upload(name, self._simulation.clock.now())
        if data is None:
            raise errors.refused(404)
        return data

    def _task_of(self, task_id: str) -> Task:
        """Outputs exist once their task is completed, and for seven days."""
        task, now = self._tasks.get(task_id), self._simulation.clock.now()
        if task is None or now - task.created_at >= LIVES or task.status(now) != "completed":
            raise errors.refused(404)
        return task

    async def draw(self, task: Task, place: int) -> bytes:
        key = (task.id, place)
        if key not in self._drawn:
            loop = asyncio.get_running_loop()
            self._drawn[key] = await loop.run_in_executor(self._simulation.threads, draw, self._order(task, place))
            while len(self._drawn) > KEPT_DRAWINGS:
                self._drawn.popitem(last=False)
        return self._drawn[key]

    def _order(self, task: Task, place: int) -> Order:
        wanted = canvas(task.model, task.inputs)
        variation = f"{self._simulation.options.seed} {task.id} {task.inputs.get('seed')} {place}"
        return Order(
            prompt=str(task.inputs.get("prompt", "")), photographs=tuple(task.photographs), width=wanted.width,
            height=wanted.height, format=wanted.format, variation=variation,
        )  # fmt: skip


def _place(file: str) -> int:
    digits = file.removeprefix("out-").partition(".")[0]
    return int(digits) if digits.isdigit() else 1_000
