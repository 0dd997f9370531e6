"""Which of a person's pictures something still names, and what goes with the rows that were the last to name one."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.assets import use
from apps.assets.library import delete, digest_of
from apps.assets.models import Asset
from apps.assets.urls import asset_id_of
from apps.jobs.states import LIVE
from apps.studio.models import ImageJob, PromptJob, Row, Workspace


@dataclass(frozen=True)
class Named:
    """Assets, by their ids and by the digests of the addresses that they were fetched from."""

    ids: set[UUID]
    digests: set[str]

    def __contains__(self, asset: Asset) -> bool:
        return asset.pk in self.ids or (asset.source_digest != "" and asset.source_digest in self.digests)


def named_by(owner_id: int) -> Named:
    """What the owner's rows, workspaces and jobs name. Rows that were put away count, since they may be brought back;
    jobs that are over, or asked to stop, need no picture."""
    rows = Row.everything.filter(workspace__owner=owner_id).values_list("target_url", "ref_urls")
    live = {"job__owner": owner_id, "job__status__in": LIVE, "job__cancel_requested_at": None}
    urls: set[str] = set()
    for target, references in rows.iterator():
        urls.update([target, *(references or [])])
    for references in Workspace.everything.filter(owner=owner_id).values_list("default_ref_urls", flat=True):
        urls.update(references)
    for pictures in ImageJob.objects.filter(**live).values_list("image_urls", flat=True):
        urls.update(pictures)
    for target, references in PromptJob.objects.filter(**live).values_list("target_url", "ref_urls"):
        urls.update([target, *references])
    return named_in(urls)


def named_in(urls: Iterable[str]) -> Named:
    named = Named(set(), set())
    for url in filter(None, urls):
        asset_id = asset_id_of(url)
        if asset_id:
            named.ids.add(asset_id)
        else:
            named.digests.add(digest_of(url))
    return named


def forget_pictures(owner_id: int, urls: Iterable[str]) -> None:
    """After the rows that named them are gone: the owner's assets among them go that nothing else names."""
    gone = named_in(urls)
    assets = Asset.objects.filter(owner=owner_id)
    candidates = [*assets.filter(pk__in=gone.ids), *assets.filter(source_digest__in=gone.digests)]
    if candidates:
        still = use.in_use(owner_id)
        delete([asset for asset in candidates if asset not in still])
