"""Uploads in one step, as a form, and in two: a ticket, then the bytes to the address that it names."""

import mimetypes
import secrets
import uuid
from dataclasses import dataclass, field

from apps.simulator.forms import parts_of
from apps.simulator.messages import Exchange
from apps.simulator.wavespeed import errors

LARGEST = 300_000_000  # bytes
TICKET_LIVES = 900.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """Leave to put one file of this size and type; `token` is what makes its address secret."""

    size: int
    content_type: str
    expires_at: float
    name: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))


def name_of(filename: str) -> str:
    """A name of its own, with the ending of the file's."""
    return f"{uuid.uuid4().hex}.{filename.rpartition('.')[2].lower() or 'bin'}"


def new_ticket(exchange: Exchange, *, now: float) -> Ticket:
    """Raises Refused (400) when the file is not described."""
    asked = exchange.json if isinstance(exchange.json, dict) else {}
    filename, size = asked.get("filename"), asked.get("size")
    if not isinstance(filename, str) or not filename:
        raise errors.refused(400, "property 'filename' is missing")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= LARGEST:
        raise errors.refused(400, f"property 'size' is invalid: 1 to {LARGEST} bytes")
    kind = asked.get("content_type") or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Ticket(size=size, content_type=str(kind), expires_at=now + TICKET_LIVES, name=name_of(filename))


def put_file(exchange: Exchange, ticket: Ticket | None, *, now: float) -> bytes:
    """The bytes that the ticket was for. Raises Refused: 403 without a ticket or after its time, 400 for other bytes."""
    if ticket is None or now >= ticket.expires_at or exchange.request.query.get("token") != ticket.token:
        raise errors.refused(403, "the upload address is not valid, or no longer")
    if exchange.request.headers.get("Content-Type") != ticket.content_type:
        raise errors.refused(403, "the content type is not the one that was signed")
    if len(exchange.raw) != ticket.size:
        raise errors.refused(400, f"the file has {len(exchange.raw)} bytes, and {ticket.size} were announced")
    return exchange.raw


def uploaded_file(exchange: Exchange) -> tuple[str, bytes]:
    """(file name, bytes). Raises Refused (400) when there is no part named `file`."""
    for part in parts_of(exchange):
        if part.name == "file":
            return part.filename or "upload.bin", part.data
    raise errors.refused(400, "the multipart field 'file' is missing")
