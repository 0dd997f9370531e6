"""OpenRouter's endpoints below `/openrouter/api/v1`."""

import uuid
from typing import Any

from apps.simulator.chat import completions
from apps.simulator.chat.answer import Answer, answer_to
from apps.simulator.chat.question import BadContent, Question, contents, words_of
from apps.simulator.chat.serving import Served, Unreadable, keyed, seen
from apps.simulator.messages import Exchange, Handler, Reply, as_json
from apps.simulator.openrouter import catalogue, errors
from apps.simulator.openrouter.catalogue import Model
from apps.simulator.scenarios import Subject

ROOT = "/openrouter/api/v1"
CHAT = f"{ROOT}/chat/completions"
ROLES = ("system", "user", "assistant", "tool", "developer")
MOST_IMAGE_BYTES = 20 * 1024 * 1024
# Not what a model must support, but what OpenRouter itself reads.
OWN_FIELDS = {"model", "models", "messages", "stream", "stream_options", "provider", "plugins", "user", "usage", "route",
              "transforms", "session_id", "metadata", "trace", "debug"}  # fmt: skip
WAITING = b": OPENROUTER PROCESSING\n\n"


class OpenRouter(Served):
    name = "openrouter"

    def routes(self) -> list[tuple[str, str, Handler]]:
        routes: list[tuple[str, str, Handler]] = [
            ("POST", CHAT, self.chat),
            ("GET", f"{ROOT}/key", self.show_key),
            ("GET", f"{ROOT}/credits", self.show_credits),
            ("*", "/openrouter/{rest:.*}", self.not_found),
        ]
        # The list of models is open to anybody.
        return [("GET", f"{ROOT}/models", self.list_models), *keyed(routes, self._check_key)]

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        if method != "POST" or path != CHAT:
            return Subject()
        fields = body if isinstance(body, dict) else {}
        return Subject(model=str(fields.get("model", "")), prompt=words_of(fields.get("messages")), is_purchase=True)

    def error(self, status: int, message: str | None) -> Reply:
        return errors.reply(status, message)

    def _check_key(self, exchange: Exchange) -> None:
        if exchange.bearer is None:
            raise errors.refused(401, "Missing Authentication header")
        if not self._simulation.account(self.name).accepts(exchange.bearer):
            raise errors.refused(401)

    async def chat(self, exchange: Exchange) -> Reply:
        body = exchange.json
        if not isinstance(body, dict):
            raise errors.refused(400, "Invalid JSON body")
        question, images, model = _question(body)
        try:
            photographs = self._simulation.photographs
            question = await seen(question, images, photographs, most_bytes=MOST_IMAGE_BYTES)
        except Unreadable as error:
            raise errors.refused(400, str(error), error_type="invalid_image") from error
        answer = self._answered(exchange, question, model, body)
        usage = _usage(answer)
        more = {"provider": model.provider, "system_fingerprint": None}
        if body.get("stream"):
            chunks = completions.chunks(answer, usage, **more)
            return self._desk.streamed(exchange, chunks, broken=_broken(answer), before=(WAITING, WAITING))
        await self._desk.think()
        whole = completions.whole(answer, usage, **more)
        whole["choices"][0]["native_finish_reason"] = whole["choices"][0]["finish_reason"]
        return as_json(whole)

    def _answered(self, exchange: Exchange, question: Question, model: Model, body: dict[str, Any]) -> Answer:
        if self._desk.is_out_of_money():
            raise errors.refused(402, limit_source="openrouter_credits")
        if self._desk.is_too_much():
            raise errors.refused(429)
        now = self._simulation.clock.now()
        answer = answer_to(
            question,
            exchange.effect,
            answer_id=f"gen-{int(now)}-{uuid.uuid4().hex[:20]}",
            model=model.id,
            price=model.price,
            reasons=model.reasons,
            most_tokens=body.get("max_tokens") or body.get("max_completion_tokens"),
            asked_before=self._desk.asked_before(question),
            now=now,
            seed=self._simulation.options.seed,
        )
        self._desk.sell(exchange, answer)
        return answer

    async def list_models(self, exchange: Exchange) -> Reply:
        return as_json({"data": [model.as_json() for model in catalogue.MODELS]})

    async def show_key(self, exchange: Exchange) -> Reply:
        limits = {"limit": None, "limit_remaining": None, "limit_reset": None, "usage": 0, "usage_daily": 0}
        return as_json({"data": {"label": "sk-or-v1-sim...ulator", "is_free_tier": False, **limits}})

    async def show_credits(self, exchange: Exchange) -> Reply:
        balance = self._simulation.account(self.name).balance
        return as_json({"data": {"total_credits": float(balance or 100), "total_usage": 0}})

    async def not_found(self, exchange: Exchange) -> Reply:
        raise errors.refused(404)


def _question(body: dict[str, Any]) -> tuple[Question, list[str], Model]:
    """The question, its pictures and the first model that takes it. Raises Refused."""
    try:
        messages = body.get("messages")
        texts, images = contents(messages if isinstance(messages, list) and messages else [None], ROLES)
    except BadContent as error:
        raise errors.refused(400, f"Invalid input: {error}") from error
    model = _model(body, images=bool(images))
    wanted = body.get("response_format") or {}
    is_asked = wanted.get("type") in ("json_schema", "json_object") and "response_format" in model.takes
    tools = body.get("tools") or []
    question = Question(
        asked=str(body.get("model") or model.id),
        texts=tuple(texts),
        schema=(wanted.get("json_schema") or {}).get("schema") if is_asked else None,
        as_json=is_asked,
        searches=model.always_searches or any(tool.get("type") == "openrouter:web_search" for tool in tools),
    )
    return question, images, model


def _model(body: dict[str, Any], *, images: bool) -> Model:
    """Of `model` and then `models` the first that can; where none can, the refusal of the last."""
    names = [name for name in [body.get("model"), *(body.get("models") or [])] if isinstance(name, str)]
    if not names:
        raise errors.refused(400, "No models provided")
    refusal = errors.no_model(names[-1])
    for name in dict.fromkeys(names):
        model = catalogue.find(name)
        if model is None:
            refusal = errors.no_model(name)
        elif images and not model.images:
            refusal = errors.refused(404, "No endpoints found that support image input")
        elif (body.get("provider") or {}).get("require_parameters") and not _takes_all(model, body):
            refusal = errors.no_endpoint_takes_them()
        else:
            return model
    raise refusal


def _takes_all(model: Model, body: dict[str, Any]) -> bool:
    return set(body) - OWN_FIELDS <= set(model.takes)


def _usage(answer: Answer) -> dict[str, Any]:
    return completions.usage_of(answer.tokens) | {
        "cost": float(answer.cost),
        "is_byok": False,
        "cost_details": {"upstream_inference_cost": None},
        **({"server_tool_use": {"web_search_requests": answer.searches}} if answer.searches else {}),
    }


def _broken(answer: Answer) -> dict[str, Any]:
    """An error in mid-stream comes on a chunk whose finish reason says so."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    named = {"id": answer.id, "object": "chat.completion.chunk", "created": answer.created, "model": answer.model}
    return named | errors.body(502, raw="upstream broke off") | {"choices": [choice]}
