"""Checks that a webhook is WaveSpeed's. It looks like Standard Webhooks and is not: `v3,<hex>`, and the key is text."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300  # wavespeed.ai/docs/verify-webhooks
_SCHEME = "v3,"


class BadSignature(Exception):
    """The message is not WaveSpeed's, is too old, or is not signed with this key's secret."""


def sign(*, message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """HMAC-SHA256 as hex over id, timestamp and body; the key is the secret's text without its prefix, undecoded."""
    key = secret.removeprefix("whsec_").encode()
    content = f"{message_id}.{timestamp}.".encode() + body
    return _SCHEME + hmac.new(key, content, hashlib.sha256).hexdigest()


def check_headers(
    headers: Mapping[str, str], *, now: datetime, ahead: tuple[float, float]
) -> tuple[str, str, list[str]]:
    """What can be told before the body is read: id, timestamp and signatures. Raises BadSignature."""
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = [one for one in given.get("webhook-signature", "").split() if one.startswith(_SCHEME)]
    if not signatures:
        raise BadSignature("The webhook is not signed.")
    if not message_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise BadSignature("The webhook has no id or no timestamp.")
    lead = int(timestamp) - now.timestamp()
    if not ahead[0] - TOLERANCE_SECONDS <= lead <= ahead[1] + TOLERANCE_SECONDS:
        raise BadSignature("The webhook is older than five minutes, or from the future.")
    return message_id, timestamp, signatures


def verify(
    *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime, ahead: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Raises BadSignature. Header names in any case; a list of signatures separated by spaces is accepted.

    `ahead`: the seconds, at least and at most, that WaveSpeed's clock is ahead of `now`'s.
    """
    if not secret:
        raise BadSignature("No webhook secret is set.")
    message_id, timestamp, signatures = check_headers(headers, now=now, ahead=ahead)
    expected = sign(message_id=message_id, timestamp=timestamp, body=body, secret=secret).encode()
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures):
        raise BadSignature("The webhook's signature does not fit.")
