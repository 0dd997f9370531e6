"""OpenAI's pictures: edits of given ones, answered in the same exchange and always as base64."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.providers.catalogue import PicturePrice, find_model
from apps.providers.errors import MalformedOutput
from apps.providers.types import EditRequest, PictureAnswer

EDITS = "/images/edits"
MOST_RESULT_BYTES = 120_000_000
_MILLION = Decimal(10**6)


def body_of(request: EditRequest) -> dict[str, Any]:
    """As JSON: one request carries the pictures, and no file is left at the provider."""
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "images": [{"image_url": picture.data_uri} for picture in request.pictures],
        "n": request.count,
        "size": request.size,
        "quality": request.quality,
        "output_format": request.format,
    }
    if request.background:
        body["background"] = request.background
    return body


def read_answer(data: Mapping[str, Any], *, request: EditRequest, http_status: int, answer_id: str) -> PictureAnswer:
    """Raises MalformedOutput when it holds no picture; what it says of its usage is booked all the same."""
    usage = data.get("usage")
    raw = usage if isinstance(usage, dict) else {}
    cost = cost_of(request.model, raw)
    listed = data.get("data")
    pictures = [
        picture
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, Mapping) and (picture := _decoded(item.get("b64_json")))
    ]
    if not pictures:
        raise MalformedOutput(
            "openai",
            detail="The answer holds no picture.",
            http_status=http_status,
            cost_usd=cost,
            cost_source="priced",
        )
    return PictureAnswer(
        id=answer_id,
        pictures=tuple(pictures),
        content_type=f"image/{data.get('output_format') or request.format}",
        usage=raw,
        cost_usd=cost,
        cost_source="none" if cost is None else "priced",
        http_status=http_status,
    )


def cost_of(model: str, usage: Mapping[str, Any]) -> Decimal | None:
    """USD by our table: words in, pictures in and pictures out have prices of their own."""
    price = price_today(model)
    details = usage.get("input_tokens_details")
    if price is None or not isinstance(details, Mapping):
        return None
    amount = (
        _count(details, "text_tokens") * price.text
        + _count(details, "image_tokens") * price.picture
        + _count(usage, "output_tokens") * price.output
    )
    return amount / _MILLION


def at_most(request: EditRequest) -> Decimal | None:
    """USD that an edit can cost: what its pictures and words weigh at most, and the most that its size may take."""
    price = price_today(request.model)
    if price is None:
        return None
    pictures = len(request.pictures) * MOST_TOKENS_IN * price.picture
    words = Decimal(len(request.prompt)) / 2 * price.text
    made = MOST_TOKENS_OUT.get(request.quality, MOST_TOKENS_OUT["high"]) * request.count * price.output
    return (pictures + words + made) / _MILLION


# Of one picture in, and of one out of 1536 x 1024; OpenAI's calculator for GPT image models, read 22 Nov 2026.
MOST_TOKENS_IN = 6_300
MOST_TOKENS_OUT = {"low": 410, "medium": 1_590, "high": 6_250}


def price_today(model: str) -> PicturePrice | None:
    known, today = find_model("openai", model), datetime.now(UTC).date()
    prices = [price for price in known.picture_prices if price.since <= today] if known else []
    return max(prices, key=lambda price: price.since, default=None)


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and value > 0 else 0
