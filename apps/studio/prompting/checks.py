"""Whether a model's answer is a prompt. What is rejected here counts as that model's failure.

An answer is paid for when it comes here, so a good one must not be refused for a word: a sign that says sorry is no
refusal, a handle with two underscores no markdown. What stands in quotation marks is in the picture, not said to us.
"""

import re
import unicodedata

from apps.studio.prompting.template import OPENING
from apps.studio.prompting.unwrapping import unwrapped

SHORTEST, LONGEST = 20, 1200  # characters

_QUOTED = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»|(?<!\w)\"[^\"\n]*\"(?!\w)|(?<!\w)[‘'][^\n]*?[’'](?!\w)")
_I = r"(?:i|we)(?:['’]?m| am|['’]?re| are)?"
_CANNOT = (
    r"(?:can(?:no|['’]?)t|can not|could ?n['’]?t|won['’]?t|will not|(?:['’]?m|am|are|['’]?re) (?:not able|unable|not allowed"
    r"|not comfortable|not permitted)(?: to)?|not able to|unable to|must (?:respectfully )?(?:decline|refuse)|have to decline"
    r"|need to decline|do(?:es)? ?n['’]?o?t)"
)
_SERVE = (
    r"(?:help (?:you|with)|assist|comply|fulfil|create|generat|writ|produc|provid|describ|process|mak|engag|continue|support"
    r"|depict|identif|see|view|access|complet|respond|answer|discuss|offer|proceed|to\b|feel comfortable|that\b|this\b|with)"
)
_INABILITY = rf"{_CANNOT}\b|violat|against (?:my|our|the)|policy|policies|guidelines|inappropriate|not (?:allowed|possible|something)"
_REFUSAL = re.compile(
    r"(?i)"
    # I cannot help with that: near the beginning, whatever comes before it
    rf"^.{{0,250}}?\b{_I}\s+(?:(?:sorry|afraid)[, ]+(?:but )?(?:i )?)?(?:really |simply |just )?{_CANNOT}[, ]+(?:to )?{_SERVE}"
    r"|^.{0,250}?\b(?:i|we) (?:must|have to|need to|will have to) (?:respectfully |politely )?(?:decline|refuse)\b"
    # an apology that goes on to say so
    rf"|^\W*(?:(?:i['’]?m|i am|we['’]?re|we are) (?:\w+ )?(?:sorry|afraid)|sorry|(?:i|we|my) (?:sincere(?:ly)? )?apolog\w+"
    rf"|unfortunately|regrettably)\b.{{0,160}}?\b(?:{_INABILITY})"
    r"|^\W*as an? (?:ai|artificial intelligence|language model)\b[^.\n]{0,80}\b(?:i|my|we)\b"
    r"|^\W*(?:this|that|the|your) (?:request|prompt|content|image|picture)s?\b[^.\n]{0,60}?\b(?:violat|goes against|go against"
    r"|is against|conflicts with|cannot be (?:fulfilled|processed|completed|generated)|is not (?:allowed|permitted))"
    r"|^\W*(?:request|content) (?:denied|refused|blocked|not allowed)"
    r"|^\W*(?:lo siento|je suis d[ée]sol|d[ée]sol[ée]|es tut mir leid|leider)\b.{0,120}?\b(?:no puedo|ne peux|nicht|pas)\b"
)
_MARKDOWN = re.compile(
    r"(^|\n)\s*(#{1,6}\s|[-*•]\s|1[.)]\s|>\s|\|.*\|)|\n\s*\d{1,2}[.)]\s|```|~~~"
    r"|(?<!\w)\*\*(?=\S)[^*\n]+(?<=\S)\*\*(?!\w)|(?<!\w)__(?=\S)[^\n]+?(?<=\S)__(?![\w(]|\.\w)"
    r"|!?\[[^\]\n]*\]\([^)\n]*\)|(?<!\w)`[^`\n]+`(?!\w)"
)
_LINK = re.compile(r"(?i)\b(https?://|www\.)\S+")
_PREFACE = re.compile(
    r"(?i)^\s*(?:here(?:['’]?s| is| are)\b[^.:\n]{0,80}\b(?:prompt|description|version|rewrite|caption)s?\b[^.:\n]{0,60}[.:]"
    r"|here you (?:go|are)\b|(?:sure|certainly|of course|absolutely)(?: thing)?[,!.:]|(?:\w+ ){0,3}prompt\s*:)"
    r"|\blet me know (?:if|whether|how)\b|\bi hope this (?:helps|works)\b|\bwould you like me to\b|\bfeel free to\b"
)
_TEMPLATE = re.compile(rf"^{OPENING} of the (?:subjects? of the reference|scene shown)")


class Rejected(Exception):
    """Why the answer is no prompt: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def accepted(answer: str) -> str:
    """The answer as a prompt, out of its wrapping and cleaned of what cannot be seen; raises Rejected."""
    inside = unwrapped(answer)
    if inside is None:
        raise Rejected("wrapped", "The prompt is wrapped in something that cannot be taken off.")
    prompt = _visible(inside)
    if not prompt:
        raise Rejected("empty", "The answer was empty.")
    said = " ".join(_QUOTED.sub(" ", prompt).split())
    if _REFUSAL.search(said):  # before its length: a short one is a refusal, too
        raise Rejected("refusal", "The model declined in words.")
    if len(prompt) < SHORTEST:
        raise Rejected("too_short", f"The answer has {len(prompt)} characters; a prompt needs {SHORTEST}.")
    if len(prompt) > LONGEST:
        raise Rejected("too_long", f"The answer has {len(prompt)} characters; {LONGEST} is the most.")
    for code, pattern, text, message in (
        ("markdown", _MARKDOWN, prompt, "The answer is formatted text, not a prompt."),
        ("link", _LINK, said, "The answer contains a link."),
        ("preface", _PREFACE, said, "The answer talks about the prompt instead of being one."),
        ("template", _TEMPLATE, prompt, "The answer repeats our own template."),
    ):
        if pattern.search(text):
            raise Rejected(code, message)
    return prompt


def _visible(text: str) -> str:
    """Without control, zero-width and surrogate characters; runs of blanks become one."""
    kept = "".join(
        " " if char in "\t\r" else char for char in text if char == "\n" or unicodedata.category(char)[0] != "C"
    )
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"\s*\n\s*", "\n", kept)).strip()
