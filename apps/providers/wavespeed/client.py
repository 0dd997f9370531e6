"""The WaveSpeed client: a submit is sent once and never repeated here; everything else costs nothing."""

import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote, urlencode

from django.conf import settings

from apps.core.http import Reply
from apps.providers import http, skew
from apps.providers.errors import MalformedOutput, ModelUnavailable, ResultLost
from apps.providers.types import Prediction
from apps.providers.wavespeed import downloads, payloads, prices, uploads

PAGE_SIZE = 100
MOST_PAGES = 50
SHORTEST_SECONDS = 0.1


@dataclass(frozen=True)
class WavespeedClient:
    """`base` is the host, without /api/v3. Every method raises ProviderError; `seconds` is all it may take."""

    key: str = field(repr=False)
    base: str

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.PROVIDER_KEYS["wavespeed"], settings.PROVIDER_BASES["wavespeed"])

    def submit(
        self,
        *,
        model: str,
        inputs: Mapping[str, Any],
        webhook_url: str = "",
        seconds: float = 60,
        leaves_by: float | None = None,
    ) -> Prediction:
        """Pays for one task. An error with `sent` None means that a task may exist: look for it, do not send again.

        After `leaves_by` (time.monotonic()) nothing is sent: what was not sent by then counts as never sent.
        """
        query = f"?{urlencode({'webhook': webhook_url})}" if webhook_url else ""
        asked = time.monotonic()
        reply = self._send("POST", f"/{quote(model, safe='/')}{query}", seconds=seconds, json=dict(inputs), paid=True,
                           leaves_by=leaves_by)  # fmt: skip
        answered = time.monotonic()
        prediction = payloads.read_prediction(payloads.open_envelope(reply, submitting=True), reply=reply)
        if prediction.created_at:  # by the very clock that a look-up compares with; Date may be a gateway's
            skew.note("wavespeed", prediction.created_at, asked=asked, answered=answered)
        return prediction

    def prediction(self, prediction_id: str, *, seconds: float = 30) -> Prediction:
        """The task as it is now. Raises ResultLost when WaveSpeed does not know it (any more)."""
        try:
            data = self._ask("GET", f"/predictions/{quote(prediction_id, safe='')}/result", seconds=seconds)
        except ModelUnavailable as error:
            raise ResultLost("wavespeed", detail=error.detail, http_status=error.http_status) from error
        return payloads.read_prediction(data)

    def find(
        self, *, model: str, created_after: datetime, created_before: datetime | None = None, seconds: float = 30
    ) -> list[Prediction]:
        """Every task of a model in a span of the last seven days, all pages of it, within `seconds` in all."""
        deadline = time.monotonic() + seconds
        body: dict[str, Any] = {"model": model, "created_after": payloads.write_time(created_after)}
        if created_before:
            body["created_before"] = payloads.write_time(created_before)
        found: dict[str, Prediction] = {}
        for page in range(1, MOST_PAGES + 1):
            asked = body | {"page": page, "page_size": PAGE_SIZE}
            left = max(deadline - time.monotonic(), SHORTEST_SECONDS)
            items, total = payloads.read_page(self._ask("POST", "/predictions", seconds=left, json=asked))
            # By id: a task created between two pages shifts the others, and one comes twice.
            found |= {item.id: item for item in items}
            if not items or (len(found) >= total if total is not None else len(items) < PAGE_SIZE):
                return list(found.values())
        raise MalformedOutput("wavespeed", detail="The list of tasks does not end.")

    def upload(self, data: bytes, *, filename: str, content_type: str, seconds: float = 120) -> str:
        """The address WaveSpeed can read the picture at; the same bytes are sent only once in six days."""
        digest = uploads.digest_of(data)
        url = uploads.find_upload(base=self.base, digest=digest)
        if not url:
            url = self._upload(data, filename, content_type, seconds)
            uploads.remember_upload(base=self.base, digest=digest, url=url)
        return url

    def forget_uploads(self, inputs: Mapping[str, Any]) -> None:
        """After WaveSpeed could not read its own copies of our pictures: they are sent again next time."""
        values = (item for value in inputs.values() for item in (value if isinstance(value, list) else [value]))
        uploads.forget_uploads(base=self.base, urls=[value for value in values if isinstance(value, str)])

    def price(self, model: str, inputs: Mapping[str, Any], *, seconds: float = 10) -> Decimal:
        """USD of one such task, asked again after some minutes."""
        key = prices.key_of(self.base, model, inputs)
        known = prices.recall(key)
        if known is None:
            data = self._ask("POST", "/model/price", seconds=seconds, json={"model_id": model, "inputs": dict(inputs)})
            known = prices.keep(key, payloads.read_money(data, "discounted_price", "price"))
        return known

    def balance(self, *, seconds: float = 10) -> Decimal:
        """USD left."""
        return payloads.read_money(self._ask("GET", "/balance", seconds=seconds), "balance")

    def webhook_secret(self, *, seconds: float = 10) -> str:
        data = self._ask("GET", "/webhook/secret", seconds=seconds)
        secret = data.get("secret") if isinstance(data, dict) else None
        if not isinstance(secret, str) or not secret:
            raise MalformedOutput("wavespeed", detail="The answer holds no webhook secret.")
        return secret

    def download(self, url: str, *, seconds: float = 60, max_bytes: int = 40_000_000) -> bytes:
        """The bytes of a result, unchecked: whoever asked must look whether it is a picture."""
        if url.startswith("data:"):
            return _decode(url)
        return downloads.fetch(url, base=self.base, seconds=seconds, max_bytes=max_bytes)

    def _upload(self, data: bytes, filename: str, content_type: str, seconds: float) -> str:
        files = {"file": (filename, data, content_type)}
        answer = self._ask("POST", "/media/upload/binary", seconds=seconds, files=files)
        url = answer.get("download_url") if isinstance(answer, dict) else None
        if not isinstance(url, str) or not url:
            raise MalformedOutput("wavespeed", detail="The upload has no address.")
        return url

    def _ask(self, method: str, path: str, *, seconds: float, json: Any = None, files: Any = None) -> Any:
        return payloads.open_envelope(self._send(method, path, seconds=seconds, json=json, files=files))

    def _send(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        json: Any = None,
        files: Any = None,
        paid: bool = False,
        leaves_by: float | None = None,
    ) -> Reply:
        url = f"{self.base}/api/v3{path}"
        asked = time.monotonic()
        reply = http.exchange(
            "wavespeed", method, url, key=self.key, seconds=seconds, json=json, files=files, paid=paid,
            leaves_by=leaves_by,
        )  # fmt: skip
        skew.note_date("wavespeed", reply, asked=asked, answered=time.monotonic())
        return reply


def _decode(data_uri: str) -> bytes:
    try:
        return base64.b64decode(data_uri.partition(",")[2], validate=True)
    except binascii.Error as error:
        raise MalformedOutput("wavespeed", detail="The result is no address and no base64.") from error
