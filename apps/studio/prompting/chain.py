"""The ordered models that may write a prompt, each with what it is for."""

from django.conf import settings

from apps.orders.chain import Entry, entry_of


def chain() -> list[Entry]:
    """From the setting PRESSROOM_PROMPT_MODELS."""
    return [entry_of(text) for text in settings.PROMPT_MODELS]
