"""The addresses of assets: absolute ones for rows and the API, and back again. The views that serve them are the API's."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http.request import validate_host

from apps.assets.models import Asset

_PATH = re.compile(r"/media/assets/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/thumbnail)?/?")


def asset_url(asset: Asset) -> str:
    return f"{settings.SITE_URL}/media/assets/{asset.id}"


def thumbnail_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/thumbnail"


def asset_id_of(url: str) -> UUID | None:
    """The asset that an address of our own names, absolute on any host we answer to, or a path; else None."""
    match = _PATH.fullmatch(own_path(url))
    return UUID(match.group(1)) if match else None


def own_path(url: str) -> str:
    """The path of an address of our own, absolute on any host we answer to, or a path; "" for any other."""
    try:
        parts = urlsplit(url)
        ours = not parts.netloc or _is_our_host(parts.hostname or "", parts.netloc)
    except ValueError:
        return ""
    return parts.path if ours and parts.scheme in {"", "http", "https"} else ""


def _is_our_host(hostname: str, netloc: str) -> bool:
    if netloc == urlsplit(settings.SITE_URL).netloc:
        return True
    return hostname != "" and "*" not in settings.ALLOWED_HOSTS and validate_host(hostname, settings.ALLOWED_HOSTS)
