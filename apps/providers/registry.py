"""The providers, one entry each: whoever needs a list of them, their names, keys or limits loops over this one.

Plain data, read before Django is up: the settings take from it which variables to read, `up` what to simulate. Another
provider is an entry here, its folder beside this file (client, models) and its folder in the simulator.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """`name` is the code in rows and settings, `title` what people read, `makes` what cannot be made without it (empty
    while no product needs it), `optional`: there are other ways to that, or much goes without. `env` begins its settings:
    XAI_API_KEY, XAI_API_BASE, XAI_MAX_CONCURRENT and XAI_REQUESTS_PER_MINUTE. `base` is its own address, `simulated_at`
    the simulator's path that speaks for it.

    `client` and `models` name a class with `from_settings` and a tuple of catalogue.Model. `hold_seconds`: how long
    nothing is sent after a 429 that names no time.
    """

    name: str
    title: str
    env: str
    base: str
    simulated_at: str
    client: str
    models: str
    makes: str = ""
    optional: bool = False
    answers_questions: bool = False
    hold_seconds: float = 5.0

    @property
    def key_setting(self) -> str:
        return f"{self.env}_API_KEY"

    @property
    def base_setting(self) -> str:
        return f"{self.env}_API_BASE"

    @property
    def has_key(self) -> bool:
        from django.conf import settings  # not at the top: this file is read before Django is imported

        return bool(settings.PROVIDER_KEYS[self.name])

    @property
    def simulated(self) -> bool:
        from django.conf import settings

        return self.name in settings.SIMULATED


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider(
            name="xai",
            title="Grok",
            env="XAI",
            base="https://api.x.ai/v1",
            simulated_at="/xai/v1",
            client="apps.providers.xai.client.XaiClient",
            models="apps.providers.xai.models.MODELS",
            makes="prompts",
            answers_questions=True,
        ),
        Provider(
            name="wavespeed",
            title="WaveSpeed",
            env="WAVESPEED",
            base="https://api.wavespeed.ai",
            simulated_at="/wavespeed",
            client="apps.providers.wavespeed.client.WavespeedClient",
            models="apps.providers.wavespeed.models.MODELS",
            makes="images",
            hold_seconds=15.0,  # its limits renew each minute
        ),
        Provider(
            name="openai",
            title="OpenAI",
            env="OPENAI",
            base="https://api.openai.com/v1",
            simulated_at="/openai/v1",
            client="apps.providers.openai.client.OpenAIClient",
            models="apps.providers.openai.models.MODELS",
            makes="painted scenes of listings",
            optional=True,
            answers_questions=True,
        ),
        Provider(
            name="removebg",
            title="remove.bg",
            env="REMOVEBG",
            base="https://api.remove.bg/v1.0",
            simulated_at="/removebg/v1.0",
            client="apps.providers.removebg.client.RemoveBgClient",
            models="apps.providers.removebg.models.MODELS",
            makes="cut-outs of lively photographs",
            optional=True,
        ),
        Provider(
            name="openrouter",
            title="OpenRouter",
            env="OPENROUTER",
            base="https://openrouter.ai/api/v1",
            simulated_at="/openrouter/api/v1",
            client="apps.providers.openrouter.client.OpenRouterClient",
            models="apps.providers.openrouter.models.MODELS",
            answers_questions=True,
        ),
        Provider(
            name="gemini",
            title="Gemini",
            env="GEMINI",
            base="https://generativelanguage.googleapis.com",
            simulated_at="/gemini",
            client="apps.providers.gemini.client.GeminiClient",
            models="apps.providers.gemini.models.MODELS",
            makes="A+ pages",
            optional=True,
            answers_questions=True,
            hold_seconds=15.0,  # most of its limits renew each minute
        ),
    )
}


NEEDED = [provider for provider in PROVIDERS.values() if provider.makes]  # without a key of theirs something waits


def provider_name(provider: str) -> str:
    """As people read it; of one that is not known, its code."""
    return PROVIDERS[provider].title if provider in PROVIDERS else provider
