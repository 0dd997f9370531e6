"""What every job of one listing image has in common: its cut-out, its retry, its cancel, its version."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from apps.core.failpoints import failpoint
from apps.jobs import endings
from apps.jobs.handlers import Done, Handler, Run
from apps.jobs.models import Job
from apps.listings import keeping
from apps.listings.handlers.making import NO_CUTOUT, Work, begin, needed_cutouts
from apps.listings.keeping import Made
from apps.listings.models import ImageOrder, ListingImage
from apps.listings.owned import hold_project, no_place
from apps.listings.stages import MEASURING, WAITING_FOR_CUTOUT


class ImageHandler(Handler):
    """`make` is what the kinds differ in."""

    dependency_failed = NO_CUTOUT
    waiting_stage = WAITING_FOR_CUTOUT

    def make(self, run: Run, work: Work) -> Made:
        raise NotImplementedError

    def run(self, run: Run) -> Done:
        work = begin(run)
        run.check()
        made = self.make(run, work)
        run.stage(MEASURING)
        paths = keeping.write(made)
        failpoint("after_image")
        run.check()
        return Done(store=_storing(work.order.pk, made, paths))

    def needed_by(self, job_ids: Sequence[int]) -> Sequence[int]:
        return needed_cutouts(list(job_ids))

    def cancelled(self, job: Job) -> None:
        """A cut-out that no image waits for any more is not worth buying."""
        order = ImageOrder.objects.select_related("cutout").get(job=job)
        cutout = order.cutout
        if cutout is None or cutout.job_id is None or cutout.file:
            return
        others = Job.objects.live().filter(image_order__cutout=cutout, cancel_requested_at=None)
        if not others.exists():
            endings.cancel([cutout.job_id], reason="nobody_waits")

    def clone(self, old: Job, new_id: int) -> None:
        asked = ImageOrder.objects.get(job=old)
        if not hold_project(asked.project_id):
            raise no_place()
        asked.pk = new_id
        asked.save(force_insert=True)
        self.cloned(asked, old)

    def cloned(self, asked: ImageOrder, old: Job) -> None:
        """What a kind has to set aside for a retry."""

    def facts_to_archive(self, job_ids: Sequence[int]) -> Mapping[int, object]:
        orders = ImageOrder.objects.filter(job__in=job_ids)
        return {order.job_id: {"imageType": order.image_type, "style": order.style} for order in orders}


def _storing(job_id: int, made: Made, paths: tuple[str, str]) -> Callable[[], None]:
    return partial(store_version, job_id, made, paths)


def store_version(job_id: int, made: Made, paths: tuple[str, str], *, late: bool = False) -> None:
    """In the transaction that completes the job. Of a project deleted meanwhile the image is kept beside the job."""
    order = ImageOrder.objects.select_related("project", "pack").get(job_id=job_id)
    if order.project is None or not hold_project(order.project_id):
        return
    if ListingImage.objects.filter(job_id=job_id).exists():
        return
    keeping.add_version(
        order.project, made, paths, image_type=order.image_type, style=order.style, order=order, late=late
    )
