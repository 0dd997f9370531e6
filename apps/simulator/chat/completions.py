"""An answer in the shape of OpenAI's chat completions, whole and in chunks; OpenRouter speaks it too, with words of its own."""

from typing import Any

from apps.simulator.chat.answer import Answer, Tokens, in_pieces


def usage_of(tokens: Tokens) -> dict[str, Any]:
    """Reasoning is among the completion's tokens."""
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.total,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def shown(answer: Answer, usage: dict[str, Any]) -> dict[str, Any]:
    """What the answer says of its usage: the truth, unless a scenario wants something else said."""
    if answer.shown_usage == "missing":
        return {}
    return {"usage": usage if answer.shown_usage is None else answer.shown_usage}


def annotations_of(answer: Answer) -> list[dict[str, Any]]:
    """Citations, each at the place where the words name it, or at the end."""
    found = []
    for url, title in answer.sources:
        start = max(answer.text.find(title), 0)
        place = {"start_index": start, "end_index": min(start + len(title), len(answer.text))}
        found.append({"type": "url_citation", "url_citation": {"url": url, "title": title, **place}})
    return found


def whole(answer: Answer, usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {
        "role": "assistant",
        "content": None if answer.refusal else answer.text,
        "refusal": answer.refusal or None,
        "annotations": annotations_of(answer),
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return _envelope(answer, "chat.completion", [choice], more) | shown(answer, usage)


def chunks(answer: Answer, usage: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Role, a few words at a time, the finish, and the usage on a chunk without choices."""
    said = [{"refusal": each} for each in in_pieces(answer.refusal)] if answer.refusal else []
    said = said or [{"content": each} for each in in_pieces(answer.text)]
    annotations = annotations_of(answer)
    last: dict[str, Any] = {"annotations": annotations} if annotations else {}
    deltas = [{"role": "assistant", "content": ""}, *said]
    kind = "chat.completion.chunk"
    pieces = [_envelope(answer, kind, [_choice(delta, None)], more) for delta in deltas]
    finish = _envelope(answer, kind, [_choice(last, answer.finish_reason)], more)
    return [*pieces, finish, _envelope(answer, kind, [], more) | shown(answer, usage)]


def _choice(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _envelope(answer: Answer, kind: str, choices: list[dict[str, Any]], more: dict[str, Any]) -> dict[str, Any]:
    named = {"id": answer.id, "object": kind, "created": answer.created, "model": answer.model}
    return named | more | {"choices": choices}
