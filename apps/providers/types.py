"""Values that clients take and give. Nothing here knows a wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class TextPart:
    text: str


@dataclass(frozen=True)
class ImagePart:
    """A picture as a data URI of JPEG or PNG, at most 10 MiB before encoding; `detail` is auto, low or high."""

    data_uri: str
    detail: str = "high"


@dataclass(frozen=True)
class Schema:
    """What a strict answer must fit: JSON Schema in the subset that every provider takes (every property required,
    `additionalProperties` false, what may be missing as a union with null). `name` is of letters, digits, _ and -.
    """

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ChatRequest:
    """One question to a language model. What the model does not take is lowered or left out, never refused for it.

    `system` may be empty: then the question stands alone. `effort` and `temperature` None leave the model's own.
    `web_search`: it may search, and its answer tells its sources. `schema`: it answers in JSON that fits it.
    """

    model: str
    system: str
    parts: tuple[TextPart | ImagePart, ...]
    max_tokens: int
    effort: str | None = None
    temperature: float | None = None
    schema: Schema | None = None
    web_search: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer. `reasoning` are never counted in `completion` here, however the provider counts; both are billed
    as output. `raw` is what the provider said.
    """

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0
    total: int = 0
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def billed_output(self) -> int:
        return self.completion + self.reasoning


@dataclass(frozen=True)
class Source:
    """A page that an answer leans on. `cited`: its words refer to it; else it was only consulted."""

    url: str
    title: str = ""
    cited: bool = True


@dataclass(frozen=True)
class ChatAnswer:
    """`cost_usd` is exact; `cost_source` says reported (by the provider), priced (our table) or none.

    `parsed` is the value of an answer that was asked by a schema and fits it, else None. `searches`: how often the model
    searched the web, None where the provider does not tell. `sources` None: it searched, and no sources came with it.
    """

    id: str
    model: str
    text: str
    refusal: str
    finish_reason: str
    usage: Usage
    cost_usd: Decimal | None
    cost_source: str
    http_status: int = 200
    parsed: Any = None
    searches: int | None = 0
    sources: tuple[Source, ...] | None = ()


@dataclass(frozen=True)
class EditRequest:
    """Pictures to make from others. `size` is WIDTHxHEIGHT or auto; `quality` low, medium or high; `format` png, jpeg or webp;
    `background` transparent, opaque or empty.
    """

    model: str
    prompt: str
    pictures: tuple[ImagePart, ...]
    size: str = "1024x1024"
    quality: str = "medium"
    format: str = "png"
    background: str = ""
    count: int = 1


@dataclass(frozen=True)
class PictureAnswer:
    """Pictures that came with the answer itself, as files. Cost as in ChatAnswer."""

    id: str
    pictures: tuple[bytes, ...]
    content_type: str
    usage: Mapping[str, Any]
    cost_usd: Decimal | None
    cost_source: str
    http_status: int = 200


@dataclass(frozen=True)
class CutOut:
    """What stands in front, as a PNG with alpha of the photograph's size. `credits` as charged, `found`: what it was taken for."""

    png: bytes
    credits: Decimal | None
    cost_usd: Decimal | None
    cost_source: str
    found: str = ""
    http_status: int = 200


_SUCCEEDED = frozenset({"completed", "complete", "succeeded", "success", "done", "finished"})
_FAILED = frozenset(
    {"failed", "failure", "error", "errored", "cancelled", "canceled", "aborted", "timeout", "timed_out", "expired"}
    | {"moderated", "blocked", "rejected", "refused", "flagged", "nsfw", "deleted", "terminated", "invalid"}
)
_UNDER_WAY = frozenset(
    {"", "created", "pending", "queued", "in_queue", "waiting", "starting", "started", "running", "processing"}
    | {"in_progress", "scheduled", "submitted", "accepted", "retrying", "preparing", "uploading", "saving"}
)
_FIRST_ERROR = 1000  # of a task's codes


@dataclass(frozen=True)
class Prediction:
    """One WaveSpeed task. `outputs` are addresses or data URIs; `error_code` is the task's own code (1xxx, 5xxx).

    `status` is theirs, in small letters. One that we do not know is an end when it brings outputs or says what is wrong.
    `flagged`: the places of the outputs that WaveSpeed takes for not safe for work.
    """

    id: str
    model: str
    status: str
    outputs: tuple[str, ...] = ()
    error_code: int | None = None
    error: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    inference_ms: int | None = None
    flagged: frozenset[int] = frozenset()

    @property
    def succeeded(self) -> bool:
        return self.status in _SUCCEEDED or (self._is_unknown and bool(self.outputs))

    @property
    def failed(self) -> bool:
        says_why = bool(self.error) or (self.error_code or 0) >= _FIRST_ERROR
        return self.status in _FAILED or (self._is_unknown and not self.outputs and says_why)

    @property
    def _is_unknown(self) -> bool:
        return self.status not in _SUCCEEDED | _FAILED | _UNDER_WAY

    @property
    def finished(self) -> bool:
        return self.succeeded or self.failed


@dataclass(frozen=True)
class ModelInfo:
    """A model as a provider lists it today. Prices are USD for a million tokens, None where not given; `ends_on` is the
    day it is announced to be shut down.
    """

    id: str
    aliases: tuple[str, ...] = ()
    images: bool | None = None
    input_usd: Decimal | None = None
    cached_usd: Decimal | None = None
    output_usd: Decimal | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class Found:
    """What was asked for at a provider is there: the call is accepted now, and has this task."""

    prediction: Prediction


@dataclass(frozen=True)
class Absent:
    """The provider has no such task: nothing was charged, it may be sent anew."""


@dataclass(frozen=True)
class Unsure:
    """Ask again later, or let a person settle it; `why` is a sentence for them."""

    why: str


Finding = Found | Absent | Unsure
