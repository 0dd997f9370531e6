"""A question in any wire, as values."""

from dataclasses import dataclass
from typing import Any

from apps.simulator.photographs import Photograph


@dataclass(frozen=True, kw_only=True)
class Question:
    """`asked`: the model's name as it was asked for. `texts`: the words of all messages with their role, in order.
    `photographs` in the order they were sent. `schema`: what a structured answer must fit.
    """

    asked: str
    texts: tuple[tuple[str, str], ...]
    photographs: tuple[Photograph, ...] = ()
    schema: dict[str, Any] | None = None
    as_json: bool = False
    searches: bool = False

    def said_by(self, *roles: str) -> str:
        return "\n".join(text for role, text in self.texts if role in roles)


class BadContent(ValueError):
    """A message that no provider takes; the text says where."""


def contents(messages: list[Any], roles: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """The words with their role, and the addresses of the pictures, of chat messages. Raises BadContent."""
    texts: list[tuple[str, str]] = []
    images: list[str] = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in roles:
            raise BadContent(f"messages[{place}].role")
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        for part in parts if isinstance(parts, list) else [None]:
            _read(part, f"messages[{place}].content", message["role"], texts, images)
    return texts, images


def _read(part: Any, place: str, role: str, texts: list[tuple[str, str]], images: list[str]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    image = part.get("image_url") if kind in ("image_url", "input_image") else None
    address = image.get("url") if isinstance(image, dict) else image
    if kind in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
        texts.append((role, part["text"]))
    elif isinstance(address, str):
        images.append(address)
    else:
        raise BadContent(place)


def words_of(messages: Any) -> str:
    """All the words of a chat, however malformed it is: what scenarios and magic words look at."""
    words: list[str] = []
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [{"text": content}]
        words += [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n".join(words)
