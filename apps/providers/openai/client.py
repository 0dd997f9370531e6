"""The OpenAI client."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from apps.providers import http
from apps.providers.openai import images
from apps.providers.openai.dialect import DIALECT
from apps.providers.openai_wire.client import WireClient
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.types import EditRequest, ModelInfo, PictureAnswer


@dataclass(frozen=True)
class OpenAIClient(WireClient):
    """`base` ends in /v1."""

    dialect: ClassVar[Dialect] = DIALECT

    def edit(self, request: EditRequest, *, seconds: float, leaves_by: float | None = None) -> PictureAnswer:
        """Pays for pictures made from those given, which come with the answer. Raises InvalidRequest, ContentRefused, …"""
        reply = self._ask(
            "POST",
            images.EDITS,
            seconds=seconds,
            json=images.body_of(request),
            paid=True,
            leaves_by=leaves_by,
            max_bytes=images.MOST_RESULT_BYTES,
        )
        data = http.require_object("openai", reply)
        answer_id = str(reply.headers.get("x-request-id") or "")
        return images.read_answer(data, request=request, http_status=reply.status, answer_id=answer_id)

    def models(self, *, seconds: float = 10) -> list[ModelInfo]:
        """What this key may ask today, with the day it ends; no prices."""
        return read_models(http.require_object("openai", self._ask("GET", "/models", seconds=seconds)))


def read_models(data: Any) -> list[ModelInfo]:
    listed = data.get("data") if isinstance(data, dict) else None
    items = listed if isinstance(listed, list) else []
    return [
        ModelInfo(id=item["id"], ends_on=_day(item.get("shutdown_date")))
        for item in items
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    ]


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
