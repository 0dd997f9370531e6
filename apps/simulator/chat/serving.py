"""What every provider of chat does around an answer: its key, its limits, the purchase on the ledger, the pieces of a stream."""

import dataclasses
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

from apps.simulator.chat.answer import Answer
from apps.simulator.chat.question import Question
from apps.simulator.journal import Purchase
from apps.simulator.latency import TEXT
from apps.simulator.messages import Exchange, Handler, Reply
from apps.simulator.photographs import NotAnImage, Photographs, TooLarge
from apps.simulator.simulation import Simulation

SMALLEST_PURCHASE = Decimal("0.000001")  # USD


class Unreadable(ValueError):
    """A picture that was sent cannot be opened."""


class Desk:
    """One provider's counter: asks are counted, so that the same question is answered anew each time."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation = simulation
        self.name = name
        self._asked: Counter[tuple[str, str]] = Counter()

    def reset(self) -> None:
        self._asked.clear()

    def asked_before(self, question: Question) -> int:
        key = (question.asked, question.said_by("user"))
        self._asked[key] += 1
        return self._asked[key] - 1

    def is_out_of_money(self) -> bool:
        return not self.simulation.account(self.name).can_pay(SMALLEST_PURCHASE)

    def is_too_much(self) -> bool:
        """Over the requests at once, or over the rate: one token of it is taken."""
        account, simulation = self.simulation.account(self.name), self.simulation
        crowded = account.concurrent is not None and simulation.traffic_of(self.name).open > account.concurrent
        return crowded or not account.takes_another(simulation.clock.now())

    def sell(self, exchange: Exchange, answer: Answer) -> None:
        """On the ledger before the answer leaves: a lost reply was still paid."""
        self.book(exchange, id=answer.id, model=answer.model, cost=answer.cost)

    def book(self, exchange: Exchange, *, id: str, model: str, cost: Decimal) -> None:
        exchange.entry.cost = str(cost)
        self.simulation.account(self.name).pay(cost)
        self.simulation.ledger.accept(
            Purchase(
                at=self.simulation.clock.now(),
                provider=self.name,
                id=id,
                model=model,
                cost=cost,
                prompt=exchange.subject.prompt,
            )
        )

    async def think(self) -> None:
        await self.simulation.clock.sleep(self.simulation.latency.draw(TEXT))

    def streamed(
        self,
        exchange: Exchange,
        chunks: list[dict[str, Any]],
        *,
        broken: dict[str, Any],
        before: Iterable[bytes] = (),
        end: bytes = b"data: [DONE]\n\n",
        line_end: bytes = b"\n\n",
    ) -> Reply:
        """Chunks spread over the time an answer takes; `broken` is sent where a scenario breaks it off."""
        events = self._events(chunks, exchange.effect.stream_error_after_chunks, broken, before, end, line_end)
        return Reply(headers={"Content-Type": "text/event-stream"}, stream=events)

    async def _events(
        self,
        chunks: list[dict[str, Any]],
        break_after: int | None,
        broken: dict[str, Any],
        before: Iterable[bytes],
        end: bytes,
        line_end: bytes,
    ) -> AsyncIterator[bytes]:
        wait = self.simulation.latency.draw(TEXT)
        for piece in before:
            yield piece
        for sent, chunk in enumerate(chunks):
            if sent == break_after:
                yield event(broken, line_end)
                return
            await self.simulation.clock.sleep(wait / len(chunks))
            yield event(chunk, line_end)
        yield end


class Served:
    """A provider whose answers come at once: what those of chat and of pictures have in common."""

    name: str

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._desk = Desk(simulation, self.name)

    def reset(self) -> None:
        self._desk.reset()

    def resume(self) -> None:
        """Nothing of it outlives the process."""


def event(body: dict[str, Any], line_end: bytes = b"\n\n") -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + line_end


def keyed(
    routes: Iterable[tuple[str, str, Handler]], check: Callable[[Exchange], None]
) -> list[tuple[str, str, Handler]]:
    """The routes, each behind the check of the key, which raises Refused."""

    def behind(handler: Handler) -> Callable[[Exchange], Awaitable[Reply]]:
        async def checked(exchange: Exchange) -> Reply:
            check(exchange)
            return await handler(exchange)

        return checked

    return [(method, path, behind(handler)) for method, path, handler in routes]


async def seen(question: Question, images: Iterable[str], photographs: Photographs, *, most_bytes: int) -> Question:
    """The question with its pictures opened. Raises Unreadable."""
    try:
        opened = [await photographs.open(source, most_bytes=most_bytes) for source in images]
    except (TooLarge, NotAnImage) as error:
        raise Unreadable(str(error)) from error
    return dataclasses.replace(question, photographs=tuple(opened))
