"""Checks a request the way OpenAI does and turns it into a question."""

from dataclasses import dataclass
from typing import Any

from apps.simulator.chat import responses
from apps.simulator.chat.question import BadContent, Question, contents
from apps.simulator.openai import errors
from apps.simulator.openai.catalogue import Model, find
from apps.simulator.openai.schemas import fault_in

MOST_IMAGE_BYTES = 50 * 1024 * 1024
ROLES = ("system", "user", "assistant", "tool", "developer")
KNOWN = {
    "model", "messages", "max_completion_tokens", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options",
    "stop", "seed", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "verbosity",
    "service_tier", "store", "metadata", "prompt_cache_key", "safety_identifier", "modalities", "prediction", "logprobs",
    "top_logprobs", "moderation", "user", "web_search_options", "presence_penalty", "frequency_penalty", "logit_bias",
}  # fmt: skip
KNOWN_TO_RESPONSES = {
    "model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "tools", "tool_choice", "include",
    "text", "reasoning", "store", "metadata", "stream", "previous_response_id", "parallel_tool_calls", "truncation",
    "user", "service_tier", "prompt_cache_key", "safety_identifier", "background", "max_tool_calls",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that is in order. `images`: the addresses of its pictures."""

    question: Question
    images: list[str]
    model: Model
    most_tokens: int | None
    stream: bool = False
    include_usage: bool = False

    @property
    def reasons(self) -> bool:
        return self.model.reasons


def parse_chat(body: Any, *, now: float) -> Asked:
    """Raises Refused with OpenAI's own status and words."""
    fields = _object(body, KNOWN)
    model = _model(fields, now)
    _check_for_reasoning(fields, model)
    _check_searching(fields, model)
    _check_effort(fields.get("reasoning_effort"), model, "reasoning_effort")
    texts, images = _contents(fields.get("messages"))
    wanted = _format(fields.get("response_format"))
    question = Question(
        asked=fields["model"],
        texts=tuple(texts),
        schema=(wanted.get("json_schema") or {}).get("schema"),
        as_json=wanted.get("type") in ("json_schema", "json_object"),
        searches=model.always_searches,
    )
    return Asked(
        question=question,
        images=images,
        model=model,
        most_tokens=fields.get("max_completion_tokens") or fields.get("max_tokens"),
        stream=bool(fields.get("stream")),
        include_usage=bool((fields.get("stream_options") or {}).get("include_usage")),
    )


def parse_response(body: Any, *, now: float) -> Asked:
    """The same of the Responses interface."""
    fields = _object(body, KNOWN_TO_RESPONSES)
    model = _model(fields, now)
    if fields.get("stream"):
        raise errors.refused(400, "The simulator does not stream responses.", param="stream")
    if model.reasons and fields.get("temperature") is not None:
        raise _unsupported("temperature", "Unsupported parameter: 'temperature' is not supported with this model.")
    _check_effort((fields.get("reasoning") or {}).get("effort"), model, "reasoning.effort")
    wanted = (fields.get("text") or {}).get("format") or {}
    _check_schema(wanted.get("type"), wanted.get("name"), wanted.get("schema"), wanted.get("strict"), "text.format")
    try:
        question, images = responses.question_of(fields)
    except BadContent as error:
        raise errors.refused(400, f"Invalid value: '{error}'.", param="input") from error
    return Asked(question=question, images=images, model=model, most_tokens=fields.get("max_output_tokens"))


def _object(body: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise errors.refused(400, "We could not parse the JSON body of your request.")
    if unknown := sorted(set(body) - known):
        raise errors.refused(400, f"Unrecognized request argument supplied: {unknown[0]}", param=unknown[0])
    return body


def _model(fields: dict[str, Any], now: float) -> Model:
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise errors.refused(400, "you must provide a model parameter", param="model")
    model = find(name, now)
    if model is None:
        raise errors.no_model(name)
    return model


def _check_for_reasoning(fields: dict[str, Any], model: Model) -> None:
    if not model.reasons:
        return
    if fields.get("max_tokens") is not None:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise _unsupported("max_tokens", said)
    for name in ("temperature", "top_p"):
        if fields.get(name) not in (None, 1):
            said = f"Unsupported value: '{name}' does not support {fields[name]} with this model. Only the default (1) value is supported."
            raise errors.refused(400, said, code="unsupported_value", param=name)
    for name in ("stop", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias"):
        if fields.get(name) is not None:
            raise _unsupported(name, f"Unsupported parameter: '{name}' is not supported with this model.")


def _check_searching(fields: dict[str, Any], model: Model) -> None:
    if fields.get("web_search_options") is not None and not model.always_searches:
        raise errors.refused(400, "Web search options not supported with this model.", param="web_search_options")


def _check_effort(effort: Any, model: Model, param: str) -> None:
    if effort is not None and (not model.reasons or effort not in model.efforts):
        raise _unsupported(param, f"Unsupported value: '{param}' does not support '{effort}' with this model.")


def _contents(messages: Any) -> tuple[list[tuple[str, str]], list[str]]:
    if not isinstance(messages, list):
        raise errors.refused(
            400, "Missing required parameter: 'messages'.", code="missing_required_parameter", param="messages"
        )
    if not messages:
        raise errors.refused(400, "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
                             code="empty_array", param="messages")  # fmt: skip
    try:
        return contents(messages, ROLES)
    except BadContent as error:
        raise errors.refused(400, f"Invalid value: '{error}'.", code="invalid_value", param=str(error)) from error


def _format(wanted: Any) -> dict[str, Any]:
    if wanted is None:
        return {}
    named = wanted.get("json_schema") or {}
    _check_schema(wanted.get("type"), named.get("name"), named.get("schema"), named.get("strict"), "response_format")
    return wanted


def _check_schema(kind: Any, name: Any, schema: Any, strict: Any, param: str) -> None:
    if kind != "json_schema":
        return
    if not isinstance(name, str) or not name:
        raise errors.refused(
            400, f"Missing required parameter: '{param}.json_schema.name'.", param=f"{param}.json_schema.name"
        )
    fault = fault_in(schema) if strict else ""
    if fault:
        raise errors.refused(400, f"Invalid schema for response_format '{name}': {fault}", param=param)


def _unsupported(param: str, said: str) -> errors.Refused:
    return errors.refused(400, said, code="unsupported_parameter", param=param)
