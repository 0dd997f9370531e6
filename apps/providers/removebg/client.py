"""The remove.bg client: one photograph, one cut-out, never a second try of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from django.conf import settings

from apps.providers import http
from apps.providers.errors import MalformedOutput
from apps.providers.removebg import errors
from apps.providers.removebg.models import CREDIT_USD
from apps.providers.types import CutOut

MOST_BYTES = 22_000_000  # of a photograph; their error text once said 12 MB
MOST_RESULT_BYTES = 80_000_000
MOST_CREDITS = 1000
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class RemoveBgClient:
    """`base` ends in /v1.0. Every method raises ProviderError and needs the seconds it may take in all."""

    key: str = field(repr=False)
    base: str

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.PROVIDER_KEYS["removebg"], settings.PROVIDER_BASES["removebg"])

    def cut_out(
        self,
        photo: bytes,
        *,
        name: str,
        content_type: str,
        size: str = "full",
        seconds: float = 60,
        leaves_by: float | None = None,
    ) -> CutOut:
        """Pays for one cut-out of a product, as a PNG with alpha of the photograph's own size. `size`: full or preview."""
        reply = http.exchange(
            "removebg",
            "POST",
            f"{self.base}/removebg",
            headers=self._headers("image/png"),
            files={
                "image_file": (name, photo, content_type),
                "size": size,
                "type": "product",
                "format": "png",
                "semitransparency": "true",
            },
            seconds=seconds,
            max_bytes=MOST_RESULT_BYTES,
            paid=True,
            leaves_by=leaves_by,
        )
        errors.check(reply)
        credits = _number(reply.headers.get("x-credits-charged"))
        cost = None if credits is None else credits * CREDIT_USD
        if not reply.body.startswith(_PNG):
            said = "What came is no PNG."
            raise MalformedOutput("removebg", detail=said, http_status=reply.status, charged=True, cost_usd=cost)
        return CutOut(
            png=reply.body,
            credits=credits,
            cost_usd=cost,
            cost_source="none" if cost is None else "reported",
            found=str(reply.headers.get("x-type") or ""),
            http_status=reply.status,
        )

    def credits_left(self, *, seconds: float = 10) -> Decimal | None:
        """As their account page tells it, a few seconds old; costs nothing."""
        data = http.require_object("removebg", self._account(seconds))
        credits: Any = data
        for name in ("data", "attributes", "credits", "total"):
            credits = credits.get(name) if isinstance(credits, Mapping) else None
        return _number(credits)

    def ping(self, *, seconds: float = 10) -> None:
        """Costs nothing: whether it answers and takes the key. Raises what is wrong."""
        self._account(seconds)

    def _account(self, seconds: float) -> http.Reply:
        headers = self._headers("application/json")
        reply = http.exchange("removebg", "GET", f"{self.base}/account", headers=headers, seconds=seconds)
        errors.check(reply)
        return reply

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept} | ({"X-Api-Key": self.key} if self.key else {})


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < MOST_CREDITS**3 else None
