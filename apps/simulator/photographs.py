"""The images a call really sent: fetched or decoded, checked, kept small for drawing and describing."""

import asyncio
import base64
import binascii
import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import aiohttp
from PIL import Image, ImageOps

KEPT = 256
LONG_EDGE = 1024
FETCH_SECONDS = 5.0  # as xAI does (reference §2.4)
FETCH_BYTES = 50 * 1024 * 1024


class NotAnImage(ValueError):
    """The bytes or the address do not give an image; the text says why."""


class TooLarge(NotAnImage):
    """More bytes than the provider takes."""


@dataclass(frozen=True)
class Photograph:
    """`small`: JPEG, long edge at most 1024, kept encoded since thousands may be in flight; `width`, `height`: as sent."""

    digest: str
    small: bytes
    width: int
    height: int

    @property
    def picture(self) -> Image.Image:
        return Image.open(io.BytesIO(self.small)).convert("RGB")


class Photographs:
    """Decodes in threads and remembers by content, so that the same reference sent a thousand times costs once."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._kept: OrderedDict[str, Photograph] = OrderedDict()

    async def open(self, source: str, *, most_bytes: int = FETCH_BYTES) -> Photograph:
        """`source`: data URI, http(s) address or bare base64. Raises NotAnImage, TooLarge."""
        if source.startswith(("http://", "https://")):
            return await self._decoded(await fetch(source), most_bytes)
        key = hashlib.sha256(source.encode()).hexdigest()
        if key not in self._kept:
            self._keep(key, await self._decoded(from_base64(source), most_bytes))
        return self._kept[key]

    async def _decoded(self, data: bytes, most_bytes: int) -> Photograph:
        if len(data) > most_bytes:
            raise TooLarge(f"The image has {len(data)} bytes; at most {most_bytes} are taken.")
        key = hashlib.sha256(data).hexdigest()
        if key not in self._kept:
            loop = asyncio.get_running_loop()
            self._keep(key, await loop.run_in_executor(self._threads, decode, data))
        return self._kept[key]

    def _keep(self, key: str, photograph: Photograph) -> None:
        self._kept[key] = photograph
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def decode(data: bytes) -> Photograph:
    """Raises NotAnImage."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            opened.draft("RGB", (LONG_EDGE, LONG_EDGE))
            opened.load()  # a file that only starts like an image fails here
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((LONG_EDGE, LONG_EDGE))
    except Exception as error:  # Pillow raises a dozen kinds for a broken file
        raise NotAnImage(f"The bytes are not an image that can be read ({type(error).__name__}).") from error
    return Photograph(hashlib.sha256(data).hexdigest(), as_jpeg(flattened(picture)), width, height)


def as_jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def flattened(picture: Image.Image) -> Image.Image:
    """Transparency becomes white."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    ground = Image.new("RGBA", with_alpha.size, "white")
    return Image.alpha_composite(ground, with_alpha).convert("RGB")


def from_base64(source: str) -> bytes:
    """Raises NotAnImage. Takes a `data:image/…;base64,` URI or bare base64."""
    text = source
    if source.startswith("data:"):
        kind, comma, text = source.partition(",")
        if not comma or not kind.startswith("data:image/") or not kind.endswith(";base64"):
            raise NotAnImage("The data URI is not a base64 image.")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NotAnImage("The image is not valid base64.") from error


async def fetch(url: str) -> bytes:
    """Raises NotAnImage when it does not come within 5 s or is larger than 50 MB."""
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    headers = {"User-Agent": "XaiImageApiFetch/1.0"}
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session, session.get(url) as reply:
            if reply.status != 200:
                raise NotAnImage(f"The address answered HTTP {reply.status}.")
            return await read_at_most(reply.content.read, FETCH_BYTES)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        if isinstance(error, NotAnImage):
            raise
        raise NotAnImage(f"The address cannot be fetched ({type(error).__name__}).") from error


async def read_at_most(read: Callable, limit: int) -> bytes:
    parts, size = [], 0
    while part := await read(64 * 1024):
        size += len(part)
        if size > limit:
            raise TooLarge(f"The image has more than {limit} bytes.")
        parts.append(part)
    return b"".join(parts)
