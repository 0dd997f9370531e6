"""One request's way through the simulator: journal, scenario, the provider's own handler, reply."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from email.utils import formatdate
from typing import Any, Protocol

from aiohttp import web

from apps.simulator import effects
from apps.simulator.messages import Exchange, Handler, Refused, Reply, as_json
from apps.simulator.scenarios import NO_EFFECT, Effect, Subject
from apps.simulator.simulation import Simulation

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Provider(Protocol):
    """`prefix` is where it lives on our port, `routes` are (method, path, handler).

    `resume` is called once, when the address is known: to go on with what an earlier process left.
    """

    name: str

    def routes(self) -> Iterable[tuple[str, str, Handler]]: ...
    def subject(self, *, method: str, path: str, body: Any) -> Subject: ...
    def error(self, status: int, message: str | None) -> Reply: ...
    def reset(self) -> None: ...
    def resume(self) -> None: ...


def endpoint(simulation: Simulation, provider: Provider, handler: Handler) -> Endpoint:
    """The aiohttp handler of one provider route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        exchange = open_exchange(simulation, provider, request, raw)
        traffic = simulation.traffic_of(provider.name)
        if not exchange.subject.is_purchase:
            return await serve(simulation, provider, handler, exchange)
        traffic.start(simulation.clock.now())
        try:
            return await serve(simulation, provider, handler, exchange)
        finally:
            traffic.finish(exchange.entry.status)

    return handle


def open_exchange(simulation: Simulation, provider: Provider, request: web.Request, raw: bytes) -> Exchange:
    body = _parsed(raw)
    subject = provider.subject(method=request.method, path=request.path, body=body)
    entry = simulation.journal.open(
        at=simulation.clock.now(),
        provider=provider.name,
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers=dict(request.headers),
        raw=raw,
    )
    exchange = Exchange(request=request, raw=raw, json=body, subject=subject, entry=entry)
    exchange.effect = _effect_on(simulation, provider, exchange)
    return exchange


async def serve(simulation: Simulation, provider: Provider, handler: Handler, exchange: Exchange) -> web.StreamResponse:
    """The order matters: what must not be done is decided before the handler, what spoils the reply after it."""
    effect, entry = exchange.effect, exchange.entry
    started = asyncio.get_running_loop().time()
    try:
        await asyncio.sleep(effect.delay_ms / 1000)
        if effect.hang:
            return await effects.hang(exchange)
        if effect.drop_connection in (True, "before"):
            return effects.reset(exchange)
        reply = canned(provider, effect) if effect.is_canned else await _handled(handler, exchange)
        if effect.drop_connection == "after" or effect.create_then_timeout == "drop":
            return effects.reset(exchange)
        if effect.create_then_timeout:
            return await effects.hang(exchange)
        if effect.create_then_status:
            reply = failed_after_all(provider, effect, effect.create_then_status)
        reply.headers["Date"] = formatdate(simulation.clock.told(), usegmt=True)  # a scenario may say another one
        entry.status, entry.outcome = reply.status, "answered"
        return await effects.send(exchange, reply)
    finally:
        entry.duration_ms = round((asyncio.get_running_loop().time() - started) * 1000)


def canned(provider: Provider, effect: Effect) -> Reply:
    """A reply for which nothing was done: the effect's own body, or the provider's usual error for the status."""
    if effect.html:
        return effects.html_page(effect.status or 502)
    if effect.body is None:
        return provider.error(effect.status or 500, effect.error_text)
    status = effect.status or 200
    if isinstance(effect.body, str):
        return Reply(status=status, body=effect.body.encode(), headers={"Content-Type": "application/json"})
    return as_json(effect.body, status=status)


def failed_after_all(provider: Provider, effect: Effect, status: int) -> Reply:
    """The work was done and paid; the answer says otherwise."""
    return effects.html_page(status) if effect.html else provider.error(status, effect.error_text)


async def _handled(handler: Handler, exchange: Exchange) -> Reply:
    try:
        return await handler(exchange)
    except Refused as refusal:
        return refusal.reply


def _effect_on(simulation: Simulation, provider: Provider, exchange: Exchange) -> Effect:
    request, subject = exchange.request, exchange.subject
    taken = simulation.scenarios.take(provider=provider.name, method=request.method, path=request.path, subject=subject)
    if taken:
        exchange.entry.scenario, effect = taken
        return effect
    return simulation.magic.take(provider=provider.name, subject=subject) or NO_EFFECT


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
