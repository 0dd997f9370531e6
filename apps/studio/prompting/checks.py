"""Whether a model's answer is a prompt. What is rejected here counts as that model's failure."""

import re
import unicodedata

from apps.studio.prompting.template import OPENING

SHORTEST, LONGEST = 20, 1200  # characters

_MARKDOWN = re.compile(r"(^|\n)\s*(#{1,6}\s|[-*•]\s|\d+[.)]\s|```|>|\|.*\|)|\*\*|__|!?\[[^\]]*\]\([^)]*\)|`")
_REFUSAL = re.compile(
    r"(?i)^\W*(i['’]?m sorry|sorry[,. ]|i (can(no|['’])t|cannot|am unable|['’]?m unable|won['’]?t|must decline)|unfortunately[, ]+i|"
    r"as an ai\b|i apologi[sz]e|this request (violates|goes against))"
)
_LINK = re.compile(r"(?i)\b(https?://|www\.)\S+")
_PREFACE = re.compile(r"(?i)^\s*(here(['’]s| is)|sure[,!.]|certainly[,!.]|prompt:)")


class Rejected(Exception):
    """Why the answer is no prompt: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def accepted(answer: str) -> str:
    """The answer as a prompt, cleaned of what cannot be seen; raises Rejected."""
    prompt = _visible(answer)
    if not prompt:
        raise Rejected("empty", "The answer was empty.")
    if len(prompt) < SHORTEST:
        raise Rejected("too_short", f"The answer has {len(prompt)} characters; a prompt needs {SHORTEST}.")
    if len(prompt) > LONGEST:
        raise Rejected("too_long", f"The answer has {len(prompt)} characters; {LONGEST} is the most.")
    for code, pattern, message in (
        ("refusal", _REFUSAL, "The model declined in words."),
        ("markdown", _MARKDOWN, "The answer is formatted text, not a prompt."),
        ("link", _LINK, "The answer contains a link."),
        ("preface", _PREFACE, "The answer talks about the prompt instead of being one."),
    ):
        if pattern.search(prompt):
            raise Rejected(code, message)
    if prompt.startswith(OPENING) or "<prompt>" in prompt:
        raise Rejected("template", "The answer repeats our own template.")
    return prompt


def _visible(text: str) -> str:
    """Without control, zero-width and surrogate characters; runs of blanks become one."""
    kept = "".join(
        " " if char in "\t\r" else char for char in text if char == "\n" or unicodedata.category(char)[0] != "C"
    )
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"\s*\n\s*", "\n", kept)).strip()
