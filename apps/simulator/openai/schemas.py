"""Which schemas a strict answer may be asked by (OpenAI's subset), and the words of a refusal."""

from collections.abc import Iterator
from typing import Any

REFUSED_WORDS = (
    "allOf",
    "not",
    "oneOf",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
)
MOST_LEVELS = 10


def fault_in(schema: Any) -> str:
    """What is wrong, as OpenAI says it; empty when nothing is."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."
    return next(_faults(schema, (), 1), "")


def _faults(schema: Any, path: tuple[str, ...], level: int) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"In context={path}, schema must have a 'type' key."
        return
    if level > MOST_LEVELS:
        yield f"In context={path}, the schema is nested more than {MOST_LEVELS} levels deep."
        return
    for word in REFUSED_WORDS:
        if word in schema:
            yield f"In context={path}, '{word}' is not permitted."
    if "default" in schema:
        yield f"In context={path}, 'default' is not permitted."
    if schema.get("type") == "object" or "properties" in schema:
        yield from _faults_of_object(schema, path, level)
    if isinstance(schema.get("items"), dict):
        yield from _faults(schema["items"], (*path, "items"), level + 1)
    for place, one in enumerate(schema.get("anyOf") or []):
        yield from _faults(one, (*path, "anyOf", str(place)), level + 1)
    for name, one in (schema.get("$defs") or {}).items():
        yield from _faults(one, (*path, "$defs", name), level)


def _faults_of_object(schema: dict[str, Any], path: tuple[str, ...], level: int) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties") or {}
    missing = next((name for name in properties if name not in (schema.get("required") or [])), None)
    if missing is not None:
        yield (
            f"In context={path}, 'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing '{missing}'."
        )
    for name, one in properties.items():
        yield from _faults(one, (*path, "properties", name), level + 1)
