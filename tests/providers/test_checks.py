"""What `manage.py check` says of models and limits."""

import pytest
from pytest_django.fixtures import Settings

from apps.providers.checks import limits, models


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (["grok-4.7", "grok-4.3:error", "grok-4.20-non-reasoning:error|too_long"], []),
        (["grok-99-from-the-future"], []),
        (["grok-3:error"], ["pressroom.W030"]),
        (["grok-4", "grok-2-vision"], ["pressroom.W030", "pressroom.W031"]),
    ],
)
def test_models_that_are_gone(settings: Settings, chain: list[str], expected: list[str]) -> None:
    settings.PROMPT_MODELS = chain
    assert [message.id for message in models(None)] == expected


def test_a_redirect_says_who_answers_and_what_to_do(settings: Settings) -> None:
    settings.PROMPT_MODELS = ["grok-4-0709"]
    (message,) = models(None)
    assert "grok-4.3 answers instead" in message.msg
    assert message.hint == "Name grok-4.3 instead."


def test_an_image_model_without_pictures(settings: Settings) -> None:
    settings.IMAGE_MODEL = "bytedance/seedream-v4.5"
    assert [message.id for message in models(None)] == ["pressroom.W032"]


def test_a_limit_below_none(settings: Settings) -> None:
    settings.PROVIDER_LIMITS = {"xai": {"concurrent": 0, "per_minute": -1}}
    assert [message.id for message in limits(None)] == ["pressroom.E030"]
