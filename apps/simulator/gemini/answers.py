"""An answer in Gemini's shape: what is zero is left out, thoughts are counted beside, a blocked prompt has no candidates."""

from typing import Any

from apps.simulator.chat.answer import Answer, in_pieces

FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


def whole(answer: Answer) -> dict[str, Any]:
    if answer.refusal:
        return _blocked(answer)
    return _envelope(answer, answer.text, finish=True) | _usage(answer)


def chunks(answer: Answer) -> list[dict[str, Any]]:
    """The usage is on every one, the reason of the end on the last; no mark follows it."""
    if answer.refusal:
        return [_blocked(answer)]
    pieces = in_pieces(answer.text)
    last = len(pieces) - 1
    return [_envelope(answer, piece, finish=place == last) | _usage(answer) for place, piece in enumerate(pieces)]


def _envelope(answer: Answer, text: str, *, finish: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    if text:
        content["parts"] = [{"text": text}]
    candidate: dict[str, Any] = {"content": content, "index": 0}
    if finish:
        candidate["finishReason"] = FINISHES.get(answer.finish_reason, answer.finish_reason.upper())
        if answer.sources:
            candidate["groundingMetadata"] = _grounding(answer)
    return {"candidates": [candidate], "modelVersion": answer.model, "responseId": answer.id}


def _usage(answer: Answer) -> dict[str, Any]:
    if answer.shown_usage == "missing":
        return {}
    tokens = answer.tokens
    counts = {
        "promptTokenCount": tokens.prompt,
        "candidatesTokenCount": tokens.completion,
        "thoughtsTokenCount": tokens.reasoning,
        "totalTokenCount": tokens.total,
    }
    shown = {name: count for name, count in counts.items() if count}
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.prompt}]}
    return {"usageMetadata": answer.shown_usage or (shown | details)}


def _blocked(answer: Answer) -> dict[str, Any]:
    ratings = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]
    counts = {"promptTokenCount": answer.tokens.prompt, "totalTokenCount": answer.tokens.prompt}
    return {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": ratings},
        "usageMetadata": counts,
        "modelVersion": answer.model,
        "responseId": answer.id,
    }


def _grounding(answer: Answer) -> dict[str, Any]:
    """Pages are told as redirects, and by their domain; the places of what they support are bytes."""
    chunks = []
    for place, (url, _title) in enumerate(answer.sources):
        domain = url.split("/")[2].removeprefix("www.")
        redirect = f"https://vertexaisearch.cloud.google.com/grounding-api-redirect/sim{place:02d}-{domain}"
        chunks.append({"web": {"uri": redirect, "title": domain}})
    end = len(answer.text.encode())
    segment = {"startIndex": 0, "endIndex": end, "text": answer.text}
    indices = list(range(max(len(chunks) - 1, 1)))
    return {
        "webSearchQueries": ["best of 2026"],
        "searchEntryPoint": {"renderedContent": "<div></div>"},
        "groundingChunks": chunks,
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": indices}],
    }
