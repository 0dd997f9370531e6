"""Takes the wrapping off an answer: what a model thought, a code fence, an object of JSON, a tag, quotation marks.

One layer of each, from the outside in. What is still wrapped then is no prompt.
"""

import json
import re

_THOUGHT = re.compile(r"(?is)^\s*<(think|thinking|thought|reasoning|analysis)\b[^>]*>.*?</\1\s*>")
_THOUGHT_WITHOUT_BEGIN = re.compile(r"(?is)^.*</(think|thinking|thought|reasoning|analysis)\s*>")
_THOUGHT_WITHOUT_END = re.compile(r"(?i)^\s*<(think|thinking|thought|reasoning|analysis)\b[^>]*>")
_FENCE = re.compile(r"(?s)^\s*(`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*\n?(.*?)\n?[ \t]*\1\s*$")
_TAG = re.compile(r"(?is)^\s*<(prompt|image_prompt|output|answer|final|final_prompt|result|text)>(.*)</\1>\s*$")
_NAMES = ("prompt", "image_prompt", "imageprompt", "final_prompt", "text", "description", "output", "result", "answer")
_PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "‘": "’", "‚": "‘’", "「": "」", "『": "』"}
_STRAIGHT = {'"', "'"}


def unwrapped(answer: str) -> str | None:
    """The text inside; None when it is wrapped in a way that cannot be taken off, or more than once."""
    text = _THOUGHT.sub("", answer, count=1)
    text = _THOUGHT_WITHOUT_BEGIN.sub("", text, count=1).strip()
    if _THOUGHT_WITHOUT_END.match(text):
        return None
    for take_off in (_without_fence, _without_object, _without_tag, _without_marks):
        inner = take_off(text)
        if inner is None:
            return None
        text = inner.strip()
    still = _FENCE.match(text) or _TAG.match(text) or _is_object(text) or _without_marks(text) != text
    return None if still else text


def _without_fence(text: str) -> str | None:
    fence = _FENCE.match(text)
    return fence[2] if fence else text


def _without_tag(text: str) -> str | None:
    tag = _TAG.match(text)
    return tag[2] if tag else text


def _is_object(text: str) -> bool:
    return (text[:1], text[-1:]) in {("{", "}"), ("[", "]")}


def _without_object(text: str) -> str | None:
    """The one text of an object, or the one that is named as the prompt; of a list, its only one."""
    if not _is_object(text):
        return text
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        texts = {str(name).lower(): item for name, item in value.items() if isinstance(item, str)}
        named = [texts[name] for name in _NAMES if name in texts]
        value = named[0] if named else next(iter(texts.values())) if len(value) == len(texts) == 1 else None
    return value if isinstance(value, str) else None


def _without_marks(text: str) -> str:
    """Without the quotation marks round the whole, and only those: `“Open” says one sign, the other “Closed”` has none."""
    first, last, inside = text[:1], text[-1:], text[1:-1]
    if first in _STRAIGHT and last == first and inside:
        # The next mark inside closes the first one when it stands at the end of a word: then they are two.
        within = re.sub(r"\\.|(?<=\w)'(?=\w)", "  ", inside)
        at = within.find(first)
        closes = at >= 0 and not within[at - 1 : at].isspace() and at > 0
        return text if closes else _unescaped(text, inside)
    if last and last in _PAIRS.get(first, ""):
        depth = 0
        for place, letter in enumerate(inside):
            within_word = (
                letter == "’" and inside[place - 1 : place].isalpha() and inside[place + 1 : place + 2].isalpha()
            )
            depth += 1 if letter == first else -1 if letter in _PAIRS[first] and not within_word else 0
            if depth < 0:
                return text
        return inside
    return text


def _unescaped(text: str, inside: str) -> str:
    """A text of JSON has escapes; any other quoted text has none to speak of."""
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return inside
    return value if isinstance(value, str) else inside
