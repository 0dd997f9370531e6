"""Gemini's endpoints below `/gemini`, of both versions."""

import uuid
from typing import Any

from apps.simulator.chat.answer import Answer, answer_to, tokens_of
from apps.simulator.chat.serving import Served, Unreadable, keyed, seen
from apps.simulator.gemini import answers, catalogue, errors
from apps.simulator.gemini.catalogue import Model
from apps.simulator.gemini.requests import parse, words_of
from apps.simulator.messages import Exchange, Handler, Reply, as_json
from apps.simulator.scenarios import Subject

ROOT = "/gemini/{version:v1|v1beta}/models"
MOST_IMAGE_BYTES = 20 * 1024 * 1024
PURCHASES = (":generateContent", ":streamGenerateContent")


class Gemini(Served):
    name = "gemini"

    def routes(self) -> list[tuple[str, str, Handler]]:
        routes: list[tuple[str, str, Handler]] = [
            ("POST", ROOT + "/{model}:generateContent", self.generate),
            ("POST", ROOT + "/{model}:streamGenerateContent", self.stream),
            ("POST", ROOT + "/{model}:countTokens", self.count),
            ("GET", ROOT, self.list_models),
            ("GET", ROOT + "/{model}", self.show_model),
            ("*", "/gemini/{rest:.*}", self.not_found),
        ]
        return keyed(routes, self._check_key)

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        if method != "POST" or not path.endswith(PURCHASES):
            return Subject()
        model = path.rpartition("/")[2].partition(":")[0]
        return Subject(model=model, prompt=words_of(body), is_purchase=True)

    def error(self, status: int, message: str | None) -> Reply:
        return errors.reply(status, message)

    def _check_key(self, exchange: Exchange) -> None:
        request = exchange.request
        key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
        if not key:
            raise errors.refused(403)
        if not self._simulation.account(self.name).accepts(key):
            raise errors.wrong_key()

    async def generate(self, exchange: Exchange) -> Reply:
        answer = await self._answered(exchange)
        await self._desk.think()
        return as_json(answers.whole(answer))

    async def stream(self, exchange: Exchange) -> Reply:
        """Server-sent events with `alt=sse`, else one JSON array."""
        answer = await self._answered(exchange)
        if exchange.request.query.get("alt") != "sse":
            await self._desk.think()
            return as_json(answers.chunks(answer))
        broken = errors.body(503)
        return self._desk.streamed(exchange, answers.chunks(answer), broken=broken, end=b"", line_end=b"\r\n\r\n")

    async def _answered(self, exchange: Exchange) -> Answer:
        name, model = self._model(exchange)
        asked = parse(exchange.json, name=name, model=model)
        try:
            photographs = self._simulation.photographs
            question = await seen(asked.question, asked.images, photographs, most_bytes=MOST_IMAGE_BYTES)
        except Unreadable as error:
            raise errors.refused(400, "Unable to process input image. Please retry or report.") from error
        if self._desk.is_out_of_money():
            raise errors.refused(402)
        if self._desk.is_too_much():
            raise errors.too_many(model.id)
        answer = answer_to(
            question,
            exchange.effect,
            answer_id=uuid.uuid4().hex[:22],
            model=model.id,
            price=model.price,
            reasons=True,
            most_tokens=asked.most_tokens,
            asked_before=self._desk.asked_before(question),
            now=self._simulation.clock.now(),
            seed=self._simulation.options.seed,
        )
        self._desk.sell(exchange, answer)
        return answer

    async def count(self, exchange: Exchange) -> Reply:
        self._model(exchange)
        return as_json({"totalTokens": tokens_of(words_of(exchange.json))})

    async def list_models(self, exchange: Exchange) -> Reply:
        now = self._simulation.clock.now()
        there = [model.as_json() for model in catalogue.MODELS if catalogue.find(model.id, now) is model]
        return as_json({"models": there})

    async def show_model(self, exchange: Exchange) -> Reply:
        return as_json(self._model(exchange)[1].as_json())

    def _model(self, exchange: Exchange) -> tuple[str, Model]:
        """The name that was asked for and the model that answers to it. Raises Refused."""
        name = exchange.request.match_info["model"]
        model = catalogue.find(name, self._simulation.clock.now())
        if model is None:
            raise errors.no_model(name)
        return name, model

    async def not_found(self, exchange: Exchange) -> Reply:
        raise errors.refused(404, "Requested entity was not found.")
