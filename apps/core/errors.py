"""Errors that a person or a client program is told about, in the shape of RFC 9457."""

from dataclasses import dataclass, field
from enum import StrEnum


class Remedy(StrEnum):
    """What a person can do about a failure, as a code: pages choose a button by it, never by the words.

    RETRY: the same again. NEW_PROMPT, NEW_TARGET: other words or another picture first, for the same would fail again.
    SETTLE: say what became of a paid order. NONE: nothing that whoever asked can do here.
    """

    RETRY = "retry"
    NEW_PROMPT = "new_prompt"
    NEW_TARGET = "new_target"
    SETTLE = "settle"
    NONE = "none"


@dataclass
class Problem(Exception):
    """A refusal with a stable code, raised by services and turned into `application/problem+json` by the API.

    `detail` says what happened, `action` what to do; `extra` adds members to the answer (JSON values).
    """

    status: int
    code: str
    detail: str
    action: str = ""
    extra: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def not_found(what: str) -> Problem:
    """The answer for what does not exist and for what belongs to somebody else: nobody can tell them apart."""
    return Problem(
        404, "not_found", f"There is no such {what}.", "Check the id, and that you are signed in as its owner."
    )


def invalid(field_name: str, detail: str, action: str = "") -> Problem:
    return Problem(422, "invalid", detail, action, {"errors": {field_name: [detail]}})
