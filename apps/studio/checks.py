"""System checks of Studio's settings."""

from collections.abc import Sequence

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, register

from apps.studio.prompting.chain import chain


@register
def prompt_models(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    try:
        entries = chain()
    except ValueError as error:
        return [
            Error(
                str(error),
                hint="Write PRESSROOM_PROMPT_MODELS as model[:error|refusal|too_long],…",
                id="pressroom.E020",
            )
        ]
    if not entries:
        return [
            Error(
                "No model may write prompts.", hint="Name at least one in PRESSROOM_PROMPT_MODELS.", id="pressroom.E021"
            )
        ]
    return []
