"""Exports as people ask for them: made by a job where images must be resized, at once where they fit as they are."""

from collections.abc import Iterator
from uuid import UUID

import structlog
from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.accounts.models import User
from apps.assets.storage import open_file, size_of
from apps.core.errors import Problem, not_found
from apps.jobs import lifecycle
from apps.jobs.values import NewJob
from apps.listings.export.making import OWN_SIDE, Frozen, as_json, freeze, from_json, images_for
from apps.listings.export.zipping import length_of, pieces
from apps.listings.models import APlusPage, Export, ListingImage, Project
from apps.listings.owned import subject_of
from apps.listings.rules.presets import PRESETS

log = structlog.get_logger(__name__)


def ask(project: Project, platform: str, *, with_words: bool = False, priority: int = 8) -> Export:
    """The export of what counts now: the one that is there, or a new one. Problem 409 export_not_ready."""
    images, left_out = images_for(project, platform, with_words=with_words)
    key = {
        "platform": platform,
        "words": with_words,
        "preset": PRESETS[platform].version,
        "versions": [str(one.pk) for one in images],
        "aplus": _aplus_of(project) if platform == "amazon" else [],
    }
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        known = Export.objects.filter(project=project, asked=key).exclude(status=Export.Status.FAILED).first()
        if known:
            return known
        export = Export(project=project, owner_id=project.owner_id, platform=platform, asked=key)
        if PRESETS[platform].side == OWN_SIDE:
            return finish(export, freeze(project, platform, [(one, str(one.file)) for one in images], left_out))
        new = NewJob(kind="export", owner_id=project.owner_id, subject=subject_of(project.pk), priority=priority)
        export.job_id = lifecycle.enqueue([new])[new.uid]
        export.save(force_insert=True)
    return export


def _aplus_of(project: Project) -> list[str]:
    """The A+ pages that are ready, as they are now: when one changes, the export is another."""
    ready = APlusPage.objects.filter(project=project, status=APlusPage.Status.READY).order_by("pk")
    return [f"{pk}:{revision}" for pk, revision in ready.values_list("pk", "revision")]


def finish(export: Export, frozen: Frozen) -> Export:
    """Everything is known: from now on the same bytes are sent each time."""
    export.frozen, export.digest = as_json(frozen), frozen.digest
    export.bytes = length_of(frozen.entries)
    export.status = Export.Status.READY
    export.save()
    return export


def find_export(user: User, project_id: UUID, export_id: UUID) -> Export:
    export = Export.objects.filter(pk=export_id, project_id=project_id, owner=user).first()
    if export is None:
        raise not_found("export")
    return export


def file_of(export: Export) -> StreamingHttpResponse:
    """The archive, streamed. Problem 409 before the first byte when it is not ready, or a file is not what it was."""
    if export.status != Export.Status.READY:
        raise Problem(
            409,
            "export_not_ready",
            "The export is being made." if export.status == Export.Status.MAKING else "The export failed.",
            "Ask again in a moment." if export.status == Export.Status.MAKING else "Export it again.",
        )
    frozen = from_json(export.frozen)
    changed = [entry.name for entry in frozen.entries if entry.path and size_of(entry.path) != entry.size]
    if changed:
        Export.objects.filter(pk=export.pk).update(status=Export.Status.FAILED)
        raise Problem(
            409,
            "export_source_changed",
            f"{changed[0]} is not on the disk any more as it was exported.",
            "Make that image again, then export anew.",
            {"files": changed},
        )
    response = StreamingHttpResponse(_sent(export.pk, frozen), content_type="application/zip")
    response["Content-Length"] = str(length_of(frozen.entries))
    response["Content-Disposition"] = content_disposition_header(True, frozen.name) or ""
    response["Cache-Control"] = "no-store"
    response["ETag"] = f'"{export.digest}"'
    return response


def _sent(export_id: UUID, frozen: Frozen) -> Iterator[bytes]:
    try:
        yield from pieces(frozen.entries, opened=open_file)
    except OSError as error:
        log.error("export_broke", export=str(export_id), reason=type(error).__name__)
        Export.objects.filter(pk=export_id).update(status=Export.Status.FAILED)
        raise


def images_of(export: Export) -> list[ListingImage]:
    """The frozen versions, in their order."""
    found = ListingImage.objects.in_bulk([UUID(each) for each in export.asked["versions"]])
    return [found[UUID(each)] for each in export.asked["versions"] if UUID(each) in found]
