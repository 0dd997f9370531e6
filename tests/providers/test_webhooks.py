"""WaveSpeed's webhooks: the vector of reference §3.7, forgeries, and one that the simulator really sends."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.webhooks import BadSignature, verify

SECRET = "whsec_c2ltdWxhdG9yLXNlY3JldC0wMDE="
MESSAGE_ID = "5f2d1c9e8b7a4e6f9c0d1a2b3c4d5e6f"
SIGNED_AT = datetime.fromtimestamp(1767225600, UTC)
BODY = b'{"id":"5f2d1c9e8b7a4e6f9c0d1a2b3c4d5e6f","status":"completed","outputs":["https://cdn.example/out.png"]}'
SIGNATURE = "v3,cf29c3afb175adb0f0c0c2f51055ec9d882697c12f91d97ce400cef9e3f4f60b"
HEADERS = {"Webhook-Id": MESSAGE_ID, "WEBHOOK-TIMESTAMP": "1767225600", "webhook-signature": SIGNATURE}


def check(body: bytes = BODY, secret: str = SECRET, now: datetime = SIGNED_AT, **headers: str) -> None:
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    verify(headers=given, body=body, secret=secret, now=now)


def test_the_published_vector_passes() -> None:
    check()
    check(now=SIGNED_AT + timedelta(seconds=300))
    check(webhook_signature=f"v3,{'0' * 64} {SIGNATURE}")


@pytest.mark.parametrize(
    "forged",
    [
        {"body": BODY + b" "},
        {"secret": "whsec_another"},
        {"secret": ""},
        {"now": SIGNED_AT + timedelta(seconds=301)},
        {"now": SIGNED_AT - timedelta(seconds=301)},
        {"webhook_signature": SIGNATURE.replace("v3,", "v1,")},
        {"webhook_signature": SIGNATURE.upper()},
        {"webhook_signature": SIGNATURE[:-1]},
        {"webhook_signature": ""},
        {"webhook_signature": "v3,ü"},
    ],
    ids=str,
)
def test_everything_else_fails(forged: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        check(**forged)  # type: ignore[arg-type]


@pytest.mark.parametrize("timestamp", ["", "junk", "-1767225600", "1767225600.0", "١٧٦٧٢٢٥٦٠٠", "9" * 400])
def test_a_timestamp_that_is_none_fails(timestamp: str) -> None:
    headers = {"webhook-id": MESSAGE_ID, "webhook-timestamp": timestamp, "webhook-signature": SIGNATURE}
    with pytest.raises(BadSignature):
        verify(headers=headers, body=BODY, secret=SECRET, now=SIGNED_AT)


def test_a_key_decoded_from_base64_fails() -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    wrong = hmac.new(key, f"{MESSAGE_ID}.1767225600.".encode() + BODY, hashlib.sha256).hexdigest()
    with pytest.raises(BadSignature):
        check(webhook_signature=f"v3,{wrong}")


@dataclass
class Receiver:
    url: str
    received: "queue.Queue[tuple[str, dict[str, str], bytes]]"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((self.path, dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Receiver(f"http://127.0.0.1:{server.server_port}", received)
    server.shutdown()
    server.server_close()


@pytest.mark.django_db(transaction=True)
def test_a_delivered_webhook_is_verified_with_the_secret_of_the_key(
    wavespeed: WavespeedClient, receiver: Receiver, jpeg: bytes
) -> None:
    url = wavespeed.upload(jpeg, filename="a.jpg", content_type="image/jpeg")
    prediction = wavespeed.submit(
        model="bytedance/seedream-v4.5/edit",
        inputs={"prompt": "A teapot", "images": [url]},
        webhook_url=f"{receiver.url}/hook?call=1&x=%C3%BC",
        seconds=20,
    )
    path, headers, body = receiver.received.get(timeout=20)

    assert path == "/hook?call=1&x=%C3%BC"
    verify(headers=headers, body=body, secret=wavespeed.webhook_secret(), now=datetime.now(UTC))
    assert json.loads(body)["id"] == prediction.id
    with pytest.raises(BadSignature):
        verify(headers=headers, body=body, secret="whsec_another", now=datetime.now(UTC))
