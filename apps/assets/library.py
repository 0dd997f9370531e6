"""How an image becomes an asset of somebody: uploaded, or fetched from an address they gave."""

import hashlib
import time
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from apps.accounts.models import User
from apps.assets import decoder, images, storage
from apps.assets.models import Asset
from apps.assets.urls import asset_id_of
from apps.core import http
from apps.core.errors import Problem
from apps.core.text import one_line

_HEADERS = {"Accept": "image/jpeg, image/png, image/webp"}
_REDIRECTS = 3
_FIRST_TRY = 0.3  # of the time: a host that is only slow to wake gets the rest


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def store_upload(*, owner: User, file: Readable, name: str) -> Asset:
    """Checks, re-encodes and stores what was uploaded; the same picture and name again give the asset that is there.

    Problem 422 as in `images.open_checked`, 503 when the disk is full.
    """
    data = file.read(images.MAX_BYTES + 1)
    if len(data) > images.MAX_BYTES:
        raise images.too_large("20 MB is the most")
    fields = _stored(data)
    named = {"owner": owner, "name": one_line(name)[:255]}
    known = Asset.objects.filter(**named, digest=fields["digest"], source_digest="").first()
    return known or Asset.objects.create(**named, **fields)


def resolve(*, owner: User, url: str, seconds: float = 10.0) -> Asset:
    """The owner's asset that an address means: our own address of it, or a remote image, fetched once and kept.

    Takes at most `seconds` for the network. Problem 422: image_url_refused, image_unreachable, and those of
    `images.open_checked`; 503 when the disk is full.
    """
    asset_id = asset_id_of(url)
    if asset_id is not None:
        return _own_asset(owner, asset_id)
    source_digest = hashlib.sha256(url.encode()).hexdigest()
    known = Asset.objects.filter(owner=owner, source_digest=source_digest).first()
    return known or _store_remote(owner, url, source_digest, _fetch(url, seconds))


def data_uri(asset: Asset) -> str:
    """The stored picture as models get it: a JPEG data URI of at most 2048 pixels a side."""
    with storage.open_file(str(asset.file)) as file:
        return decoder.data_uri(file.read())


def _own_asset(owner: User, asset_id: UUID) -> Asset:
    asset = Asset.objects.filter(id=asset_id, owner=owner).first()
    if asset is None:
        raise Problem(
            422, "image_url_refused", "There is no such image among yours.", "Upload it again, or use another."
        )
    return asset


def _store_remote(owner: User, url: str, source_digest: str, data: bytes) -> Asset:
    parts = urlsplit(url)
    described = {
        **_stored(data),
        "name": parts.path.rpartition("/")[2][:255],
        # What follows the path may be a signature that gives access: it is used once and not kept.
        "source_url": urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))[:2048],
    }
    # Two tabs may fetch the same address at once: the constraint lets one row in, and both get it.
    asset, _ = Asset.objects.get_or_create(owner=owner, source_digest=source_digest, defaults=described)
    return asset


def _stored(data: bytes) -> dict[str, object]:
    """The files on disk, and the fields of the row that will name them. Files first: a row never names nothing."""
    prepared = decoder.prepare(data)
    encoded = prepared.encoded
    digest = hashlib.sha256(encoded.data).hexdigest()
    file = storage.content_path("assets", digest, encoded.suffix)
    thumbnail = storage.content_path("thumbnails", digest, ".webp")
    storage.write_once(file, encoded.data)
    storage.write_once(thumbnail, prepared.thumbnail)
    return {
        "file": file,
        "thumbnail": thumbnail,
        "digest": digest,
        "width": encoded.width,
        "height": encoded.height,
        "bytes": len(encoded.data),
    }


def _fetch(url: str, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    try:
        return _fetch_once(url, seconds * _FIRST_TRY)
    except http.HttpFailure as failure:
        if not failure.timed_out:
            raise _fetch_problem(failure) from failure
    try:
        return _fetch_once(url, deadline - time.monotonic())
    except http.HttpFailure as failure:
        raise _fetch_problem(failure) from failure


def _fetch_once(url: str, seconds: float) -> bytes:
    reply = http.send(
        "GET",
        url,
        headers=_HEADERS,
        seconds=seconds,
        max_bytes=images.MAX_BYTES,
        public_only=True,
        allow_redirects=_REDIRECTS,
    )
    if reply.status != 200:
        host = urlsplit(url).hostname
        raise _unreachable(f"{host} answered {reply.status} instead of the image.")
    return reply.body


def _fetch_problem(failure: http.HttpFailure) -> Problem:
    if isinstance(failure, http.Blocked):
        return Problem(
            422, "image_url_refused", failure.detail, "Use an https:// address on the public internet, or upload it."
        )
    if isinstance(failure, http.TooLarge):
        return images.too_large("20 MB is the most")
    return _unreachable(f"The image cannot be fetched. {failure.detail}")


def _unreachable(detail: str) -> Problem:
    return Problem(
        422, "image_unreachable", detail, "Open the address in a browser to see whether it works, or upload the image."
    )
