"""The providers, one entry each: whoever needs a list of them, their names or their keys loops over this one."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Provider:
    """`name` is the code in rows and settings, `title` what people read, `makes` what cannot be made without it."""

    name: str
    title: str
    makes: str
    key_setting: str
    base_setting: str

    @property
    def has_key(self) -> bool:
        return bool(getattr(settings, self.key_setting))

    @property
    def simulated(self) -> bool:
        return self.name in settings.SIMULATED


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("xai", "Grok", "prompts", "XAI_API_KEY", "XAI_API_BASE"),
        Provider("wavespeed", "WaveSpeed", "images", "WAVESPEED_API_KEY", "WAVESPEED_API_BASE"),
    )
}


def provider_name(provider: str) -> str:
    """As people read it; of one that is not known, its code."""
    return PROVIDERS[provider].title if provider in PROVIDERS else provider
