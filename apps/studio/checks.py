"""System checks of Studio's settings."""

from collections.abc import Sequence

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError

from apps.accounts.models import User
from apps.studio.demo import USERNAME, known_password
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


@register
def demo_rights(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """The demo's password is printed at each start and lies in a file: who has it must see only the demo."""
    password = known_password()
    try:
        demo = User.objects.filter(username=USERNAME, is_active=True).first() if password else None
    except DatabaseError:  # no database yet, or no tables
        return []
    if demo is None or not (demo.is_staff or demo.is_superuser) or not demo.check_password(password):
        return []
    return [
        Warning(
            "The demo user is staff, and its password is printed at each start.",
            hint="Make an account of your own with `manage.py createsuperuser`, and take “staff status” from demo.",
            id="pressroom.W006",
        )
    ]
