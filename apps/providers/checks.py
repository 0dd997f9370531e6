"""System checks: keys; models that settings name and that are gone, redirected or of no use; limits that are none."""

from collections.abc import Iterator, Sequence

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register

from apps.core.failpoints import armed
from apps.providers.catalogue import Model, find_model
from apps.providers.registry import NEEDED, PROVIDERS, provider_name


@register
def models(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """A model we do not know is not worth a word: new ones come every month."""
    found: list[CheckMessage] = []
    for setting, provider, name in _named():
        known = find_model(provider, name)
        if known and known.is_gone:
            found.append(_retired(setting, name, known))
        elif known and not known.images:
            found.append(
                Warning(
                    f"{setting} names {name}, which takes no pictures.",
                    hint="Name a model that does.",
                    id="pressroom.W032",
                )
            )
    return found


@register
def keys(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """A provider without a key cannot be called; what needs it would wait, unless there are other ways to it."""
    return [
        (Info if provider.optional else Warning)(
            f"{provider.key_setting} is not set: no {provider.makes} can be made.",
            hint=f"Set {provider.key_setting}, or run `manage.py up` to try the simulator.",
            id="pressroom.W001",
        )
        for provider in NEEDED
        if not provider.has_key
    ]


@register
def faults(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """Failpoints belong into tests against the simulator."""
    if not armed() or all(provider.simulated for provider in PROVIDERS.values() if provider.has_key):
        return []
    return [
        Warning(
            "PRESSROOM_FAILPOINTS is set, and a real provider is called: workers will die on purpose.",
            hint="Unset it.",
            id="pressroom.W005",
        )
    ]


@register
def limits(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    return [
        Error(
            f"The limit {name} of {provider_name(provider)} is {value}.",
            hint="Write a whole number above 0, or 0 for no limit.",
            id="pressroom.E030",
        )
        for provider, limit in settings.PROVIDER_LIMITS.items()
        for name, value in limit.items()
        if value < 0
    ]


def _named() -> Iterator[tuple[str, str, str]]:
    """Setting, provider and model. An entry of the chain is a model, and after a colon what it is for."""
    for entry in settings.PROMPT_MODELS:
        yield "PRESSROOM_PROMPT_MODELS", "xai", entry.partition(":")[0].strip()
    yield "PRESSROOM_IMAGE_MODEL", "wavespeed", settings.IMAGE_MODEL


def _retired(setting: str, name: str, known: Model) -> CheckMessage:
    """Redirected is worse than gone: it answers, as another model and at another price."""
    fate = f"{known.redirects_to} answers instead, at its own price" if known.redirects_to else "it answers no more"
    return Warning(
        f"{setting} names {name}, which {provider_name(known.provider)} retired on {known.retired}: {fate}.",
        hint=f"Name {known.successor} instead." if known.successor else "Name another model.",
        id="pressroom.W030" if known.redirects_to else "pressroom.W031",
    )
