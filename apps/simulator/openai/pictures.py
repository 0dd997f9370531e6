"""OpenAI's pictures: what a request asks for, what is wrong with it, and the answer with its base64 and its tokens."""

import base64
import binascii
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PIL import Image

from apps.simulator.drawing.matte import in_scene
from apps.simulator.drawing.pictures import Order, draw
from apps.simulator.forms import Part, parts_of
from apps.simulator.messages import Exchange
from apps.simulator.openai import errors
from apps.simulator.openai.catalogue import Painter, find_painter
from apps.simulator.photographs import NotAnImage, decode

KIND = "image_generation_user_error"
MOST_PICTURES = 16
MOST_BYTES = 50 * 1024 * 1024
LONGEST_PROMPT = 32_000
SIZES = {"1024x1024": (1024, 1024), "1536x1024": (1536, 1024), "1024x1536": (1024, 1536)}
TOKENS = {"low": 272, "medium": 1056, "high": 4160}  # of 1024 x 1024; the others by their area
TOKENS_IN = 323  # of a picture that is looked at in low fidelity
UNKNOWN_TO_IT = ("response_format", "style")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A request that is in order. `pictures`: the files that were sent."""

    painter: Painter
    prompt: str
    pictures: tuple[bytes, ...]
    size: tuple[int, int]
    quality: str
    format: str
    background: str
    count: int

    @property
    def tokens_in(self) -> dict[str, int]:
        return {"text_tokens": max(1, len(self.prompt) // 4), "image_tokens": TOKENS_IN * len(self.pictures)}

    @property
    def tokens_out(self) -> int:
        area = self.size[0] * self.size[1] / 1024**2
        return round(TOKENS[self.quality] * area) * self.count

    @property
    def cost(self) -> Decimal:
        """USD."""
        told, price = self.tokens_in, self.painter
        amount = (
            told["text_tokens"] * price.text + told["image_tokens"] * price.picture + self.tokens_out * price.output
        )
        return amount / 10**6

    def as_json(self, files: list[bytes], *, created: int) -> dict[str, Any]:
        told = self.tokens_in
        asked = sum(told.values())
        return {
            "created": created,
            "background": self.background if self.background != "auto" else "opaque",
            "output_format": self.format,
            "quality": self.quality,
            "size": f"{self.size[0]}x{self.size[1]}",
            "data": [{"b64_json": base64.b64encode(file).decode()} for file in files],
            "usage": {
                "total_tokens": asked + self.tokens_out,
                "input_tokens": asked,
                "output_tokens": self.tokens_out,
                "input_tokens_details": told,
                "output_tokens_details": {"image_tokens": self.tokens_out, "text_tokens": 0},
            },
        }


def parse(exchange: Exchange, *, now: float, edits: bool) -> Wanted:
    """Of JSON or a form. Raises Refused with OpenAI's own status and words."""
    fields, pictures = _read(exchange)
    for name in UNKNOWN_TO_IT:
        if fields.get(name) is not None:
            raise _unlike(f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    name = str(fields.get("model") or "dall-e-2")
    painter = find_painter(name, now)
    if painter is None:
        raise _wrong(f"The model '{name}' does not exist.", "model")
    prompt = str(fields.get("prompt") or "")
    if not prompt:
        raise errors.refused(
            400, "Missing required parameter: 'prompt'.", code="missing_required_parameter", param="prompt"
        )
    if len(prompt) > LONGEST_PROMPT:
        raise _wrong(f"Invalid 'prompt': string too long. Expected at most {LONGEST_PROMPT} characters.", "prompt")
    if edits and not 1 <= len(pictures) <= MOST_PICTURES:
        raise _wrong(f"Invalid 'image': between 1 and {MOST_PICTURES} images are taken.", "image")
    return Wanted(
        painter=painter,
        prompt=prompt,
        pictures=tuple(pictures),
        size=_size(str(fields.get("size") or "auto")),
        quality=_one_of(fields, "quality", ("low", "medium", "high"), "medium"),
        format=_one_of(fields, "output_format", ("png", "jpeg", "webp"), "png"),
        background=_one_of(fields, "background", ("transparent", "opaque"), "auto"),
        count=_count(fields.get("n")),
    )


def drawn(wanted: Wanted, *, seed: int) -> list[bytes]:
    """The files; of a cut-out that was sent, it in a scene. Takes a while: call it in a thread."""
    return [_draw(wanted, f"{seed}.{wanted.prompt}.{place}") for place in range(wanted.count)]


def _draw(wanted: Wanted, variation: str) -> bytes:
    fronts = [front for data in wanted.pictures if (front := _with_alpha(data)) is not None]
    if not fronts:
        order = Order(
            prompt=wanted.prompt,
            photographs=tuple(decode(data) for data in wanted.pictures),
            width=wanted.size[0],
            height=wanted.size[1],
            format=wanted.format,
            variation=variation,
        )
        return draw(order)
    file = io.BytesIO()
    in_scene(fronts[0], wanted.prompt, wanted.size, variation=variation).save(file, wanted.format.upper(), quality=90)
    return file.getvalue()


def _with_alpha(data: bytes) -> Image.Image | None:
    picture = Image.open(io.BytesIO(data))
    if picture.mode != "RGBA" or picture.getchannel("A").getextrema()[0] == 255:
        return None
    return picture


def _read(exchange: Exchange) -> tuple[dict[str, Any], list[bytes]]:
    parts = parts_of(exchange)
    if parts:
        fields = {part.name: part.text for part in parts if not part.filename}
        return fields, [_checked(part.data) for part in parts if _is_picture(part)]
    if not isinstance(exchange.json, dict):
        raise errors.refused(400, "We could not parse the JSON body of your request.")
    listed = exchange.json.get("images") or []
    return exchange.json, [_checked(_decoded(entry)) for entry in (listed if isinstance(listed, list) else [])]


def _is_picture(part: Part) -> bool:
    return bool(part.filename) and part.name in ("image", "image[]")


def _decoded(entry: Any) -> bytes:
    address = entry.get("image_url") if isinstance(entry, dict) else None
    found = re.fullmatch(r"data:image/[\w.+-]+;base64,(.*)", address or "", re.DOTALL)
    try:
        return base64.b64decode(found[1], validate=True) if found else b""
    except (binascii.Error, ValueError):
        return b""


def _checked(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise errors.refused(413, "The image is too large.")
    try:
        decode(data)
    except NotAnImage as error:
        raise _unlike(
            "Invalid image file or mode for image 1, please check your image file.", "invalid_image_file", "image"
        ) from error
    return data


def _size(text: str) -> tuple[int, int]:
    """The three of old, and any of multiples of 16 with sides of at most three to one."""
    if text == "auto":
        return SIZES["1024x1024"]
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    fits = width and height and width % 16 == height % 16 == 0 and 1 / 3 <= width / height <= 3
    if not fits or max(width, height) > 3840 or min(width, height) > 2160:
        raise _wrong(f"Invalid size '{text}'. Supported sizes are 1024x1024, 1024x1536, 1536x1024, and auto.", "size")
    return width, height


def _one_of(fields: dict[str, Any], name: str, known: tuple[str, ...], usual: str) -> str:
    value = fields.get(name)
    if value in (None, "", "auto"):
        return usual
    if value not in known:
        raise _wrong(
            f"Invalid value: '{value}'. Supported values are: {', '.join(map(repr, known))}, and 'auto'.", name
        )
    return str(value)


def _count(value: Any) -> int:
    text = str(value or 1)
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= 10:
        raise _wrong(f"Invalid 'n': expected an integer from 1 to 10, but got {value!r} instead.", "n")
    return count


def _wrong(said: str, param: str) -> errors.Refused:
    return errors.refused(400, said, kind=KIND, code="invalid_value", param=param)


def _unlike(said: str, code: str, param: str) -> errors.Refused:
    return errors.refused(400, said, kind="invalid_request_error", code=code, param=param)
