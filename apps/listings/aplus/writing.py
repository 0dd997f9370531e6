"""What a model is asked when it writes a page, and what becomes of its answer: only the fields that it was asked for."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from apps.listings.aplus.modules import MODULES
from apps.listings.aplus.pages import Fault, Page
from apps.providers.types import ChatRequest, Schema, TextPart

MAX_TOKENS = 6_000
PROMPT_VERSION = 1

SYSTEM = """You write the texts of an A+ page for a marketplace. You are given a product, its confirmed facts and a list of fields.
Write every field in the given language. Say only what the facts say: no figure, material, property, use, origin or award that is not
among them. Give the ids of the facts that a text rests on. Stay below each field's length in characters.
Never write about price, promotions, guarantees, returns, shipping, contact, links, reviews, other brands, superlatives, health,
the environment, seasons or news. No capitals for emphasis, no emoji. Fields that end in altText describe the picture for people who
cannot see it, in 40 to 100 characters, each another way, without claims. Write plainly and warmly, as a good shopkeeper speaks."""

ANSWER = Schema(
    "aplus_fields",
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["fields"],
        "properties": {
            "fields": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["module", "name", "lines", "factIds"],
                    "properties": {
                        "module": {"type": "string"},
                        "name": {"type": "string"},
                        "lines": {"type": "array", "items": {"type": "string"}},
                        "factIds": {"type": "array", "items": {"type": "string"}},
                    },
                },
            }
        },
    },
)


def request_for(
    page: Page, *, model: str, product: Mapping[str, Any], facts: Sequence[tuple[str, str, str]], locale: str,
    troubles: Mapping[tuple[str, str], Sequence[str]] | None = None,
) -> ChatRequest:  # fmt: skip
    """`troubles`: (module id, field) → what was wrong; then only those are asked for again, all of them at once."""
    fields = []
    for module in page:
        known = MODULES[module["type"]]
        wanted = [(text.name, text.most, text.items) for text in known.texts]
        wanted += [(picture.alt, 100, 0) for picture in known.pictures]
        for name, most, items in wanted:
            wrong = (troubles or {}).get((module["id"], name))
            if troubles is not None and not wrong:
                continue
            told = {"module": module["id"], "kind": known.title, "name": name, "mostCharacters": most}
            told |= {"mostLines": items} if items else {}
            told |= {"yourText": (module.get("texts") or {}).get(name), "wrong": list(wrong)} if wrong else {}
            fields.append(told)
    asked = {
        "language": locale,
        "product": dict(product),
        "facts": [
            {"id": f"f{n + 1}", "name": label or key, "value": value} for n, (key, label, value) in enumerate(facts)
        ],
        "fields": fields,
    }
    return ChatRequest(
        model=model,
        system=SYSTEM,
        parts=(TextPart(json.dumps(asked, ensure_ascii=False)),),
        max_tokens=MAX_TOKENS,
        effort="low",
        schema=ANSWER,
    )


def filled(page: Page, answer: str, *, only: Mapping[tuple[str, str], Any] | None = None) -> list[dict[str, Any]]:
    """The page with the answer's texts. An answer that is no JSON fills nothing; what was not asked for is not taken."""
    told: dict[tuple[str, str], list[str]] = {}
    for field in _fields(answer):
        key = (str(field.get("module")), str(field.get("name")))
        lines = field.get("lines")
        if isinstance(lines, list) and (only is None or key in only):
            told[key] = [" ".join(str(line).split()) for line in lines if str(line).strip()]
    made = []
    for module in page:
        known, texts = MODULES[module["type"]], dict(module.get("texts") or {})
        for text in known.texts:
            if (module["id"], text.name) in told:
                lines = told[module["id"], text.name]
                texts[text.name] = lines if text.items else " ".join(lines)
        for picture in known.pictures:
            if (module["id"], picture.alt) in told:
                texts[picture.alt] = " ".join(told[module["id"], picture.alt])
        made.append(dict(module) | {"texts": texts})
    return made


def _fields(answer: str) -> list[dict[str, Any]]:
    try:
        told = json.loads(answer)
    except ValueError:
        return []
    listed = told.get("fields") if isinstance(told, dict) else None
    return [field for field in listed if isinstance(field, dict)] if isinstance(listed, list) else []


def troubles_of(page: Page, faults: Sequence[Fault], findings: Sequence[Any]) -> dict[tuple[str, str], list[str]]:
    """What a model can mend, by the field: (module id, name) → in words, with the counts. Missing pictures it cannot."""
    troubles: dict[tuple[str, str], list[str]] = {}
    told = [(fault.pointer, fault.message) for fault in faults]
    told += [
        (finding.pointer, f"{finding.said} Found: {finding.words}")
        for finding in findings
        if finding.severity == "block"
    ]
    for pointer, words in told:
        parts = pointer.split("/")
        if len(parts) >= 4 and parts[2] == "texts" and parts[1].isdecimal():
            troubles.setdefault((page[int(parts[1])]["id"], parts[3]), []).append(words)
    return troubles
