"""WaveSpeed's webhook: a bare prediction with its inputs, signed `v3,<hex>`; also sent wrong, twice, late or never."""

import hashlib
import hmac
import json
import uuid
from typing import Any

import aiohttp

from apps.simulator.simulation import Simulation

SECRET = "whsec_c2ltdWxhdG9yLXNlY3JldC0wMDE="  # noqa: S105 - the published test secret
RETRIES = 3
ANSWER_WITHIN = 10.0  # seconds
LATE_MS = 30_000


def signature(*, secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`; the key is the text after `whsec_`, not base64-decoded."""
    key = secret.removeprefix("whsec_").encode()
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return "v3," + hmac.new(key, signed, hashlib.sha256).hexdigest()


class Webhooks:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def deliver(self, url: str, prediction: dict[str, Any], options: dict[str, Any]) -> None:
        """`options`: {"mode", "delay_ms"} of the scenario."""
        mode = options.get("mode", "normal")
        if mode == "never":
            return
        await self._simulation.clock.sleep(options.get("delay_ms", LATE_MS if mode == "late" else 0) / 1000)
        body = json.dumps(prediction, ensure_ascii=False, separators=(",", ":")).encode()
        webhook_id = uuid.uuid4().hex
        for _ in range(2 if mode == "duplicate" else 1):
            await self._send_until_taken(url, body, webhook_id, forged=mode == "bad_signature")

    async def _send_until_taken(self, url: str, body: bytes, webhook_id: str, *, forged: bool) -> None:
        for attempt in range(1 + RETRIES):
            if await self._send(url, body, webhook_id, forged=forged):
                return
            await self._simulation.clock.sleep(2**attempt * max(self._simulation.options.latency_scale, 0.05))

    async def _send(self, url: str, body: bytes, webhook_id: str, *, forged: bool) -> bool:
        timestamp = str(int(self._simulation.clock.told()))
        secret = "whsec_not-the-secret" if forged else SECRET
        headers = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secret=secret, webhook_id=webhook_id, timestamp=timestamp, body=body),
        }
        entry = self._simulation.journal.open(
            at=self._simulation.clock.now(), provider="wavespeed-webhook", method="POST", path=url.partition("?")[0],
            query={}, headers=headers, raw=body,
        )  # fmt: skip
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=body, headers=headers) as reply,
            ):
                entry.status, entry.outcome = reply.status, "answered"
                return 200 <= reply.status < 300
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            entry.outcome = type(error).__name__
            return False
