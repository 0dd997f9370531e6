"""Cut-outs: one of a photograph and a way for each owner, made by one job and shared by whoever needs it.

Of the ways that are there the seller's own wins, then the one chosen last. Two packs, a redo and a second tab that ask at
once get one job: they take turns by a lock of its own.
"""

import hashlib
from dataclasses import dataclass

from django.db import transaction

from apps.assets import decoder, storage
from apps.assets.library import Readable
from apps.assets.models import Asset
from apps.assets.storage import open_file
from apps.core.database import Locks, lock_names
from apps.core.errors import Problem
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.states import LIVE
from apps.jobs.values import NewJob
from apps.listings.models import Cutout, Project, SourcePhoto
from apps.listings.owned import subject_of
from apps.providers.registry import PROVIDERS

MOST_BYTES = 60_000_000
SMALLEST_SHARE, LARGEST_SHARE = 0.03, 0.95


@dataclass(frozen=True)
class Wanted:
    """The cut-out that images are made from, and the job that they wait for; none when it is there."""

    cutout: Cutout
    waits_for: int | None

    @property
    def is_there(self) -> bool:
        return bool(self.cutout.file)


def standing(owner_id: int, photo: Asset) -> Cutout | None:
    """The one that is there, of the way that was chosen last."""
    made = Cutout.objects.filter(owner_id=owner_id, photo_digest=photo.digest).exclude(file="")
    return made.order_by("-chosen_at").first()


def usual_method() -> str:
    """remove.bg where it is set up; else our own quick one, which says when a ground is too lively for it."""
    provider = PROVIDERS["removebg"]
    return Cutout.Method.REMOVEBG if provider.has_key or provider.simulated else Cutout.Method.QUICK


def want(project: Project, photo: SourcePhoto, *, method: str = "", anew: bool = False, priority: int) -> Wanted:
    """In the transaction that makes whoever waits for it. `anew` pays for another although one is there."""
    owner_id, asset = project.owner_id, photo.asset
    there = None if anew or method else standing(owner_id, asset)
    if there:
        return Wanted(there, None)
    method = method or usual_method()
    lock_names(Locks.CUTOUT, [f"{owner_id}:{asset.digest}:{method}"])
    Cutout.objects.bulk_create(
        [Cutout(owner_id=owner_id, photo_digest=asset.digest, photo=asset, method=method)], ignore_conflicts=True
    )
    cutout = Cutout.objects.get(owner_id=owner_id, photo_digest=asset.digest, method=method)
    # The job is locked, never the row: a worker that finishes holds its job when it comes to the row. And so that it
    # does not end between this look and the first moment in which somebody waits for it.
    jobs = Job.objects.select_for_update().filter(pk=cutout.job_id or 0, status__in=LIVE, cancel_requested_at=None)
    if jobs.first():
        return Wanted(cutout, cutout.job_id)
    cutout.refresh_from_db()
    if cutout.file and not anew:
        cutout.save(update_fields=["chosen_at"])
        return Wanted(cutout, None)
    new = NewJob(
        kind="cutout",
        owner_id=owner_id,
        subject=subject_of(project.pk),
        priority=priority,
        provider="removebg" if method == Cutout.Method.REMOVEBG else "",
        stage="",
    )
    cutout.job_id = lifecycle.enqueue([new])[new.uid]
    cutout.photo = asset
    cutout.save(update_fields=["job", "photo", "chosen_at"])
    return Wanted(cutout, cutout.job_id)


def make_alone(project: Project, photo: SourcePhoto, *, method: str, anew: bool, priority: int) -> Job | None:
    """Asked for by itself: the job that makes it, None when it is there already."""
    with transaction.atomic():
        wanted = want(project, photo, method=method, anew=anew, priority=priority)
    return Job.objects.get(pk=wanted.waits_for) if wanted.waits_for else None


def bring(project: Project, photo: SourcePhoto, *, file: Readable) -> Cutout:
    """The seller's own cut-out: a PNG or WebP whose ground is transparent. Problem 422 when it is not one."""
    data = file.read(MOST_BYTES + 1)
    prepared = decoder.prepare(data, max_bytes=MOST_BYTES, person=project.owner_id)
    if prepared.encoded.suffix != ".png":
        raise Problem(
            422,
            "cutout_unusable",
            "Nothing in this picture is transparent, so it is no cut-out.",
            "Bring a PNG or WebP of the product alone, its ground transparent.",
        )
    path = storage.content_path("images", digest_of(prepared.encoded.data), ".png")
    storage.write_once(path, prepared.encoded.data)
    cutout, _ = Cutout.objects.update_or_create(
        owner_id=project.owner_id,
        photo_digest=photo.asset.digest,
        method=Cutout.Method.UPLOAD,
        defaults={"photo": photo.asset, "file": path, "bytes": len(prepared.encoded.data), "report": {}},
    )
    storage.write_once(path, prepared.encoded.data)  # the sweep may have taken an unnamed one of the same content
    return cutout


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def data_of(cutout: Cutout) -> bytes:
    """FileNotFoundError when the disk has lost it."""
    with open_file(str(cutout.file)) as stored:
        return stored.read()
