"""The `file` part of a multipart upload. The journal has read the body already, so it is taken apart from memory."""

import email.policy
from email.parser import BytesParser

from apps.simulator.messages import Exchange
from apps.simulator.wavespeed import errors


def uploaded_file(exchange: Exchange) -> tuple[str, bytes]:
    """(file name, bytes). Raises Refused (400) when there is no part named `file`."""
    content_type = exchange.request.headers.get("Content-Type", "")
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + exchange.raw
    )
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            payload = part.get_payload(decode=True)
            return part.get_filename() or "upload.bin", payload if isinstance(payload, bytes) else b""
    raise errors.refused(400, "the multipart field 'file' is missing")
