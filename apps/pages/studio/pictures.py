"""Small pictures of what a row names by URL, found for a whole page at once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit
from uuid import UUID

from django.db.models import Q

from apps.assets.library import digest_of
from apps.assets.models import Asset
from apps.assets.urls import asset_id_of, own_path
from apps.studio.links import image_id_of

_ID_ONLY = re.compile(r"^[0-9a-f-]{36}$")


@dataclass(frozen=True)
class Picture:
    """`thumb` is empty for an address that was not fetched yet: pages show pictures from our own storage only."""

    url: str
    name: str
    thumb: str = ""
    remote: bool = False
    fetched_at: datetime | None = None


def pictures_of(urls: Iterable[str], *, owner_id: int) -> Mapping[str, Picture]:
    """A picture for each URL; one query."""
    urls = {url for url in urls if url}
    ids = {url: asset_id_of(url) for url in urls}
    digests = {url: "" if ids[url] else digest_of(url) for url in urls}
    wanted = Q(pk__in=filter(None, ids.values())) | Q(source_digest__in=filter(None, digests.values()))
    shown = ("id", "name", "source_digest", "fetched_at")
    assets = list(Asset.objects.filter(wanted, owner_id=owner_id).only(*shown)) if urls else []
    by_id = {asset.pk: asset for asset in assets}
    by_source = {asset.source_digest: asset for asset in assets if asset.source_digest}
    return {
        url: _picture(url, by_id.get(asset_id) if (asset_id := ids[url]) else by_source.get(digests[url]))
        for url in urls
    }


def _picture(url: str, asset: Asset | None) -> Picture:
    remote = not own_path(url)
    if asset is not None:
        name, thumb = asset.name or _last_part(url), f"/media/assets/{asset.pk}/thumbnail"
        return Picture(url, name, thumb, remote, asset.fetched_at)
    image: UUID | None = image_id_of(url)
    if image is not None:
        return Picture(url, "a picture made here", f"/media/images/{image}/thumbnail")
    return Picture(url, _last_part(url), remote=remote)


def _last_part(url: str) -> str:
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return name if name and not _ID_ONLY.match(name) else (parts.hostname or "picture")
