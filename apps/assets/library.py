"""How an image becomes an asset of somebody, and stops being one: uploaded, or fetched from an address they gave."""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.assets import decoder, images, storage
from apps.assets.decoder import Prepared
from apps.assets.fetching import fetch
from apps.assets.models import Asset
from apps.assets.space import admit, no_room, space_of
from apps.assets.sweep import remove_now
from apps.assets.urls import asset_id_of
from apps.core.addresses import as_browsers_send_it
from apps.core.errors import Problem
from apps.core.text import one_line

log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=5)  # so long an address is not asked again whether its picture has changed


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def store_upload(*, owner: User, file: Readable, name: str, max_bytes: int = images.MAX_BYTES) -> Asset:
    """Checks, re-encodes and stores what was uploaded; the same picture and name again give the asset that is there.

    Problem 422 as in `images.open_checked`, 409 when the owner has no room left, 503 when the disk is full.
    """
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise images.too_large(f"{max_bytes / 1e6:.0f} MB is the most")
    prepared = _prepared(owner, data, max_bytes=max_bytes)
    named = {"owner": owner, "name": one_line(name)[:255]}
    digest = _digest(prepared)
    with _kept(prepared):
        known = Asset.objects.filter(**named, digest=digest, source_digest="").first()
        if known is None:
            admit(owner, len(prepared.encoded.data))
        return known or Asset.objects.create(**named, **_described(prepared))


def resolve(*, owner: User, url: str, seconds: float = 10.0, again: bool = False) -> Asset:
    """The owner's asset that an address means: our own address of it, or a remote image, fetched and kept.

    A picture that was fetched more than five minutes ago is asked for anew, at once with `again`. One that has changed
    becomes a new asset; where its host cannot be asked, the one that we have stands, unless `again` was said.
    Takes at most `seconds` for the network. Problem 422 as of `fetching.fetch` and `images.open_checked`; 409 and 503
    as of `store_upload`.
    """
    asset_id = asset_id_of(url)
    if asset_id is not None:
        return _own_asset(owner, asset_id)
    address, source_digest = as_browsers_send_it(url), digest_of(url)
    known = Asset.objects.filter(owner=owner, source_digest=source_digest).first()
    if known and not again and _is_fresh(known):
        return known
    try:
        return _fetched(owner, address, source_digest, known, seconds)
    except Problem as problem:
        if known is None or again:
            raise
        log.info("kept_an_older_picture", asset=str(known.pk), code=problem.code)
        return known


def must_ask_for_one_of(owner: User, urls: Collection[str]) -> bool:
    """Whether `resolve` would ask the host of one of these remote addresses."""
    digests = {digest_of(url) for url in urls}
    fresh = {
        one.source_digest for one in Asset.objects.filter(owner=owner, source_digest__in=digests) if _is_fresh(one)
    }
    return fresh != digests


def digest_of(url: str) -> str:
    """By which a remote address is known again: however it was pasted."""
    return hashlib.sha256(as_browsers_send_it(url).encode("utf-8", "surrogatepass")).hexdigest()


def _is_fresh(asset: Asset) -> bool:
    return abs(timezone.now() - (asset.fetched_at or asset.created_at)) < FRESH


def data_uri(asset: Asset) -> str:
    """The stored picture as models get it: a JPEG data URI of at most 2048 pixels a side."""
    with storage.open_file(str(asset.file)) as file:
        return decoder.data_uri(file.read())


def delete(assets: Collection[Asset]) -> None:
    """Removes the assets, and their files unless another row names them."""
    with transaction.atomic():
        Asset.objects.filter(pk__in=[asset.pk for asset in assets]).delete()
        remove_now([str(path) for asset in assets for path in (asset.file, asset.thumbnail)])


def _own_asset(owner: User, asset_id: UUID) -> Asset:
    asset = Asset.objects.filter(id=asset_id, owner=owner).first()
    if asset is None:
        raise Problem(
            422, "image_url_refused", "There is no such image among yours.", "Upload it again, or use another."
        )
    return asset


def _fetched(owner: User, address: str, source_digest: str, known: Asset | None, seconds: float) -> Asset:
    told = {"etag": known.etag, "last_modified": known.last_modified} if known else {}
    found = fetch(address, owner_id=owner.pk, seconds=seconds, **told)
    said = {"fetched_at": timezone.now(), "etag": found.etag, "last_modified": found.last_modified}
    if known and found.data is None:
        return _still(known, said)
    prepared = _prepared(owner, found.data or b"")
    if known and known.digest == _digest(prepared):
        return _still(known, said)
    return _store_remote(owner, address, source_digest, known, prepared, said)


def _still(known: Asset, said: dict[str, object]) -> Asset:
    """The address gave the same picture."""
    Asset.objects.filter(pk=known.pk).update(**said)
    known.refresh_from_db()
    return known


def _store_remote(
    owner: User, address: str, source_digest: str, known: Asset | None, prepared: Prepared, said: dict[str, object]
) -> Asset:
    parts = urlsplit(address)
    described = {
        **_described(prepared),
        **said,
        "name": parts.path.rpartition("/")[2][:255],
        # What follows the path may be a signature that gives access: it is used once and not kept.
        "source_url": urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))[:2048],
    }
    with _kept(prepared):
        admit(owner, len(prepared.encoded.data))
        if known:
            # Jobs that were made with the older picture keep it; the address means the newer one from now on.
            Asset.objects.filter(pk=known.pk).update(source_digest="")
        # Two tabs may fetch the same address at once: the constraint lets one row in, and both get it.
        asset, _ = Asset.objects.get_or_create(owner=owner, source_digest=source_digest, defaults=described)
        return asset


def _prepared(owner: User, data: bytes, *, max_bytes: int = images.MAX_BYTES) -> Prepared:
    """Nothing is opened for whom no picture would be kept."""
    space = space_of(owner)
    if space.limit and space.used >= space.limit:
        raise no_room(space, len(data))
    return decoder.prepare(data, max_bytes=max_bytes, person=owner.pk)


def _digest(prepared: Prepared) -> str:
    return hashlib.sha256(prepared.encoded.data).hexdigest()


def _described(prepared: Prepared) -> dict[str, object]:
    """The fields of the row that names the files."""
    encoded, digest = prepared.encoded, _digest(prepared)
    return {
        "file": storage.content_path("assets", digest, encoded.suffix),
        "thumbnail": storage.content_path("thumbnails", digest, ".webp"),
        "digest": digest,
        "width": encoded.width,
        "height": encoded.height,
        "bytes": len(encoded.data),
    }


@contextmanager
def _kept(prepared: Prepared) -> Iterator[None]:
    """A transaction for the row that names the files. They are written before it: a row never names nothing.

    And looked at after it: whoever deleted the last row of the same content meanwhile may have taken them (sweep.py).
    """
    _write(prepared)
    with transaction.atomic():
        transaction.on_commit(partial(_write, prepared))
        yield


def _write(prepared: Prepared) -> None:
    fields = _described(prepared)
    storage.write_once(str(fields["file"]), prepared.encoded.data)
    storage.write_once(str(fields["thumbnail"]), prepared.thumbnail)
