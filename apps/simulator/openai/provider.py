"""OpenAI's endpoints below `/openai/v1`."""

import asyncio
import dataclasses
import functools
import uuid
from typing import Any

from apps.simulator.chat import completions, responses
from apps.simulator.chat.answer import Answer, answer_to
from apps.simulator.chat.question import words_of
from apps.simulator.chat.serving import Served, Unreadable, keyed, seen
from apps.simulator.latency import IMAGE
from apps.simulator.messages import Exchange, Handler, Reply, as_json
from apps.simulator.openai import catalogue, errors, pictures
from apps.simulator.openai.requests import MOST_IMAGE_BYTES, Asked, parse_chat, parse_response
from apps.simulator.scenarios import Subject

CHAT = "/openai/v1/chat/completions"
RESPONSES = "/openai/v1/responses"
GENERATIONS = "/openai/v1/images/generations"
EDITS = "/openai/v1/images/edits"
NO_KEY = "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
BROKEN = {"error": {"message": "The server had an error while processing your request.", "type": "server_error",
                    "param": None, "code": None}}  # fmt: skip


class OpenAI(Served):
    name = "openai"

    def routes(self) -> list[tuple[str, str, Handler]]:
        routes: list[tuple[str, str, Handler]] = [
            ("POST", CHAT, self.chat),
            ("POST", RESPONSES, self.respond),
            ("POST", GENERATIONS, self.paint),
            ("POST", EDITS, self.paint),
            ("GET", "/openai/v1/models", self.list_models),
            ("GET", "/openai/v1/models/{id}", self.show_model),
            ("*", CHAT, self.wrong_method),
            ("*", "/openai/{rest:.*}", self.not_found),
        ]
        return keyed(routes, self._check_key)

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        if method == "POST" and path in (GENERATIONS, EDITS):
            said = body if isinstance(body, dict) else {}
            return Subject(model=str(said.get("model", "")), prompt=str(said.get("prompt", "")), is_purchase=True)
        if method != "POST" or path not in (CHAT, RESPONSES):
            return Subject()
        fields = body if isinstance(body, dict) else {}
        asked = fields.get("messages") if path == CHAT else fields.get("input")
        words = asked if isinstance(asked, str) else words_of(asked)
        return Subject(model=str(fields.get("model", "")), prompt=words, is_purchase=True)

    def error(self, status: int, message: str | None) -> Reply:
        return errors.reply(status, message)

    def _check_key(self, exchange: Exchange) -> None:
        if exchange.bearer is None:
            raise errors.refused(401, NO_KEY)
        if not self._simulation.account(self.name).accepts(exchange.bearer):
            raise errors.refused(401)

    async def chat(self, exchange: Exchange) -> Reply:
        asked = await self._seen(parse_chat(exchange.json, now=self._simulation.clock.now()))
        answer = self._answered(exchange, asked, prefix="chatcmpl-")
        usage = completions.usage_of(answer.tokens)
        more = {"service_tier": "default", "system_fingerprint": None}
        if asked.stream:
            chunks = completions.chunks(answer, usage, **more)
            chunks = chunks if asked.include_usage else chunks[:-1]
            for chunk in chunks:
                chunk["obfuscation"] = uuid.uuid4().hex[:12]
            return self._with_headers(self._desk.streamed(exchange, chunks, broken=BROKEN))
        await self._desk.think()
        return self._with_headers(as_json(completions.whole(answer, usage, **more)))

    async def respond(self, exchange: Exchange) -> Reply:
        asked = await self._seen(parse_response(exchange.json, now=self._simulation.clock.now()))
        answer = self._answered(exchange, asked, prefix="resp_")
        await self._desk.think()
        return self._with_headers(as_json(responses.whole(answer, exchange.json, responses.usage_of(answer.tokens))))

    async def paint(self, exchange: Exchange) -> Reply:
        """Pictures, from words alone or from others; they come with the answer."""
        simulation, effect = self._simulation, exchange.effect
        wanted = pictures.parse(exchange, now=simulation.clock.now(), edits=exchange.request.path == EDITS)
        if effect.refusal:
            raise errors.moderated()
        if self._desk.is_out_of_money():
            raise errors.out_of_money()
        if self._desk.is_too_much():
            raise errors.too_many(wanted.painter.id)
        loop = asyncio.get_running_loop()
        files = await loop.run_in_executor(
            simulation.threads, functools.partial(pictures.drawn, wanted, seed=simulation.options.seed)
        )
        self._desk.book(exchange, id=f"img_{uuid.uuid4().hex}", model=wanted.painter.id, cost=wanted.cost)
        await simulation.clock.sleep(simulation.latency.draw(IMAGE))
        return self._with_headers(as_json(wanted.as_json(files, created=int(simulation.clock.now()))))

    async def _seen(self, asked: Asked) -> Asked:
        try:
            question = await seen(
                asked.question, asked.images, self._simulation.photographs, most_bytes=MOST_IMAGE_BYTES
            )
        except Unreadable as error:
            raise errors.refused(400, f"Invalid image data. {error}", code="invalid_image", param="messages") from error
        return dataclasses.replace(asked, question=question)

    def _answered(self, exchange: Exchange, asked: Asked, *, prefix: str) -> Answer:
        if self._desk.is_out_of_money():
            raise errors.out_of_money()
        if self._desk.is_too_much():
            raise errors.too_many(asked.model.id)
        answer = answer_to(
            asked.question,
            exchange.effect,
            answer_id=prefix + uuid.uuid4().hex,
            model=asked.model.snapshot or asked.model.id,
            price=asked.model.price,
            reasons=asked.reasons,
            most_tokens=asked.most_tokens,
            asked_before=self._desk.asked_before(asked.question),
            now=self._simulation.clock.now(),
            seed=self._simulation.options.seed,
        )
        self._desk.sell(exchange, answer)
        return answer

    def _with_headers(self, reply: Reply) -> Reply:
        """The limits come with every answer; what they reset in is a duration as Go writes it."""
        reply.headers |= {
            "x-request-id": f"req_{uuid.uuid4().hex}",
            "openai-organization": "org-simulated",
            "openai-processing-ms": "412",
            "openai-version": "2020-10-01",
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-limit-tokens": "200000",
            "x-ratelimit-remaining-tokens": "198500",
            "x-ratelimit-reset-tokens": "6m0s",
        }
        return reply

    async def list_models(self, exchange: Exchange) -> Reply:
        now = self._simulation.clock.now()
        there = [model.as_json() for model in catalogue.MODELS if model.is_there(now)]
        return self._with_headers(as_json({"object": "list", "data": there}))

    async def show_model(self, exchange: Exchange) -> Reply:
        name = exchange.request.match_info["id"]
        model = catalogue.find(name, self._simulation.clock.now())
        if model is None:
            raise errors.no_model(name)
        return as_json(model.as_json())

    async def wrong_method(self, exchange: Exchange) -> Reply:
        raise errors.refused(405)

    async def not_found(self, exchange: Exchange) -> Reply:
        path = exchange.request.path
        raise errors.refused(404, f"Invalid URL ({exchange.request.method} {path})", kind=errors.REQUEST)
