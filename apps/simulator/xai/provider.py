"""xAI's endpoints below `/xai/v1`."""

import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.simulator.chat import responses
from apps.simulator.chat.question import words_of
from apps.simulator.journal import Purchase
from apps.simulator.latency import TEXT
from apps.simulator.messages import Exchange, Handler, Reply, as_json
from apps.simulator.scenarios import Subject
from apps.simulator.simulation import Simulation
from apps.simulator.xai import catalogue, errors
from apps.simulator.xai.completions import Completion, complete
from apps.simulator.xai.requests import ChatRequest, parse, parse_response, with_photographs

CHAT = "/xai/v1/chat/completions"
RESPONSES = "/xai/v1/responses"
JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json\b", re.IGNORECASE)
DEFERRED_LIVES = 24 * 3600  # seconds


@dataclass(frozen=True)
class Deferred:
    ready_at: float
    expires_at: float
    body: dict[str, Any]


class XAI:
    name = "xai"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._deferred: dict[str, Deferred] = {}
        self._system_prompts_seen: set[str] = set()
        self._asked: Counter[str] = Counter()

    def reset(self) -> None:
        self._deferred.clear()
        self._system_prompts_seen.clear()
        self._asked.clear()

    def resume(self) -> None:
        """Nothing of xAI outlives the process: chat is answered at once, deferred answers are lost."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        routes = [
            ("POST", CHAT, self.chat),
            ("POST", RESPONSES, self.respond),
            ("GET", "/xai/v1/chat/deferred-completion/{id}", self.deferred_completion),
            ("GET", "/xai/v1/models", self.list_models),
            ("GET", "/xai/v1/models/{id}", self.show_model),
            ("GET", "/xai/v1/language-models", self.list_language_models),
            ("GET", "/xai/v1/language-models/{id}", self.show_language_model),
            ("GET", "/xai/v1/api-key", self.show_key),
            ("*", CHAT, self.wrong_method),
            ("*", "/xai/{rest:.*}", self.not_found),
        ]
        return [(method, path, self._with_key(handler)) for method, path, handler in routes]

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        if method != "POST" or path not in (CHAT, RESPONSES):
            return Subject()
        fields = body if isinstance(body, dict) else {}
        asked = fields.get("messages") if path == CHAT else fields.get("input")
        words = asked if isinstance(asked, str) else words_of(asked)
        return Subject(model=str(fields.get("model", "")), prompt=words, is_purchase=True)

    def error(self, status: int, message: str | None) -> Reply:
        return errors.reply(status, message)

    def _with_key(self, handler: Handler) -> Callable[[Exchange], Awaitable[Reply]]:
        async def checked(exchange: Exchange) -> Reply:
            if exchange.bearer is None:
                raise errors.refused(401)
            if not self._simulation.account(self.name).accepts(exchange.bearer):
                raise errors.wrong_key(exchange.bearer)
            return await handler(exchange)

        return checked

    async def chat(self, exchange: Exchange) -> Reply:
        _check_content_type(exchange)
        request = await with_photographs(parse(exchange.json), self._simulation.photographs)
        self._check_limits()
        completion = self._completed(exchange, request)
        wait = self._simulation.latency.draw(TEXT)
        if request.deferred:
            return self._defer(completion, wait)
        if request.stream:
            return self._streamed(exchange, completion, wait)
        await self._simulation.clock.sleep(wait)
        return as_json(completion.as_json())

    async def respond(self, exchange: Exchange) -> Reply:
        """The Responses interface, by which its models search the web. Pages only consulted are listed as citations."""
        _check_content_type(exchange)
        request = await with_photographs(parse_response(exchange.json), self._simulation.photographs)
        self._check_limits()
        completion = self._completed(exchange, request)
        answer = completion.as_answer(request)
        await self._simulation.clock.sleep(self._simulation.latency.draw(TEXT))
        usage = responses.usage_of(answer.tokens) | {"cost_in_usd_ticks": completion.ticks}
        body = responses.whole(answer, exchange.json, usage)
        for item in body["output"]:
            item.get("action", {}).pop("sources", None)
        return as_json(body | {"citations": [url for url, _ in answer.sources]})

    def _completed(self, exchange: Exchange, request: ChatRequest) -> Completion:
        """The purchase is on the ledger before the answer leaves: a lost reply was still paid."""
        simulation = self._simulation
        system = hashlib.sha256(request.said_by("system").encode()).hexdigest()
        completion = complete(
            request,
            exchange.effect,
            seed=simulation.options.seed,
            now=simulation.clock.now(),
            seen_before=system in self._system_prompts_seen,
            asked_before=self._asked[request.said_by("user")],
        )
        self._asked[request.said_by("user")] += 1
        self._system_prompts_seen.add(system)
        self._charge(completion, exchange)
        return completion

    def _charge(self, completion: Completion, exchange: Exchange) -> None:
        exchange.entry.cost = str(completion.cost)
        self._simulation.account(self.name).pay(completion.cost)
        self._simulation.ledger.accept(
            Purchase(
                at=self._simulation.clock.now(),
                provider=self.name,
                id=completion.id,
                model=completion.model_name,
                cost=completion.cost,
                prompt=exchange.subject.prompt,
            )
        )

    def _check_limits(self) -> None:
        simulation = self._simulation
        account = simulation.account(self.name)
        if not account.can_pay(Decimal("0.000001")):
            raise errors.refused(429, errors.OUT_OF_CREDITS)
        is_too_many = account.concurrent is not None and simulation.traffic_of(self.name).open > account.concurrent
        if is_too_many or not account.takes_another(simulation.clock.now()):
            raise errors.refused(429)

    def _defer(self, completion: Completion, wait: float) -> Reply:
        now, request_id = self._simulation.clock.now(), str(uuid.uuid4())
        self._deferred[request_id] = Deferred(now + wait, now + DEFERRED_LIVES, completion.as_json())
        return as_json({"request_id": request_id})

    def _streamed(self, exchange: Exchange, completion: Completion, wait: float) -> Reply:
        stream = self._events(completion, wait, exchange.effect.stream_error_after_chunks)
        return Reply(headers={"Content-Type": "text/event-stream"}, stream=stream)

    async def _events(self, completion: Completion, wait: float, break_after: int | None) -> AsyncIterator[bytes]:
        chunks = completion.chunks()
        for sent, chunk in enumerate(chunks):
            if sent == break_after:
                yield _event({"code": "Internal error", "error": "The stream was interrupted by an internal error."})
                return
            await self._simulation.clock.sleep(wait / len(chunks))
            yield _event(chunk)
        yield b"data: [DONE]\n\n"

    async def deferred_completion(self, exchange: Exchange) -> Reply:
        """202 and nothing while it is pending, the completion once, then it is gone."""
        request_id, now = exchange.request.match_info["id"], self._simulation.clock.now()
        deferred = self._deferred.get(request_id)
        if deferred is None or now >= deferred.expires_at:
            raise errors.refused(404)
        if now < deferred.ready_at:
            return Reply(status=202)
        del self._deferred[request_id]
        return as_json(deferred.body)

    async def list_models(self, exchange: Exchange) -> Reply:
        return as_json({"object": "list", "data": [catalogue.listing(each) for each in catalogue.MODELS]})

    async def show_model(self, exchange: Exchange) -> Reply:
        return as_json(catalogue.listing(_model(exchange)))

    async def list_language_models(self, exchange: Exchange) -> Reply:
        return as_json({"models": [catalogue.detailed(each) for each in catalogue.MODELS]})

    async def show_language_model(self, exchange: Exchange) -> Reply:
        return as_json(catalogue.detailed(_model(exchange)))

    async def show_key(self, exchange: Exchange) -> Reply:
        return as_json(
            {
                "redacted_api_key": "si*********or",
                "user_id": "9d6f3f9a-2f0e-4a0e-8c57-0a6a52c1f001",
                "name": "Simulator key",
                "create_time": "2026-01-01T00:00:00.000000Z",
                "modify_time": "2026-01-01T00:00:00.000000Z",
                "modified_by": "9d6f3f9a-2f0e-4a0e-8c57-0a6a52c1f001",
                "team_id": errors.TEAM,
                "acls": ["api-key:model:*", "api-key:endpoint:*"],
                "api_key_id": "ae1e1841-2f0e-4a0e-8c57-0a6a52c1f002",
                "team_blocked": False,
                "api_key_blocked": False,
                "api_key_disabled": False,
            }
        )

    async def wrong_method(self, exchange: Exchange) -> Reply:
        raise errors.refused(405)

    async def not_found(self, exchange: Exchange) -> Reply:
        raise errors.refused(404)


def _check_content_type(exchange: Exchange) -> None:
    if not exchange.raw or not JSON_TYPE.match(exchange.request.headers.get("Content-Type", "")):
        raise errors.refused(415)
    if exchange.json is None and exchange.raw.strip() != b"null":
        raise errors.refused(400, "Failed to parse the request body as JSON: expected value at line 1 column 1")


def _model(exchange: Exchange) -> catalogue.Model:
    resolved = catalogue.resolve(exchange.request.match_info["id"])
    if resolved is None:
        raise errors.refused(404)
    return resolved.model


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
