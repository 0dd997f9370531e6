"""JSON in and out: orjson, strict UTF-8, bounded, no NUL, no lone surrogates, no depth that breaks the interpreter."""

from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from apps.api.errors import malformed, too_large

MAX_BODY_BYTES = 1_000_000


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """`data` is plain values, keys camelCase already (see serializers.CamelSerializer); None: no body."""
        return b"" if data is None else orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z)


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises Problem 413 over 1 MB, 400 for what is not a JSON object or array that PostgreSQL could keep."""
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise too_large("1 MB")
        try:
            data = orjson.loads(raw)
        except (ValueError, RecursionError) as error:
            raise malformed("The body is not well-formed JSON.") from error
        if not isinstance(data, dict | list):
            raise malformed("The body must be a JSON object.")
        if b"\\u0000" in raw and _holds_nul(data):
            raise malformed("The body holds a NUL character.")
        return data


class AlwaysJson(BaseContentNegotiation):
    """Whatever Accept says: the API speaks JSON, and its errors too."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Promise):  # DRF's own messages are lazy
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
