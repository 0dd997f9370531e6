"""Words that Amazon rejects, in the languages that sellers write: lists as data (words.json), matched on whole words.

A word in a list matches as it stands; one that ends in * is the stem of others; German compounds are found by their parts.
In Japanese, which has no spaces, a part of the text is enough. The own brand and the facts' own words are never found.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apps.listings.aplus.pages import Page, texts_of

BLOCK, WARN = "block", "warn"
_COMPOUNDS = {"de": ("garantie", "rabatt", "versand", "preis")}


@dataclass(frozen=True)
class Finding:
    """`words`: what was found, as it stands there. `kind`: the class; `claim` and `style` besides those of the list."""

    pointer: str
    kind: str
    severity: str
    words: str
    said: str

    def as_json(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "kind": self.kind,
            "severity": self.severity,
            "words": self.words,
            "said": self.said,
        }


def findings_in(page: Page, *, locale: str, brand: str = "", facts: Sequence[tuple[str, str]] = ()) -> list[Finding]:
    """`facts`: (key, value) of each. Blocks first."""
    found = [
        finding
        for pointer, text in texts_of(page)
        for finding in findings_of(text, pointer=pointer, locale=locale, brand=brand, facts=facts)
    ]
    return sorted(found, key=lambda finding: finding.severity != BLOCK)


def findings_of(
    text: str, *, pointer: str = "", locale: str, brand: str = "", facts: Sequence[tuple[str, str]] = ()
) -> list[Finding]:
    language = locale.partition("-")[0].lower()
    hidden = _hidden(text, [brand, *(value for _, value in facts if len(value) > 3), *_lists()["harmless"]])
    keys = {key for key, _ in facts}
    found = []
    for kind, told in _lists()["classes"].items():
        if told.get("fact") in keys:
            continue
        for words in _matches(hidden, told, language):
            found.append(Finding(pointer, kind, told["severity"], words, told["said"]))
            break
    return found + list(_style(text, pointer, language))


def _matches(text: str, told: dict[str, Any], language: str) -> Iterator[str]:
    for pattern in told.get("patterns", ()):
        if match := re.search(pattern, text, re.IGNORECASE):
            yield match[0].strip()
    for entry in [*told.get(language, ()), *told.get("any", ()), *(told.get("en", ()) if language != "en" else ())]:
        is_foreign = entry in told.get("en", ()) and entry not in told.get(language, ())
        if is_foreign and language in ("fr", "es", "it"):
            continue  # many English words are harmless ones there
        if match := _pattern(entry, language).search(text):
            yield match[0]


@cache
def _pattern(entry: str, language: str) -> re.Pattern[str]:
    stem = entry.removesuffix("*")
    words = re.escape(unicodedata.normalize("NFKC", stem)).replace(r"\ ", r"\s+")
    if not stem.isascii() and any("\u3040" <= letter <= "\u9fff" for letter in stem):
        return re.compile(words)
    rest = r"\w*" if entry.endswith("*") else ""
    if language == "de" and stem in _COMPOUNDS["de"]:
        return re.compile(rf"\w*{words}\w*", re.IGNORECASE)
    return re.compile(rf"(?<![\w-]){words}{rest}(?![\w-])", re.IGNORECASE)


def _hidden(text: str, harmless: Iterable[str]) -> str:
    """The text with what may stand there taken out; its length stays."""
    shown = unicodedata.normalize("NFKC", text)
    for words in harmless:
        if words.strip():
            pattern = rf"(?<!\w){re.escape(unicodedata.normalize('NFKC', words.strip()))}(?!\w)"
            shown = re.sub(pattern, lambda match: "·" * len(match[0]), shown, flags=re.IGNORECASE)
    return shown


def _style(text: str, pointer: str, language: str) -> Iterator[Finding]:
    capitals = [word for word in re.findall(r"[^\W\d_]{4,}", text) if word.isupper()]
    if len(capitals) >= 2:
        yield Finding(pointer, "style", WARN, " ".join(capitals[:3]), "Words in capitals read as shouting.")
    if "!!" in text or "??" in text:
        yield Finding(pointer, "style", WARN, "!!", "One mark is enough.")
    if any(unicodedata.category(letter) == "So" and letter not in "°™®©" for letter in text):
        yield Finding(pointer, "style", WARN, "an emoji", "Emoji are taken out by Amazon.")
    if re.search(r"[™®]", text):
        yield Finding(pointer, "style", WARN, "™ or ®", "Only where it stands on the packing.")


@cache
def _lists() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((Path(__file__).parent / "words.json").read_text())
    return told
