"""How a project stands: of each of its six images which version counts, what is under way and what it waits for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.jobs.models import Job
from apps.jobs.states import LIVE, Status
from apps.listings.models import ImageOrder, ImageType, ListingImage, Pack, Project, Slot
from apps.listings.requirements import lacking_of
from apps.providers.models import Call

DRAFT, PROCESSING, COMPLETED, PARTIAL, FAILED, CANCELLED = (
    "draft",
    "processing",
    "completed",
    "partial",
    "failed",
    "cancelled",
)
PACK_STATUSES = ("queued", PROCESSING, COMPLETED, PARTIAL, FAILED, CANCELLED)
PROJECT_STATUSES = (DRAFT, PROCESSING, COMPLETED, PARTIAL, FAILED)
SLOT_STATES = ("empty", "needs_facts", "queued", "processing", "completed", "failed", "cancelled")


@dataclass(frozen=True)
class SlotStand:
    """`state`: what its newest job does, or that there is none; an image may be there whatever that says."""

    image_type: str
    chosen: ListingImage | None = None
    versions: Sequence[ListingImage] = ()
    job: Job | None = None
    lacking: Sequence[str] = ()

    @property
    def label(self) -> str:
        return str(ImageType(self.image_type).label)

    @property
    def state(self) -> str:
        if self.job and self.job.status in LIVE:
            return "processing" if self.job.status == Status.PROCESSING else "queued"
        if self.job and self.job.status in (Status.FAILED, Status.CANCELLED):
            return str(self.job.status)
        if self.chosen:
            return "completed"
        return "needs_facts" if self.lacking else "empty"


@dataclass(frozen=True)
class Stand:
    """A project's slots in their order, its newest pack and what that has cost so far (USD)."""

    project: Project
    slots: Sequence[SlotStand]
    pack: Pack | None = None
    cost: Decimal = Decimal(0)
    lacking: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ready(self) -> int:
        return sum(slot.chosen is not None for slot in self.slots)

    @property
    def live(self) -> bool:
        return any(slot.state in ("queued", "processing") for slot in self.slots)

    @property
    def pack_status(self) -> str:
        return pack_status(self.pack, self.slots) if self.pack else ""

    @property
    def status(self) -> str:
        told = self.pack_status
        if self.live:
            return PROCESSING
        if not told:
            return DRAFT
        return {"queued": PROCESSING, CANCELLED: PARTIAL if self.ready else DRAFT}.get(told, told)


def pack_status(pack: Pack, slots: Sequence[SlotStand]) -> str:
    """From the images of this pack and the jobs under way. It never hangs: when nothing is under way it has ended."""
    theirs = {slot.image_type for slot in slots for image in slot.versions if image.pack_id == pack.pk}
    under_way = [slot for slot in slots if slot.job and slot.job.status in LIVE]
    if under_way:
        started = any(slot.job and slot.job.status == Status.PROCESSING for slot in under_way) or theirs
        return PROCESSING if started else "queued"
    if len(theirs) == len(ImageType.values):
        return COMPLETED
    if pack.job and pack.job.status == Status.CANCELLED:
        return CANCELLED
    return PARTIAL if theirs else FAILED


def stand_of(project: Project) -> Stand:
    return stands_of([project])[0]


def stands_of(projects: Sequence[Project]) -> list[Stand]:
    """In a constant number of queries."""
    ids = [project.pk for project in projects]
    chosen = {
        (slot.project_id, slot.image_type): slot.chosen
        for slot in Slot.objects.filter(project__in=ids).select_related("chosen")
    }
    versions: dict[tuple[object, str], list[ListingImage]] = defaultdict(list)
    for image in ListingImage.objects.filter(project__in=ids, late=False).order_by("-number"):
        versions[image.project_id, image.image_type].append(image)
    newest: dict[tuple[object, str], Job] = {}
    for order in ImageOrder.objects.filter(project__in=ids).select_related("job").order_by("job_id"):
        newest[order.project_id, order.image_type] = order.job
    packs = {
        pack.project_id: pack
        for pack in Pack.objects.filter(project__in=ids).select_related("job").order_by("created_at")
    }
    costs = _costs([pack.pk for pack in packs.values()])
    stands = []
    for project in projects:
        lacks, pack = lacking_of(project), packs.get(project.pk)
        slots = [
            SlotStand(
                each,
                chosen.get((project.pk, each)),
                versions[project.pk, each],
                newest.get((project.pk, each)),
                lacks.get(each, ()),
            )
            for each in ImageType.values
        ]
        stands.append(Stand(project, slots, pack, costs.get(pack.pk, Decimal(0)) if pack else Decimal(0), lacks))
    return stands


def _costs(pack_ids: Sequence[UUID]) -> dict[object, Decimal]:
    """What each pack's jobs cost, with the cut-outs that were made for them."""
    orders = ImageOrder.objects.filter(pack__in=pack_ids)
    told = orders.values_list("pack_id", "pack__created_at", "job_id", "cutout__job_id")
    of_job: dict[int, tuple[UUID | None, datetime]] = {}
    for pack_id, since, job_id, cutout_job in told:
        of_job[job_id] = pack_id, since
        if cutout_job:
            of_job[cutout_job] = pack_id, since
    totals: dict[object, Decimal] = defaultdict(Decimal)
    for call in Call.objects.filter(job_id__in=of_job, cost_usd__isnull=False):
        whose, since = of_job[call.job_id or 0]
        if call.created_at >= since:  # a cut-out from before cost this pack nothing
            totals[whose] += call.cost_usd or Decimal(0)
    return totals
