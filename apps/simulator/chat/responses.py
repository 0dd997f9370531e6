"""The Responses interface: its request as a question, and an answer in its shape."""

from typing import Any

from apps.simulator.chat.answer import Answer, Tokens
from apps.simulator.chat.question import Question, contents

ROLES = ("user", "assistant", "system", "developer")


def question_of(body: dict[str, Any]) -> tuple[Question, list[str]]:
    """The question and the addresses of its pictures. Raises BadContent."""
    asked = body.get("input")
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    texts, images = contents(messages if isinstance(messages, list) else [None], ROLES)
    if isinstance(body.get("instructions"), str):
        texts.insert(0, ("system", body["instructions"]))
    wanted = (body.get("text") or {}).get("format") or {}
    question = Question(
        asked=str(body.get("model")),
        texts=tuple(texts),
        schema=wanted.get("schema"),
        as_json=wanted.get("type") in ("json_schema", "json_object"),
        searches=any(str(tool.get("type", "")).startswith("web_search") for tool in body.get("tools") or []),
    )
    return question, images


def usage_of(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }


def whole(answer: Answer, body: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    """Searches, then the message; an answer that was cut short is incomplete and says why."""
    cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish_reason)
    content: dict[str, Any] = {"type": "output_text", "text": answer.text, "annotations": _annotations(answer)}
    if answer.refusal:
        content = {"type": "refusal", "refusal": answer.refusal}
    message = {
        "id": f"msg_{answer.id.removeprefix('resp_')}",
        "type": "message",
        "status": "incomplete" if cut else "completed",
        "role": "assistant",
        "content": [content],
    }
    reported = {} if answer.shown_usage == "missing" else {"usage": answer.shown_usage or usage}
    return {
        "id": answer.id,
        "object": "response",
        "created_at": answer.created,
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": answer.model,
        "output": [*(_search(answer, place) for place in range(answer.searches)), message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": bool(body.get("store", True)),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": {},
        **reported,
    }


def _search(answer: Answer, place: int) -> dict[str, Any]:
    """Two pages more were consulted than are cited."""
    consulted = [*(url for url, _ in answer.sources), "https://www.example.org/archive", "https://news.example.net/"]
    return {
        "id": f"ws_{answer.id.removeprefix('resp_')}_{place}",
        "type": "web_search_call",
        "status": "completed",
        "action": {
            "type": "search",
            "query": "best of 2026",
            "sources": [{"type": "url", "url": url} for url in consulted],
        },
    }


def _annotations(answer: Answer) -> list[dict[str, Any]]:
    found = []
    for url, title in answer.sources:
        start = max(answer.text.find(title), 0)
        place = {"start_index": start, "end_index": min(start + len(title), len(answer.text))}
        found.append({"type": "url_citation", "url": url, "title": title, **place})
    return found
