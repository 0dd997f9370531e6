"""The xAI client against the simulator: reference §10, items 1 to 4."""

import base64
import io
from decimal import Decimal

from PIL import Image

from apps.providers.types import ChatRequest, ImagePart, TextPart
from apps.providers.xai.client import XaiClient
from apps.providers.xai.errors import shortcoming
from tests.support.simulator import SimulatorProcess


def picture(colour: str = "teal") -> str:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def question(model: str = "grok-4.3", **more: object) -> ChatRequest:
    parts = (ImagePart(picture()), TextPart("Describe the picture to make."))
    return ChatRequest(model=model, system="Write one prompt.", parts=parts, max_tokens=400, **more)  # type: ignore[arg-type]


def test_chat_answers_with_text_usage_and_exact_cost(xai: XaiClient, simulator: SimulatorProcess) -> None:
    answer = xai.chat(question(), seconds=20)

    assert len(answer.text.split()) > 20
    assert answer.model == "grok-4.3"
    assert answer.usage.total == answer.usage.prompt + answer.usage.completion + answer.usage.reasoning
    assert answer.cost_source == "reported"
    (purchase,) = simulator.ledger("xai")
    assert answer.cost_usd == Decimal(str(purchase["cost"]))
    assert shortcoming(answer) is None
