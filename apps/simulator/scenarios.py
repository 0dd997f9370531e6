"""What a test asked to go wrong: which calls, how, and how often."""

import dataclasses
import itertools
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any


class UnknownField(ValueError):
    """The scenario names something that does not exist; the text says which and what there is."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How one call misbehaves. Everything left out stays normal.

    Canned reply, nothing is done: `status` (`error_text` replaces its usual words), `body` (text, or JSON), `html`.
    Before the work: `delay_ms`, `hang`, `drop_connection` (true or "before").
    After the work: `drop_connection` "after"; `create_then_timeout` (true: no reply comes; "drop": the connection is
    reset); `create_then_status` (with `html`: as a page).
    On the reply: `headers`, `gzip`, `chunked`, `truncate_after_bytes`, `drip_body_ms` and `drip_header_ms` (per byte),
    `endless`, `stream_error_after_chunks`.
    xAI's answer: `text`, `refusal`, `model`, `finish_reason`, `usage` (what it says of it, or "missing"; it is charged).
    WaveSpeed's task: `task_status`, `task_code`, `task_error`, `task_delay_ms`, `nsfw`, `sync_timeout`,
    `listed_after_ms` (until then lists do not show it), `webhook` ({"mode": normal|never|duplicate|early|late|
    bad_signature, "delay_ms"}), `output_url`, `output_status`, `output_body`, `output_objects`.
    """

    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    html: bool = False
    delay_ms: float = 0
    hang: bool = False
    drop_connection: bool | str = False
    create_then_timeout: bool | str = False
    create_then_status: int | None = None
    listed_after_ms: float = 0
    truncate_after_bytes: int | None = None
    drip_body_ms: float = 0
    drip_header_ms: float = 0
    gzip: bool = False
    chunked: bool = False
    endless: bool = False
    stream_error_after_chunks: int | None = None
    text: str | None = None
    refusal: bool | str = False
    model: str | None = None
    finish_reason: str | None = None
    usage: Any = None
    task_status: str | None = None
    task_code: int | None = None
    task_error: str | None = None
    task_delay_ms: float = 0
    nsfw: bool = False
    webhook: dict[str, Any] = field(default_factory=dict)
    sync_timeout: bool = False
    output_url: str | None = None
    output_status: int | None = None
    output_body: str | None = None
    output_objects: bool = False
    error_text: str | None = None

    @property
    def is_canned(self) -> bool:
        is_reply = self.status is not None or self.body is not None or self.html
        return is_reply and self.create_then_status is None

    @property
    def needs_purchase(self) -> bool:
        """True when only a paid call can show it, so that a poll must not use the scenario up."""
        return any(getattr(self, name) != getattr(NO_EFFECT, name) for name in ON_PURCHASE_ONLY)


ON_PURCHASE_ONLY = {
    "create_then_status", "create_then_timeout", "finish_reason", "listed_after_ms", "model", "nsfw", "output_body",
    "output_objects", "output_status", "output_url", "refusal", "stream_error_after_chunks", "sync_timeout",
    "task_code", "task_delay_ms", "task_error", "task_status", "text", "usage", "webhook",
}  # fmt: skip
NO_EFFECT = Effect()


@dataclass(frozen=True, kw_only=True)
class Match:
    """`path` and `model`: part of it, or a pattern with `*`. `nth_call`: 1 = the first call that fits the rest."""

    path: str | None = None
    method: str | None = None
    model: str | None = None
    prompt_contains: str | None = None
    nth_call: int = 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a call is about, as scenarios see it. `is_purchase`: the provider takes money for it when it succeeds."""

    model: str = ""
    prompt: str = ""
    is_purchase: bool = False


@dataclass(kw_only=True)
class Scenario:
    id: str
    provider: str
    match: Match
    effect: Effect
    times: int | None
    seen: int = 0

    def fits(self, *, provider: str, method: str, path: str, subject: Subject) -> bool:
        match = self.match
        return (
            self.provider in ("", provider)
            and (subject.is_purchase or not self.effect.needs_purchase)
            and _path_fits(match.path, path)
            and (match.method or method).upper() == method
            and (match.model is None or _pattern_fits(match.model, subject.model))
            and (match.prompt_contains or "") in subject.prompt
        )

    def strikes(self) -> bool:
        """Counts one fitting call and says whether it is one of those to spoil."""
        self.seen += 1
        return self.seen >= self.match.nth_call and not self.is_spent_before(self.seen)

    def is_spent_before(self, call: int) -> bool:
        return self.times is not None and call >= self.match.nth_call + self.times


class Scenarios:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._scenarios: dict[str, Scenario] = {}

    def add(self, body: dict[str, Any]) -> Scenario:
        """Raises UnknownField."""
        _refuse_unknown(body, {"provider", "match", "effect", "times"}, "scenario")
        scenario = Scenario(
            id=f"s{next(self._ids)}",
            provider=body.get("provider") or "",
            match=_parse(Match, body.get("match") or {}, "match"),
            effect=parse_effect(body.get("effect") or {}),
            times=body.get("times", 1),
        )
        self._scenarios[scenario.id] = scenario
        return scenario

    def remove(self, scenario_id: str) -> bool:
        return self._scenarios.pop(scenario_id, None) is not None

    def clear(self) -> None:
        self._scenarios.clear()

    def take(self, *, provider: str, method: str, path: str, subject: Subject) -> tuple[str, Effect] | None:
        """The oldest scenario that spoils this call; it has then been used once more."""
        for scenario in list(self._scenarios.values()):
            if scenario.fits(provider=provider, method=method, path=path, subject=subject) and scenario.strikes():
                if scenario.is_spent_before(scenario.seen + 1):
                    self.remove(scenario.id)
                return scenario.id, scenario.effect
        return None

    def as_list(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(scenario) for scenario in self._scenarios.values()]


def parse_effect(values: dict[str, Any]) -> Effect:
    """Raises UnknownField."""
    return _parse(Effect, values, "effect")


def _parse(kind: Any, values: dict[str, Any], name: str) -> Any:
    _refuse_unknown(values, {each.name for each in dataclasses.fields(kind)}, name)
    return kind(**{key: value for key, value in values.items() if value is not None})


def _refuse_unknown(values: dict[str, Any], known: set[str], name: str) -> None:
    if unknown := sorted(set(values) - known):
        raise UnknownField(f"Unknown {name} field {unknown[0]!r}. Known: {', '.join(sorted(known))}.")


def _path_fits(pattern: str | None, path: str) -> bool:
    """Downloads are spoilt only when asked by name: "any call" means the provider's API."""
    if pattern is None:
        return "-cdn/" not in path
    return _pattern_fits(pattern, path)


def _pattern_fits(pattern: str, text: str) -> bool:
    return fnmatch(text, pattern) if "*" in pattern else pattern in text
