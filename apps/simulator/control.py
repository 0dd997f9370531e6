"""`/__sim/…`: what tests and demos use to steer the simulator and to read its records. Not part of any provider."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from apps.simulator.simulation import Simulation


class Control:
    def __init__(self, simulation: Simulation, *, reset: Callable[[], None]) -> None:
        self._simulation = simulation
        self._reset = reset

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/__sim/scenario", self.add_scenario),
            web.get("/__sim/scenario", self.list_scenarios),
            web.delete("/__sim/scenario/{id}", self.remove_scenario),
            web.post("/__sim/account", self.change_account),
            web.post("/__sim/clock", self.advance_clock),
            web.get("/__sim/requests", self.list_requests),
            web.get("/__sim/ledger", self.list_purchases),
            web.get("/__sim/stats", self.show_traffic),
            web.post("/__sim/reset", self.reset),
            web.get("/__sim/health", self.health),
        ]

    async def add_scenario(self, request: web.Request) -> web.Response:
        body = await _object(request)
        try:
            scenario = self._simulation.scenarios.add(body)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"id": scenario.id}, status=201)

    async def list_scenarios(self, request: web.Request) -> web.Response:
        return web.json_response({"scenarios": self._simulation.scenarios.as_list()})

    async def remove_scenario(self, request: web.Request) -> web.Response:
        removed = self._simulation.scenarios.remove(request.match_info["id"])
        return web.Response(status=204) if removed else web.json_response({"error": "No such scenario."}, status=404)

    async def change_account(self, request: web.Request) -> web.Response:
        """`{provider, level|requests_per_minute|requests_per_second|concurrent|over_concurrent|balance|key}`"""
        body = await _object(request)
        account = self._simulation.account(body.get("provider", ""))
        try:
            account.update(body)
        except (ValueError, ArithmeticError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"balance": None if account.balance is None else str(account.balance)})

    async def advance_clock(self, request: web.Request) -> web.Response:
        """`{advance_s}` lets time pass; `{skew_s}` makes the time that answers tell wrong by so much, from now on."""
        clock, body = self._simulation.clock, await _object(request)
        clock.skew = float(body.get("skew_s", clock.skew))
        clock.advance(float(body.get("advance_s", 0)))
        return web.json_response({"now": clock.now(), "told": clock.told()})

    async def list_requests(self, request: web.Request) -> web.Response:
        query = request.query
        entries = self._simulation.journal.select(
            provider=query.get("provider", ""), path=query.get("path", ""), since=int(query.get("since", 0))
        )
        return web.json_response({"requests": entries})

    async def list_purchases(self, request: web.Request) -> web.Response:
        purchases = self._simulation.ledger.purchases
        kept = [each for each in purchases if request.query.get("provider", each.provider) == each.provider]
        total = sum((each.cost for each in kept if each.status == "accepted"), start=0)
        return web.json_response({"purchases": [each.as_json() for each in kept], "total": str(total)})

    async def show_traffic(self, request: web.Request) -> web.Response:
        return web.json_response({name: each.as_json() for name, each in self._simulation.traffic.items()})

    async def reset(self, request: web.Request) -> web.Response:
        self._reset()
        return web.Response(status=204)

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "now": self._simulation.clock.now()})


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise web.HTTPBadRequest(text='{"error": "The body is not JSON."}', content_type="application/json") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='{"error": "Send a JSON object."}', content_type="application/json")
    return body
