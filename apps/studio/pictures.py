"""The pictures a row names by URL, as assets of its owner: checked before anything is queued."""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from uuid import UUID

from apps.accounts.models import User
from apps.assets.library import must_ask_for_one_of, resolve, store_upload
from apps.assets.models import Asset
from apps.assets.storage import content_type, open_file
from apps.assets.urls import asset_id_of, asset_url
from apps.core.addresses import AddressRefused, check_public
from apps.core.errors import Problem, Remedy, invalid
from apps.jobs.values import Failure
from apps.studio.links import image_id_of
from apps.studio.models import GeneratedImage
from apps.studio.results import MOST_BYTES

LOOK_SECONDS = 8.0  # for all the pictures of a request: somebody waits for the answer, and a thread with them
FIELDS = {"target_url": "targetUrl", "ref_urls": "refUrls", "default_ref_urls": "defaultRefUrls"}
MOST_REFERENCES = 9  # the image models take ten pictures, and the target is one of them


def checked(owner: User, urls: Sequence[str], *, field: str, ends: float) -> list[str]:
    """Our own URL of each picture, in order, asking for none after `ends` (time.monotonic()).

    Problem 422, naming the field, for the first that cannot be used.
    """
    _check_number(urls, field)
    return [asset_url(_checked(owner, url, field, ends)) for url in urls]


def soon() -> float:
    """Until when the pictures of a request may be asked for, its references and its target together."""
    return time.monotonic() + LOOK_SECONDS


def check_addresses(owner: User, *given: Mapping[str, object]) -> None:
    """Whether the addresses of rows or workspaces can mean pictures at all, as far as we know without asking others.

    `given` as they are set: target_url, ref_urls, default_ref_urls. Problem 422 names the field and what is wrong: one
    of another person's pictures, of no picture any more, not http or https, or plainly not on the public internet.
    """
    named = [
        (url, field) for fields in given for name, field in FIELDS.items() for url in _urls(fields.get(name), field)
    ]
    ids = {url: (asset_id_of(url), image_id_of(url)) for url, _ in named}
    theirs = {"owner": owner}
    mine = {
        *Asset.objects.filter(pk__in=[one for one, _ in ids.values() if one], **theirs).values_list("pk", flat=True)
    }
    made = GeneratedImage.objects.filter(pk__in=[one for _, one in ids.values() if one], **theirs)
    mine.update(made.values_list("pk", flat=True))
    for url, field in named:
        own = ids[url][0] or ids[url][1]
        if own is None:
            _check_remote(url, field)
        elif own not in mine:
            raise _refused(field, "There is no such image among yours.", "Upload it again, or use another.")


def _urls(given: object, field: str) -> list[str]:
    urls = [given] if isinstance(given, str) else list(given or [])  # type: ignore[call-overload]
    _check_number(urls, field)
    return [url for url in urls if url]


def _check_number(urls: Sequence[str], field: str) -> None:
    if len(urls) > MOST_REFERENCES:
        raise invalid(
            field, f"{len(urls)} references are too many: the image models take {MOST_REFERENCES}.", "Remove some."
        )


def _check_remote(url: str, field: str) -> None:
    try:
        check_public(url)
    except AddressRefused as error:
        raise _refused(field, str(error), "Use an https:// address on the public internet, or upload it.") from error


def _refused(field: str, detail: str, action: str) -> Problem:
    return Problem(422, "image_url_refused", detail, action, {"errors": {field: [detail]}})


def _checked(owner: User, url: str, field: str, ends: float) -> Asset:
    try:
        return _made_here(owner, url) or resolve(owner=owner, url=url, seconds=max(ends - time.monotonic(), 1.0))
    except Problem as problem:
        problem.extra.setdefault("errors", {field: [problem.detail]})
        raise


def must_be_fetched(owner: User, urls: Sequence[str]) -> bool:
    """Whether a host must be asked for one of them: a stranger's address that was not fetched just now."""
    strange = {url for url in urls if url and asset_id_of(url) is None and image_id_of(url) is None}
    return must_ask_for_one_of(owner, strange)


def _made_here(owner: User, url: str) -> Asset | None:
    """A picture that Pressroom generated may be the target or a reference of the next, however large it came."""
    image_id = image_id_of(url)
    image = GeneratedImage.objects.filter(pk=image_id, owner=owner).first() if image_id else None
    if image is None:
        return None
    name = f"image {image.pk}"
    known = Asset.objects.filter(owner=owner, name=name, source_digest="").first()
    if known:
        return known
    with open_file(str(image.file)) as file:
        return store_upload(owner=owner, file=file, name=name, max_bytes=MOST_BYTES)


def assets_of(urls: Sequence[str]) -> list[Asset]:
    """The assets behind URLs that were checked, in order. Problem when one was deleted meanwhile."""
    ids: list[UUID | None] = [asset_id_of(url) for url in urls]
    found = Asset.objects.in_bulk([asset_id for asset_id in ids if asset_id])
    if any(asset_id not in found for asset_id in ids):
        raise Problem(422, "picture_deleted", "A picture of this row was deleted.", "Add it again.")
    return [found[asset_id] for asset_id in ids if asset_id]


def picture_failure(problem: Problem) -> Failure:
    """What a picture that cannot be used means for the job that needs it: another one, unless our own storage is away."""
    remedy = Remedy.RETRY if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Remedy.NEW_TARGET
    return Failure(problem.code, problem.detail, problem.action, remedy)


def content_of(asset: Asset) -> tuple[bytes, str, str]:
    """The stored file's bytes, a file name for it, and its media type."""
    name = str(asset.file)
    with open_file(name) as file:
        return file.read(), f"{asset.digest[:16]}{name[name.rindex('.') :]}", content_type(name)
