"""Secrets of this installation are known by their value, wherever a provider or a driver writes them."""

import pytest
from django.conf import LazySettings

from apps.core.redaction import redact
from apps.providers.registry import PROVIDERS

KEYS = {
    "WAVESPEED_WEBHOOK_SECRET": "canary-webhook-22",
    "SECRET_KEY": "canary-secret-key-33",
}
PROVIDER_KEYS = {name: f"canary-of-{name}" for name in PROVIDERS} | {"wavespeed": "WAVESPEED-CANARY-KEY"}


@pytest.fixture(autouse=True)
def _keys(settings: LazySettings) -> None:
    for name, value in KEYS.items():
        setattr(settings, name, value)
    settings.PROVIDER_KEYS = PROVIDER_KEYS
    settings.CRON_SECRETS = ["canary-cron-44", "canary-cron-44-older"]
    settings.SECRET_KEY_FALLBACKS = ["canary-fallback-55"]
    settings.DATABASE_URL = "postgresql://desk:p%40ss%2Fcanary-66@db.example/pressroom"
    settings.REDIS_URL = "redis://:canary-redis-77@redis.example:6379/0"


SECRETS = [
    *KEYS.values(),
    *PROVIDER_KEYS.values(),
    *("canary-cron-44", "canary-cron-44-older", "canary-fallback-55"),
    *("p@ss/canary-66", "p%40ss%2Fcanary-66", "canary-redis-77"),
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("sentence", ["Invalid api key {}.", "{}", "https://x.test/?k={}&a=1", "<p>{}</p>", "x{}x"])
def test_a_configured_secret_is_redacted_wherever_it_stands(secret: str, sentence: str) -> None:
    told = redact(sentence.format(secret))
    assert "canary" not in told.lower()
    assert "[redacted]" in told


def test_short_values_and_the_simulators_key_are_words_of_sentences(settings: LazySettings) -> None:
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"xai": "simulator", "wavespeed": "key"}
    assert redact("The simulator has a key for it.") == "The simulator has a key for it."


def test_without_secrets_nothing_is_redacted(settings: LazySettings) -> None:
    for name in KEYS:
        setattr(settings, name, "" if name != "SECRET_KEY" else "x")
    settings.PROVIDER_KEYS = {}
    settings.CRON_SECRETS = settings.SECRET_KEY_FALLBACKS = []
    settings.DATABASE_URL = settings.REDIS_URL = ""
    assert redact("An ordinary sentence.") == "An ordinary sentence."
