"""Checks a submission against its model's fields. Every refusal is HTTP 400 and names the field."""

import re
from dataclasses import dataclass
from typing import Any

from apps.simulator.wavespeed import errors
from apps.simulator.wavespeed.catalogue import Field, Model

SIZE = re.compile(r"(\d{1,5})\*(\d{1,5})")
PIXELS = {"1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}


@dataclass(frozen=True)
class Canvas:
    """Pixels and file type of an output."""

    width: int
    height: int
    format: str


def check(model: Model, inputs: Any) -> None:
    """Raises Refused. Fields the model does not have are ignored, as the provider does."""
    if not isinstance(inputs, dict):
        raise errors.refused(400, "request body must be a JSON object")
    for field in model.fields:
        value = inputs.get(field.name)
        if value is None:
            if field.required:
                raise errors.refused(400, f"property '{field.name}' is missing")
            continue
        if problem := CHECKS[field.kind](field, value):
            raise errors.refused(400, f"property '{field.name}' is invalid: {problem}")


def _text(field: Field, value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "it must be a string that is not empty"


def _images(field: Field, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return "it must be an array of URLs or base64 strings"
    if not (field.least or 0) <= len(value) <= (field.most or 0):
        return f"it must have {field.least} to {field.most} items, not {len(value)}"
    return None


def _size(field: Field, value: Any) -> str | None:
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return 'it must look like "2048*2048"'
    sides = int(found[1]), int(found[2])
    is_within = all((field.least or 0) <= side <= (field.most or 0) for side in sides)
    return None if is_within else f"each side must be {field.least} to {field.most} pixels"


def _number(field: Field, value: Any) -> str | None:
    kinds = (int,) if field.kind == "integer" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return f"it must be {'an integer' if field.kind == 'integer' else 'a number'}"
    if field.least is not None and not field.least <= value <= (field.most or 0):
        return f"it must be {field.least} to {field.most}"
    return None


def _boolean(field: Field, value: Any) -> str | None:
    return None if isinstance(value, bool) else "it must be true or false"


def _choice(field: Field, value: Any) -> str | None:
    return None if value in field.choices else f"it must be one of {', '.join(field.choices)}"


CHECKS = {
    "text": _text, "image": _text, "images": _images, "size": _size, "integer": _number, "number": _number,
    "boolean": _boolean, "choice": _choice,
}  # fmt: skip


def sources(inputs: dict[str, Any]) -> list[str]:
    """Every image the call names, in the order sent."""
    single = [inputs[name] for name in ("image",) if inputs.get(name)]
    return [*single, *(inputs.get("images") or [])]


def canvas(model: Model, inputs: dict[str, Any]) -> Canvas:
    """The asked size, or what the aspect ratio and resolution make, or the model's default."""
    format_field = model.field("output_format")
    file_format = inputs.get("output_format") or (format_field.default if format_field else "jpeg")
    size_field = model.field("size")
    if size_field:
        found = SIZE.fullmatch(inputs.get("size") or size_field.default)
        assert found, "the size was checked when the task was submitted"
        return Canvas(int(found[1]), int(found[2]), file_format)
    wide, tall = (int(part) for part in (inputs.get("aspect_ratio") or "1:1").split(":"))
    area = PIXELS[inputs.get("resolution") or "1k"] ** 2
    height = (area * tall / wide) ** 0.5
    return Canvas(round(height * wide / tall / 8) * 8, round(height / 8) * 8, file_format)
