"""A cut-out: by remove.bg, paid once for each photograph, or by our own quick way where the ground is plain."""

from functools import partial
from typing import Any
from uuid import UUID

from apps.assets import decoder
from apps.assets.models import Asset
from apps.core.errors import Problem, Remedy
from apps.core.failpoints import failpoint
from apps.jobs.handlers import Done, GiveUp, Handler, Run
from apps.jobs.models import Job
from apps.jobs.values import Failure
from apps.listings import keeping
from apps.listings.handlers.making import require_provider
from apps.listings.imaging import files
from apps.listings.imaging.matte import LARGEST, SMALLEST, Matte, from_photograph, refined
from apps.listings.models import Cutout
from apps.listings.quotes import wanted_for_cutout
from apps.listings.stages import CUTTING_OUT, MEASURING
from apps.orders import budgets, leave, pictures, settling
from apps.providers import calls
from apps.providers.errors import InvalidRequest, ProviderError

SMALLEST_PRODUCT = 200  # pixels of its longer side in the photograph
MOST_BYTES = 80_000_000

TOO_LIVELY = Failure(
    "ground_too_lively",
    "This ground is too lively for our own cut-out.",
    "Use remove.bg, bring a cut-out of your own, or take the photo on a plain ground.",
    Remedy.NEW_TARGET,
)
GONE = Failure("photo_gone", "The photo was taken away before it was cut out.", "Add a photo.", Remedy.NEW_TARGET)


class CutoutHandler(Handler):
    def run(self, run: Run) -> Done:
        cutout = Cutout.objects.select_related("photo").get(job_id=run.lease.job_id)
        if cutout.photo is None:
            raise GiveUp(GONE)
        if cutout.method == Cutout.Method.QUICK:
            path, cost = _quick(run, cutout), None
        else:
            made = _bought(run, cutout.photo)
            path, cost = made.files[0], made.cost_usd
        run.stage(MEASURING)
        data = keeping.read(path)
        report = _judged(data, cutout.method)
        failpoint("after_cutout")
        run.check()
        fields = {"file": path, "bytes": len(data), "report": report, "cost_usd": cost}
        fields["simulated"] = cutout.method == Cutout.Method.REMOVEBG and keeping.is_simulated("removebg")
        return Done(store=partial(_store, cutout.pk, fields))

    def clone(self, old: Job, new_id: int) -> None:
        cutout = Cutout.objects.filter(job=old).first()
        if cutout is None:
            raise Problem(409, "cutout_replaced", "Another cut-out took its place.", "Nothing to do.")
        Cutout.objects.filter(pk=cutout.pk).update(job_id=new_id)
        if cutout.method == Cutout.Method.REMOVEBG:
            budgets.set_aside([wanted_for_cutout(new_id, old.owner_id)])

    def reconcile(self, job: Job) -> None:
        for call in calls.open_calls(job.pk):
            settling.settle(call)


def _bought(run: Run, photo: Asset) -> pictures.Made:
    """What an earlier attempt paid for, else a new one."""
    before = next(pictures.made_before(run.lease.job_id, purpose=pictures.CUT_OUT), None)
    if before:
        return before
    require_provider("removebg", instead="Bring a cut-out of your own, or use our quick one where the ground is plain.")
    run.stage(CUTTING_OUT)
    try:
        data = keeping.read(str(photo.file))
    except FileNotFoundError as error:
        raise GiveUp(GONE) from error
    kind = "image/png" if str(photo.file).endswith(".png") else "image/jpeg"
    try:
        return pictures.cut_out(
            run,
            data,
            name=f"photo.{kind.partition('/')[2]}",
            content_type=kind,
            inputs={"photo": photo.digest, "size": "full"},
            keep=keeping.keep,
        )
    except ProviderError as error:
        raise _not_cut(error, photo) from error


def _not_cut(error: ProviderError, photo: Asset) -> Exception:
    """What remove.bg's refusal of a photo means to a seller; the rest is the engine's."""
    if isinstance(error, InvalidRequest) and error.provider_code == "unknown_foreground":
        said = f"remove.bg found no product in {photo.name or 'the photo'}."
        todo = "Try another photo, bring a cut-out of your own, or use ours where the ground is plain."
        return GiveUp(Failure("foreground_not_found", said, todo, Remedy.NEW_TARGET))
    return leave.end_for_job(error)


def _quick(run: Run, cutout: Cutout) -> str:
    run.stage(CUTTING_OUT)
    assert cutout.photo is not None
    try:
        made = from_photograph(files.rgb_on_white(keeping.read(str(cutout.photo.file))))
    except FileNotFoundError as error:
        raise GiveUp(GONE) from error
    if made is None:
        raise GiveUp(TOO_LIVELY)
    return keeping.keep(files.png(made), "image/png")


def _judged(data: bytes, method: str) -> dict[str, Any]:
    """Its box, its share and its doubts. Raises GiveUp for one that no image can be made from: it is paid and kept."""
    try:
        decoder.look(data, max_bytes=MOST_BYTES)
    except Problem as problem:
        said = f"What came as a cut-out cannot be opened: {problem.detail}"
        raise GiveUp(
            Failure("result_unreadable", said, "Try again, or bring a cut-out of your own.", Remedy.RETRY)
        ) from problem
    matte = refined(files.opened(data))
    trouble = trouble_with(matte, method)
    if trouble:
        raise GiveUp(trouble)
    return report_of(matte)


def trouble_with(matte: Matte, method: str) -> Failure | None:
    who = {"removebg": "remove.bg", "quick": "Our quick cut-out"}.get(method, "The cut-out")
    if not SMALLEST <= matte.share <= LARGEST:
        said = f"{who} kept {matte.share:.0%} of the photo: that is not a product."
        return Failure("cutout_unusable", said, "Bring a cut-out of your own, or another photo.", Remedy.NEW_TARGET)
    sides = matte.touched_sides()
    if sides:
        said = f"The product is cut off at the {' and '.join(sides)} of the photo."
        return Failure("product_cut_off", said, "Use a photo that shows all of it.", Remedy.NEW_TARGET)
    if max(matte.size) < SMALLEST_PRODUCT:
        said = f"The product is only {max(matte.size)} px long in the photo."
        return Failure("product_too_small", said, "Use a larger photo, or come nearer.", Remedy.NEW_TARGET)
    return None


def report_of(matte: Matte) -> dict[str, Any]:
    see_through = matte.see_through()
    warnings = []
    if see_through > 0.08:
        warnings.append("The old ground may shine through it. Photograph it on white or light grey.")
    if 1800 / max(matte.size) > 1.6:
        warnings.append(f"It is enlarged {1800 / max(matte.size):.1f} times: details are made up.")
    return {
        "share": round(matte.share, 4),
        "box": list(matte.box),
        "parts": matte.big_parts(),
        "seeThrough": round(see_through, 3),
        "warnings": warnings,
    }


def _store(cutout_id: UUID, fields: dict[str, Any]) -> None:
    Cutout.objects.filter(pk=cutout_id).update(**fields)
