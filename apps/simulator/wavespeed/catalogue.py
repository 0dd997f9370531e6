"""WaveSpeed's image models: inputs and prices (wavespeed.ai, November 2026; prices marked there as approximate)."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Field:
    """`kind`: text, images, image, size, integer, number, boolean, choice. Bounds are counts, pixels or values."""

    name: str
    kind: str
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    default: Any = None

    def schema(self) -> dict[str, Any]:
        kinds = {"images": "array", "integer": "integer", "number": "number", "boolean": "boolean"}
        schema: dict[str, Any] = {"type": kinds.get(self.kind, "string"), "title": self.name}
        if self.kind == "images":
            schema |= {"items": {"type": "string"}, "minItems": self.least, "maxItems": self.most}
        elif self.least is not None:
            schema |= {"minimum": self.least, "maximum": self.most}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.default is not None:
            schema["default"] = self.default
        return schema


@dataclass(frozen=True, kw_only=True)
class Model:
    """`price` in USD for one output."""

    id: str
    price: Decimal
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    def outputs(self, inputs: dict[str, Any]) -> int:
        return int(inputs.get("num_images") or inputs.get("max_images") or 1)

    def cost(self, inputs: dict[str, Any]) -> Decimal:
        """USD for the whole call."""
        one = Decimal("0.24") if inputs.get("resolution") == "4k" and "pro" in self.id else self.price
        return one * self.outputs(inputs)

    def as_json(self) -> dict[str, Any]:
        schema = {
            "type": "object",
            "required": [field.name for field in self.fields if field.required],
            "x-order-properties": [field.name for field in self.fields],
            "properties": {field.name: field.schema() for field in self.fields},
        }
        return {
            "model_id": self.id, "name": self.id, "description": f"{self.id} (simulated)",
            "type": "image-to-image" if self.field("images") or self.field("image") else "text-to-image",
            "base_price": float(self.price), "formula": json.dumps(float(self.price)),
            "api_schema": {"api_schemas": [{"type": "model_run", "request_schema": schema}]},
        }  # fmt: skip


PROMPT = Field(name="prompt", kind="text", required=True)
BOOLEANS = (
    Field(name="enable_sync_mode", kind="boolean", default=False),
    Field(name="enable_base64_output", kind="boolean", default=False),
)
SEED = Field(name="seed", kind="integer", least=-1, most=2147483647, default=-1)
ASPECTS = Field(
    name="aspect_ratio", kind="choice",
    choices=("1:1", "3:2", "2:3", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"),
)  # fmt: skip
RESOLUTION = Field(name="resolution", kind="choice", choices=("1k", "1.5k", "2k", "4k"), default="1k")


def images(most: int, *, least: int = 1, required: bool = True) -> Field:
    return Field(name="images", kind="images", required=required, least=least, most=most)


def size(least: int, most: int, default: str) -> Field:
    return Field(name="size", kind="size", least=least, most=most, default=default)


def output_format(*choices: str) -> Field:
    return Field(name="output_format", kind="choice", choices=choices, default=choices[0])


def _model(model_id: str, price: str, *fields: Field) -> Model:
    return Model(id=model_id, price=Decimal(price), fields=(PROMPT, *fields, *BOOLEANS))


ONE_IMAGE = Field(name="image", kind="image", required=True)
SEEDREAM = size(1024, 4096, "2048*2048")
QWEN = (size(256, 1536, "1024*1024"), SEED, output_format("jpeg", "png", "webp"))
FLUX = (
    Field(name="image", kind="image"), Field(name="mask_image", kind="image"),
    Field(name="strength", kind="number", least=0, most=1, default=0.8), size(256, 1536, "1024*1024"),
    Field(name="num_inference_steps", kind="integer", least=1, most=50, default=28),
    Field(name="guidance_scale", kind="number", least=0, most=20, default=3.5),
    Field(name="num_images", kind="integer", least=1, most=4, default=1), SEED,
    Field(name="enable_safety_checker", kind="boolean", default=True), output_format("jpeg", "png", "webp"),
)  # fmt: skip
PRO = (ASPECTS, RESOLUTION, output_format("png", "jpeg"))
MANY = Field(name="max_images", kind="integer", least=1, most=15, default=1)

MODELS = (
    _model("bytedance/seedream-v4", "0.027", SEEDREAM),
    _model("bytedance/seedream-v4/edit", "0.027", images(10), SEEDREAM),
    _model("bytedance/seedream-v4/sequential", "0.027", MANY, SEEDREAM),
    _model("bytedance/seedream-v4/edit-sequential", "0.027", images(10, least=0, required=False), MANY, SEEDREAM),
    _model("bytedance/seedream-v4.5", "0.04", SEEDREAM),
    _model("bytedance/seedream-v4.5/edit", "0.04", images(10), SEEDREAM),
    _model("bytedance/seedream-v5.0-lite", "0.035", ASPECTS, RESOLUTION, output_format("png", "jpeg")),
    _model("bytedance/seedream-v5.0-lite/edit", "0.035", images(10), ASPECTS, RESOLUTION, output_format("png", "jpeg")),
    _model("google/nano-banana/text-to-image", "0.038", ASPECTS, output_format("png", "jpeg")),
    _model("google/nano-banana/edit", "0.038", images(10), ASPECTS, output_format("png", "jpeg")),
    _model("google/nano-banana-pro/text-to-image", "0.14", *PRO),
    _model("google/nano-banana-pro/edit", "0.14", images(14), *PRO),
    _model("google/nano-banana-2/edit", "0.07", images(14), *PRO),
    _model("google/nano-banana-2/edit-fast", "0.045", images(14), *PRO),
    _model("wavespeed-ai/qwen-image/text-to-image", "0.02", *QWEN),
    _model("wavespeed-ai/qwen-image/edit", "0.02", ONE_IMAGE, *QWEN),
    _model("wavespeed-ai/qwen-image/edit-plus", "0.02", images(3), *QWEN),
    _model("wavespeed-ai/qwen-image/edit-2511", "0.02", images(3), *QWEN),
    _model("wavespeed-ai/flux-dev", "0.012", *FLUX),
    _model("wavespeed-ai/flux-dev-ultra-fast", "0.005", *FLUX),
    _model("wavespeed-ai/flux-kontext-pro", "0.04", ONE_IMAGE, ASPECTS, SEED),
    _model("wavespeed-ai/flux-kontext-max", "0.08", ONE_IMAGE, ASPECTS, SEED),
    _model("wavespeed-ai/flux-2-pro/edit", "0.06", images(3), size(256, 2048, "1024*1024"), SEED),
    _model("wavespeed-ai/z-image/turbo", "0.005", *QWEN),
)
BY_ID = {model.id: model for model in MODELS}
