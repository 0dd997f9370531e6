"""An export whose images need another size: each is made once, kept by its content, and never encoded while it is sent."""

from functools import partial

from apps.core.errors import Problem, Remedy
from apps.jobs.handlers import Done, GiveUp, Handler, Run
from apps.jobs.models import Job
from apps.jobs.values import Failure
from apps.listings import keeping
from apps.listings.export.making import Frozen, freeze, images_for
from apps.listings.export.service import finish, images_of
from apps.listings.imaging import files
from apps.listings.models import Derivative, Export, ListingImage
from apps.listings.rules.presets import PRESETS, Preset
from apps.listings.stages import DRAWING

ENCODER = 1  # grows when the same picture would become other bytes


class ExportHandler(Handler):
    def run(self, run: Run) -> Done:
        export = Export.objects.select_related("project").get(job_id=run.lease.job_id)
        run.stage(DRAWING)
        preset = PRESETS[export.platform]
        try:
            _, left_out = images_for(export.project, export.platform, with_words=export.asked["words"])
            made = [(image, _in_size(image, preset)) for image in images_of(export)]
            frozen = freeze(export.project, export.platform, made, left_out)
        except FileNotFoundError as error:
            said = "The file of an image is missing on the disk."
            raise GiveUp(Failure("picture_lost", said, "Make that image again.", Remedy.NEW_TARGET)) from error
        except Problem as problem:
            raise GiveUp(Failure(problem.code, problem.detail, problem.action, Remedy.RETRY)) from problem
        return Done(store=partial(_store, export, frozen))

    def failed(self, job: Job, failure: Failure) -> None:
        Export.objects.filter(job=job).update(status=Export.Status.FAILED)

    def cancelled(self, job: Job) -> None:
        Export.objects.filter(job=job).update(status=Export.Status.FAILED)

    def clone(self, old: Job, new_id: int) -> None:
        Export.objects.filter(job=old).update(job_id=new_id, status=Export.Status.MAKING)


def _store(export: Export, frozen: Frozen) -> None:
    finish(export, frozen)


def _in_size(image: ListingImage, preset: Preset) -> str:
    """The path of the image in the marketplace's size."""
    key = {"image": image, "side": preset.side, "quality": preset.quality, "encoder": ENCODER}
    known = Derivative.objects.filter(**key).first()
    if known:
        return str(known.file)
    picture = files.resized(keeping.read(str(image.file)), preset.side)
    data = files.jpeg(picture, quality=preset.quality, xmp=files.xmp_of(keeping.read(str(image.file))))
    path = keeping.keep(data, "image/jpeg")
    Derivative.objects.get_or_create(**key, defaults={"file": path, "bytes": len(data), "owner_id": image.owner_id})
    return path
