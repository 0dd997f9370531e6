"""Packs: six images asked for together, gone on with, restyled; and one image made again without touching the others.

The parent and its children are made in one transaction, with the cut-out that they share: it is a job of its own, and
whoever else wants the same one waits for the same job.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.core.errors import Problem, not_found
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.states import LIVE, AfterChildren
from apps.jobs.values import NewJob
from apps.listings.cutouts import Wanted, want
from apps.listings.models import ImageOrder, ImageType, Pack, Project
from apps.listings.owned import subject_of
from apps.listings.photos import require_photo
from apps.listings.quotes import PAINTED, pack_quote, wanted_for_cutout, wanted_for_scene
from apps.listings.requirements import lacking_of
from apps.listings.stages import WAITING_FOR_CUTOUT
from apps.orders import budgets

PRIORITY = 5
# Drawn images first: they are ready while the painted ones are on their way.
ORDER = (
    ImageType.MAIN,
    ImageType.FEATURE,
    ImageType.LIFESTYLE,
    ImageType.INFOGRAPHIC,
    ImageType.COMPARISON,
    ImageType.DIMENSIONS,
)
Within = Callable[[Sequence[int]], object]


@dataclass(frozen=True)
class Started:
    """A pack with the jobs of its children by their type. `existing`: it was open already."""

    pack: Pack
    children: dict[str, Job]
    existing: bool = False


def start_pack(
    project: Project,
    *,
    style: str = "",
    only_missing: bool = False,
    priority: int = PRIORITY,
    within: Within = lambda _job_ids: None,
) -> Started:
    """Opens a pack in a style, or answers with the one that is open. `within` as in Studio's services.

    `only_missing` goes on with the newest pack. Problem 422 photo_missing; 409 pack_not_resumable.
    """
    photo = require_photo(project)
    with transaction.atomic():
        _hold_alone(project)
        open_one = open_pack(project)
        if open_one:
            return Started(open_one, children_of(open_one), existing=True)
        if only_missing:
            pack = _to_resume(project)
        else:
            missing = lacking_of(project)
            types = [each for each in ORDER if each not in missing]
            pack = Pack.objects.create(
                project=project,
                style=style or project.style,
                types=[str(each) for each in types],
                lacking=missing,
                quoted_usd=pack_quote(project, types).money.total,
            )
        wanted = [each for each in pack.types if each not in _made_types(pack)]
        wanted_cutout = want(project, photo, priority=priority)
        made = _make_family(pack, wanted, wanted_cutout, photo_digest=photo.asset.digest, priority=priority)
        within([pack.job_id or 0, *made.values()])
        _set_aside(project, made, wanted_cutout)
    return Started(pack, children_of(pack))


def _to_resume(project: Project) -> Pack:
    """The newest pack, wanting what is missing and can be made by now."""
    pack = project.packs.order_by("-created_at").first()
    lacks = lacking_of(project)
    if pack:
        pack.types = [str(each) for each in ORDER if each not in lacks]
        pack.lacking = lacks
        pack.save(update_fields=["types", "lacking"])
    if pack is None or not set(pack.types) - _made_types(pack):
        raise Problem(
            409,
            "pack_not_resumable",
            "Nothing that can be made is missing." if pack else "There is no pack to go on with.",
            "Start a pack." if pack is None else "Add the facts that are asked for, or redo an image.",
            {"lacking": lacks},
        )
    return pack


def make_image(
    project: Project,
    image_type: str,
    *,
    style: str = "",
    scene: str = "",
    anew: bool = False,
    priority: int = PRIORITY,
    within: Within = lambda _job_ids: None,
) -> Job:
    """One image alone; the others keep what they have. One that is under way already is answered with.

    `anew`: a painted one is paid for although the same was painted before. Problem 422 facts_missing, photo_missing.
    """
    photo = require_photo(project)
    lacks = lacking_of(project).get(image_type)
    if lacks:
        raise Problem(
            422,
            "facts_missing",
            f"This image needs what is not among the facts: {', '.join(lacks).replace('_', ' ')}.",
            "Add it to the facts, then make the image.",
            {"missingFacts": lacks},
        )
    with transaction.atomic():
        _hold_alone(project)
        under_way = live_order(project, image_type)
        if under_way:
            return under_way.job
        pack = project.packs.order_by("-created_at").first()
        wanted_cutout = want(project, photo, priority=priority)
        new = _new_job(project, image_type, wanted_cutout, priority)
        job_id = lifecycle.enqueue([new])[new.uid]
        ImageOrder.objects.create(
            job_id=job_id,
            project=project,
            pack=pack,
            image_type=image_type,
            style=style or (pack.style if pack else project.style),
            photo_digest=photo.asset.digest,
            cutout=wanted_cutout.cutout,
            scene=scene,
            made_by="redo",
            anew=anew,
        )
        within([job_id])
        _set_aside(project, {image_type: job_id}, wanted_cutout)
    return Job.objects.get(pk=job_id)


def finish_what_facts_allow(project: Project) -> list[Job]:
    """Images of the newest pack that waited for facts which are there now: drawn by us, so they cost nothing."""
    pack = project.packs.order_by("-created_at").first()
    if pack is None or not pack.lacking or open_pack(project):
        return []
    still = lacking_of(project)
    ready = [each for each in pack.lacking if each not in still and each not in PAINTED]
    made = [make_image(project, each) for each in ready if each not in _made_types(pack)]
    Pack.objects.filter(pk=pack.pk).update(
        lacking=still, types=[str(each) for each in ORDER if each in pack.types or each in ready]
    )
    ImageOrder.objects.filter(job__in=made).update(made_by="pack")
    return made


def open_pack(project: Project) -> Pack | None:
    return Pack.objects.filter(project=project, job__status__in=LIVE).order_by("-created_at").first()


def live_order(project: Project, image_type: str) -> ImageOrder | None:
    orders = ImageOrder.objects.filter(project=project, image_type=image_type, job__status__in=LIVE)
    return orders.filter(job__cancel_requested_at=None).select_related("job").first()


def children_of(pack: Pack) -> dict[str, Job]:
    """The newest job of each type of the pack, in the order of its types."""
    orders = ImageOrder.objects.filter(pack=pack).select_related("job").order_by("job_id")
    newest = {order.image_type: order.job for order in orders}
    return {each: newest[each] for each in ImageType.values if each in newest}


def _made_types(pack: Pack) -> set[str]:
    return set(pack.images.filter(late=False).values_list("image_type", flat=True))


def _hold_alone(project: Project) -> None:
    """Of two who start at once the second waits here for the first one's jobs."""
    if not Project.objects.select_for_update(no_key=True).filter(pk=project.pk).exists():
        raise not_found("project")


