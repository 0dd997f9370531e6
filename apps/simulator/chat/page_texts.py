"""The fields of an A+ page, written from the facts that a question brings.

In the product's name: `sim-long` makes one text too long at first, `sim-invent` puts in a figure that no fact has,
`sim-forbidden` a word that marketplaces refuse. A repair is written properly.
"""

import json
from typing import Any


def is_about_fields(schema: dict[str, Any]) -> bool:
    return "fields" in schema.get("properties", {})


def fields_written(asked: str) -> dict[str, Any]:
    """An answer of the shape that was asked for; empty when the question is no JSON of fields and facts."""
    try:
        told = json.loads(asked)
        facts, fields, product = told["facts"], told["fields"], told["product"]
    except (ValueError, KeyError, TypeError):
        return {"fields": []}
    name = str(product.get("name", "This product"))
    return {"fields": [_field(field, place, name, facts) for place, field in enumerate(fields)]}


def _field(field: dict[str, Any], place: int, name: str, facts: list[dict[str, Any]]) -> dict[str, Any]:
    fact = facts[place % len(facts)] if facts else {"id": "", "name": name, "value": ""}
    other = facts[(place + 1) % len(facts)] if facts else fact
    shown, most = name.split(" sim-")[0], int(field.get("mostCharacters", 100))
    kind = str(field["name"]).rpartition(".")[2]
    if kind == "altText":
        text = f"{shown} seen from view {place + 1}, on a plain ground in soft light"
    elif field.get("mostLines"):
        lines = [f"{each['name']}: {each['value']}"[:most] for each in facts[: field["mostLines"]]]
        return _answer(field, lines, [each["id"] for each in facts])
    elif kind.startswith(("headline", "question")):
        text = (
            f"{fact['name']}: {fact['value']}" if len(f"{fact['name']}: {fact['value']}") <= most else str(fact["name"])
        )
    else:
        text = f"{shown}. {fact['name']}: {fact['value']}. {other['name']}: {other['value']}."
    text = text[:most].rstrip()
    if not field.get("wrong") and place == 1:
        text = _spoilt(name, text, most)
    return _answer(field, [text], [fact["id"]])


def _spoilt(name: str, text: str, most: int) -> str:
    if "sim-long" in name:
        return f"{text} " + "and so on " * (most // 8)
    if "sim-invent" in name:
        return "Keeps hot for 40 minutes."
    return "The best price, guaranteed." if "sim-forbidden" in name else text


def _answer(field: dict[str, Any], lines: list[str], ids: list[str]) -> dict[str, Any]:
    return {"module": field["module"], "name": field["name"], "lines": lines, "factIds": [each for each in ids if each]}
