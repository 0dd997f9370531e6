"""What the handlers of drawn and of painted images share: the cut-out they start from, and how a picture becomes a version."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from apps.core.errors import Problem, Remedy
from apps.jobs.handlers import GiveUp, Run
from apps.jobs.models import Job
from apps.jobs.values import Failure
from apps.listings import cutouts, facts
from apps.listings.drawing.styles import Look, look_of
from apps.listings.hexes import Rgb
from apps.listings.imaging import files
from apps.listings.imaging.matte import Mask, Matte, Picture, refined
from apps.listings.keeping import Made, is_simulated
from apps.listings.models import Cutout, Fact, ImageOrder, ImageType, Project
from apps.listings.owned import PROJECT_GONE
from apps.listings.rules.measuring import as_report, measured
from apps.listings.rules.presets import PRESETS
from apps.providers.registry import PROVIDERS

NO_CUTOUT = Failure(
    "dependency_failed",
    "There is no cut-out of the product to make this image from.",
    "Bring a cut-out of your own, use another photo, or try the cut-out again.",
    Remedy.NEW_TARGET,
)
CUTOUT_LOST = Failure(
    "picture_lost", "The file of the cut-out is missing on the disk.", "Make the cut-out again.", Remedy.NEW_TARGET
)


@dataclass(frozen=True)
class Work:
    """One image to be made: what was asked, and what is known of the product."""

    order: ImageOrder
    project: Project
    cutout: Cutout
    facts: list[Fact]

    @cached_property
    def matte(self) -> Matte:
        return matte_of(self.cutout)

    @cached_property
    def mean(self) -> Rgb:
        red, green, blue = (round(float(each)) for each in self.matte.rgb[self.matte.solid].mean(axis=0))
        return red, green, blue

    @property
    def look(self) -> Look:
        kit = self.project.brand_kit
        return look_of(self.order.style, product=self.mean, kit=kit.colours if kit else ())

    @property
    def headline(self) -> str:
        return self.project.headline or self.project.name

    @property
    def is_main(self) -> bool:
        return self.order.image_type == ImageType.MAIN


def begin(run: Run) -> Work:
    """Reads what the job is about. Raises GiveUp when its project or its cut-out is gone."""
    order = (
        ImageOrder.objects.select_related("project__brand_kit", "project__owner", "cutout", "pack", "job")
        .filter(job_id=run.lease.job_id)
        .get()
    )
    if order.project is None or order.project.gone_at:
        raise GiveUp(PROJECT_GONE)
    cutout = order.cutout
    if cutout is None or not cutout.file:
        raise GiveUp(NO_CUTOUT)
    return Work(order, order.project, cutout, list(order.project.facts.all()))


def matte_of(cutout: Cutout) -> Matte:
    try:
        return refined(files.opened(cutouts.data_of(cutout)))
    except FileNotFoundError as error:
        raise GiveUp(CUTOUT_LOST) from error


def require_provider(name: str, *, instead: str) -> None:
    """Raises GiveUp where a provider is not set up: waiting for it would never end. `instead`: what else can be done."""
    provider = PROVIDERS[name]
    if not (provider.has_key or provider.simulated):
        said = f"{provider.title} is not set up here."
        raise GiveUp(Failure("provider_not_configured", said, instead, Remedy.NONE))


def refused(problem: Problem) -> GiveUp:
    """What cannot be drawn as it is: the words say what to change."""
    return GiveUp(Failure(problem.code, problem.detail, problem.action, Remedy.NEW_PROMPT))


def finished(
    work: Work,
    picture: Picture,
    *,
    source_type: str,
    quality: int,
    mask: Mask | None = None,
    plan: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    **more: Any,
) -> Made:
    """The picture as a file that names its origin, measured as it was written."""
    document = uuid.uuid4()
    owner = work.project.owner
    xmp = files.packet(
        source_type=source_type,
        creator=owner.get_full_name() or owner.get_username(),
        credit=work.project.brand or "Pressroom",
        document=document,
    )
    data = files.jpeg(picture, quality=quality, xmp=xmp)
    amazon = PRESETS["amazon"]
    results = measured(data, amazon, is_main=work.is_main, mask=mask, pack_count=facts.pack_count(work.facts))
    return Made(
        jpeg=data,
        thumbnail=files.thumbnail(picture),
        size=(picture.shape[1], picture.shape[0]),
        source_type=source_type,
        document=document,
        plan=plan or {},
        report=as_report(results, amazon),
        provenance=_provenance(work) | dict(provenance or {}),
        simulated=is_simulated("removebg") if work.cutout.method == "removebg" else bool(more.pop("simulated", False)),
        **({name: value for name, value in more.items() if name != "simulated"}),
    )


def _provenance(work: Work) -> dict[str, Any]:
    return {
        "photoSha256": work.cutout.photo_digest,
        "cutoutMethod": work.cutout.method,
        "style": work.order.style,
        "locale": work.project.locale,
        "isRender": work.project.is_render,
    }


def needed_cutouts(job_ids: list[int]) -> list[int]:
    """Jobs of cut-outs that the jobs of images may be the last to wait for."""
    open_ones = Job.objects.live().filter(cutout__orders__job__in=job_ids)
    return list(open_ones.values_list("pk", flat=True).distinct())