def _make_family(
    pack: Pack, types: Sequence[str], wanted: Wanted, *, photo_digest: str, priority: int
) -> dict[str, int]:
    project = pack.project
    parent = NewJob(
        kind="pack",
        owner_id=project.owner_id,
        subject=subject_of(project.pk),
        priority=priority,
        after_children=AfterChildren.END,
        plan={"pack": str(pack.pk), "types": list(types), "photo": photo_digest},
        dedupe_key=f"pack:{project.pk}",
    )
    pack.job_id = lifecycle.enqueue([parent])[parent.uid]
    pack.save(update_fields=["job"])
    children = {each: child_of(project, pack.job_id, each, wanted, priority) for each in types}
    ids = lifecycle.enqueue(list(children.values()))
    made = {each: ids[child.uid] for each, child in children.items()}
    add_orders(pack, made, wanted, photo_digest=photo_digest)
    lifecycle.seal(pack.job_id)
    return made


def child_of(project: Project, parent_id: int, image_type: str, wanted: Wanted, priority: int) -> NewJob:
    return _new_job(project, image_type, wanted, priority, parent_id=parent_id, slot=image_type)


def _new_job(project: Project, image_type: str, wanted: Wanted, priority: int, **more: Any) -> NewJob:
    return NewJob(
        kind="scene" if image_type in PAINTED else "picture",
        owner_id=project.owner_id,
        subject=subject_of(project.pk),
        priority=priority,
        waits_for_id=wanted.waits_for,
        stage=WAITING_FOR_CUTOUT if wanted.waits_for else "",
        **more,
    )


def add_orders(pack: Pack, made: dict[str, int], wanted: Wanted, *, photo_digest: str) -> None:
    """What each child was asked, beside its job."""
    ImageOrder.objects.bulk_create(
        [
            ImageOrder(
                job_id=job_id,
                project=pack.project,
                pack=pack,
                image_type=image_type,
                style=pack.style,
                photo_digest=photo_digest,
                cutout=wanted.cutout,
            )
            for image_type, job_id in made.items()
        ]
    )


def _set_aside(project: Project, made: dict[str, int], wanted: Wanted) -> None:
    """Last in the transaction: everybody waits for the budgets' locks."""
    owner_id = project.owner_id
    asked = [wanted_for_scene(job_id, owner_id) for each, job_id in made.items() if each in PAINTED]
    if wanted.waits_for and wanted.cutout.method == "removebg":
        asked.insert(0, wanted_for_cutout(wanted.waits_for, owner_id))
    budgets.set_aside(asked)
