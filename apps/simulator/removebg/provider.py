"""remove.bg's endpoints below `/removebg/v1.0`."""

import asyncio
import base64
import binascii
import io
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PIL import Image

from apps.simulator.chat.serving import Served, keyed
from apps.simulator.drawing.matte import NothingInFront, cut_out
from apps.simulator.forms import parts_of
from apps.simulator.latency import CUT_OUT
from apps.simulator.messages import Exchange, Handler, Refused, Reply, as_json
from apps.simulator.scenarios import Subject
from apps.simulator.simulation import Simulation

ROOT = "/removebg/v1.0"
CUT = f"{ROOT}/removebg"
MOST_BYTES = 22_000_000
CREDIT_USD = Decimal("0.20")
OPENING_CREDITS = 5000
EDGES = {
    "preview": 577,
    "small": 577,
    "regular": 577,
    "full": 5000,
    "auto": 5000,
    "4k": 5000,
    "hd": 2300,
    "medium": 1400,
}
CREDITS = {"preview": Decimal("0.25"), "small": Decimal("0.25"), "regular": Decimal("0.25")}
FORMATS = {"auto": "png", "png": "png", "jpg": "jpeg", "webp": "webp"}
TYPES = ("auto", "person", "product", "car", "animal", "graphic", "transportation")
SOURCES = ("image_file", "image_file_b64", "image_url")
USUAL = {
    400: ("Could not identify foreground in image. For details and recommendations see https://www.remove.bg/a.",
          "unknown_foreground"),
    402: ("Insufficient credits", "insufficient_credits"),
    403: ("API Key invalid", "auth_failed"),
    413: ("Request Entity Too Large", ""),
    429: ("Rate limit exceeded", "rate_limit_exceeded"),
    500: ("Internal server error", ""),
    503: ("Service unavailable", ""),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that is in order."""

    photo: bytes
    size: str
    format: str

    @property
    def credits(self) -> Decimal:
        return CREDITS.get(self.size, Decimal(1))


class RemoveBg(Served):
    name = "removebg"

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self._used = Decimal(0)

    def reset(self) -> None:
        super().reset()
        self._used = Decimal(0)

    def routes(self) -> list[tuple[str, str, Handler]]:
        routes: list[tuple[str, str, Handler]] = [
            ("POST", CUT, self.cut),
            ("GET", f"{ROOT}/account", self.account),
            ("*", "/removebg/{rest:.*}", self.not_found),
        ]
        return keyed(routes, self._check_key)

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        is_purchase = method == "POST" and path == CUT
        return Subject(model="removebg", is_purchase=is_purchase) if is_purchase else Subject()

    def error(self, status: int, message: str | None) -> Reply:
        return _error(status, message)

    def _check_key(self, exchange: Exchange) -> None:
        key = exchange.request.headers.get("X-Api-Key", "")
        if not self._simulation.account(self.name).accepts(key):
            raise Refused(_error(403))

    async def cut(self, exchange: Exchange) -> Reply:
        asked = _parse(exchange)
        simulation = self._simulation
        if self._desk.is_out_of_money():
            raise Refused(_error(402))
        if self._desk.is_too_much():
            raise Refused(_error(429))
        loop = asyncio.get_running_loop()
        try:
            picture = await loop.run_in_executor(simulation.threads, _cut, asked)
        except NothingInFront as error:
            raise Refused(_error(400)) from error
        except (OSError, Image.DecompressionBombError) as error:
            raise Refused(_error(400, "Failed to read the image.", code="failed_to_read_image")) from error
        self._sell(exchange, asked.credits)
        await simulation.clock.sleep(simulation.latency.draw(CUT_OUT))
        return self._answer(exchange, asked, picture)

    def _answer(self, exchange: Exchange, asked: Asked, picture: Image.Image) -> Reply:
        file = io.BytesIO()
        (picture if asked.format != "jpeg" else picture.convert("RGB")).save(file, asked.format.upper())
        headers = {
            "Content-Type": f"image/{asked.format}",
            "X-Type": "product",
            "X-Width": str(picture.width),
            "X-Height": str(picture.height),
            "X-Max-Width": str(picture.width),
            "X-Max-Height": str(picture.height),
            "X-Credits-Charged": f"{asked.credits:f}",
            "X-RateLimit-Limit": "500",
            "X-RateLimit-Remaining": "494",
            "X-RateLimit-Reset": str(int(self._simulation.clock.now()) + 60),
        }
        if exchange.request.headers.get("Accept") != "application/json":
            return Reply(body=file.getvalue(), headers=headers)
        box = picture.getchannel("A").getbbox() or (0, 0, 0, 0)
        told = {
            "result_b64": base64.b64encode(file.getvalue()).decode(),
            "foreground_left": box[0],
            "foreground_top": box[1],
            "foreground_width": box[2] - box[0],
            "foreground_height": box[3] - box[1],
        }
        reply = as_json({"data": told})
        reply.headers |= {name: value for name, value in headers.items() if name != "Content-Type"}
        return reply

    def _sell(self, exchange: Exchange, credits: Decimal) -> None:
        """Before the answer leaves: a lost one was still paid."""
        self._used += credits
        self._desk.book(exchange, id=uuid.uuid4().hex, model="removebg", cost=credits * CREDIT_USD)

    async def account(self, exchange: Exchange) -> Reply:
        left = float(max(OPENING_CREDITS - self._used, Decimal(0)))
        credits = {"total": left, "subscription": left, "payg": 0, "enterprise": 0}
        return as_json({"data": {"attributes": {"credits": credits, "api": {"free_calls": 50, "sizes": "all"}}}})

    async def not_found(self, exchange: Exchange) -> Reply:
        raise Refused(_error(404, "Not found"))


def _parse(exchange: Exchange) -> Asked:
    """Of a form or JSON; exactly one source. Raises Refused."""
    parts = parts_of(exchange)
    given: dict[str, Any] = {part.name: part.data if part.filename else part.text for part in parts}
    fields = given or (exchange.json if isinstance(exchange.json, dict) else {})
    sources = [name for name in SOURCES if fields.get(name)]
    if not sources:
        raise Refused(_error(400, "No image given", code="missing_source"))
    if len(sources) > 1:
        raise Refused(_error(400, "Multiple image sources given", code="multiple_sources"))
    if sources == ["image_url"]:
        said = "Failed to download image from given image_url: HTTP Status 404"
        raise Refused(_error(400, said, code="failed_image_download"))
    size, kind, shape = (
        str(fields.get(name) or usual) for name, usual in (("size", "preview"), ("type", "auto"), ("format", "auto"))
    )
    if size not in EDGES:
        raise Refused(_error(400, f"Invalid size {size!r}", code="invalid_size"))
    if kind not in TYPES:
        raise Refused(_error(400, f"Invalid type {kind!r}", code="invalid_type"))
    if shape not in FORMATS:
        raise Refused(_error(400, f"Invalid format {shape!r}", code="invalid_format"))
    photo = _photo(fields[sources[0]])
    if len(photo) > MOST_BYTES:
        raise Refused(_error(400, "File too large", code="file_too_large"))
    return Asked(photo=photo, size=size, format=FORMATS[shape])


def _photo(given: Any) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return base64.b64decode(str(given), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _cut(asked: Asked) -> Image.Image:
    return cut_out(asked.photo, longest=EDGES[asked.size])


def _error(status: int, title: str | None = None, *, code: str | None = None) -> Reply:
    usual_title, usual_code = USUAL.get(status, (f"HTTP {status}", ""))
    entry = {"title": title or usual_title} | ({"code": code or usual_code} if code or usual_code else {})
    reply = as_json({"errors": [entry]}, status=status)
    if status == 429:
        reply.headers["Retry-After"] = "7"
    return reply
