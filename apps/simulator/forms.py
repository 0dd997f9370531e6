"""A form's parts out of a request that was read whole."""

import email.policy
from dataclasses import dataclass
from email.parser import BytesParser

from apps.simulator.messages import Exchange


@dataclass(frozen=True)
class Part:
    """`filename` is empty for a value."""

    name: str
    filename: str
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def parts_of(exchange: Exchange) -> list[Part]:
    """The parts of a multipart body, in order; none when it is no form."""
    content_type = exchange.request.headers.get("Content-Type", "")
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + exchange.raw
    )
    if not message.is_multipart():
        return []
    found = []
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        name = part.get_param("name", "", "Content-Disposition")
        found.append(Part(str(name), part.get_filename() or "", data if isinstance(data, bytes) else b""))
    return found
