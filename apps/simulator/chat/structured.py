"""The smallest JSON value that fits a schema, filled with the answer's words."""

from typing import Any


def fitted(schema: dict[str, Any], text: str) -> Any:
    for chooser in ("anyOf", "oneOf", "allOf"):
        if schema.get(chooser):
            return fitted(schema[chooser][0], text)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][len(text) % len(schema["enum"])]
    kind = schema.get("type", "object")
    return _of_kind(kind[0] if isinstance(kind, list) else kind, schema, text)


def _of_kind(kind: str, schema: dict[str, Any], text: str) -> Any:
    if kind == "object":
        return {name: fitted(each, text) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [fitted(schema.get("items", {"type": "string"}), text)] * max(1, schema.get("minItems", 1))
    if kind == "string":
        return text[: schema.get("maxLength", len(text))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True}.get(kind)
