"""The addresses of generated images."""

import re
from uuid import UUID

from django.conf import settings

from apps.assets.urls import own_path
from apps.studio.models import GeneratedImage

_PATH = re.compile(r"^/media/images/([0-9a-f-]{36})(?:/thumbnail)?$")


def image_url(image: GeneratedImage) -> str:
    return f"{settings.SITE_URL}/media/images/{image.pk}"


def thumbnail_url(image: GeneratedImage) -> str:
    return f"{image_url(image)}/thumbnail"


def image_id_of(url: str) -> UUID | None:
    """The image that one of our own addresses, absolute or from the root, names."""
    match = _PATH.match(own_path(url))
    try:
        return UUID(match.group(1)) if match else None
    except ValueError:
        return None
