"""What `manage.py check` says about images."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register
def private_urls(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    if not settings.ALLOW_PRIVATE_URLS:
        return []
    return [
        Warning(
            "PRESSROOM_ALLOW_PRIVATE_URLS is on: image addresses may lead to this machine itself.",
            hint="It is for development and tests. Unset it where other people sign in.",
            id="assets.W001",
        )
    ]
