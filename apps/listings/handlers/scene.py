"""Images that OpenAI paints round the cut-out, then compared with the photograph; the product's own pixels are laid back where they fit."""

import base64
from decimal import Decimal
from typing import Any

import cv2
import numpy as np
from django.conf import settings

from apps.assets import decoder
from apps.core.errors import Problem, Remedy
from apps.jobs.handlers import GiveUp, Run
from apps.jobs.models import Job
from apps.jobs.values import Failure
from apps.listings import facts, keeping
from apps.listings.drawing.callouts import callouts_of
from apps.listings.drawing.layouts.feature import feature
from apps.listings.drawing.painting import painted
from apps.listings.drawing.plans import SIDE as FRAME
from apps.listings.drawing.plans import mirrored
from apps.listings.drawing.typesetting import reads_from_right
from apps.listings.handlers.image import ImageHandler
from apps.listings.handlers.making import Work, finished, refused, require_provider
from apps.listings.imaging import files, identity, scenes
from apps.listings.imaging.compose import Placed
from apps.listings.imaging.matte import Picture
from apps.listings.keeping import Made, is_simulated
from apps.listings.models import ImageOrder, ImageType
from apps.listings.quotes import request_for, wanted_for_scene
from apps.listings.stages import DRAWING, PAINTING
from apps.orders import budgets, leave, pictures, settling
from apps.providers import calls
from apps.providers.errors import ProviderError
from apps.providers.models import Call

MOST_BYTES = 80_000_000


class SceneHandler(ImageHandler):
    def make(self, run: Run, work: Work) -> Made:
        close = work.order.image_type == ImageType.FEATURE
        sent = scenes.frame(work.matte, close=close)
        words = prompt_of(work, close=close)
        bought = _bought(run, work, sent, words)
        run.stage(DRAWING)
        return _made(work, sent, words, bought)

    def cloned(self, asked: ImageOrder, old: Job) -> None:
        budgets.set_aside([wanted_for_scene(asked.job_id, old.owner_id)])

    def reconcile(self, job: Job) -> None:
        for call in calls.open_calls(job.pk):
            settling.settle(call)


def prompt_of(work: Work, *, close: bool) -> str:
    locale = work.project.locale
    told = facts.for_callouts(work.facts, locale)
    materials = [each.value for each in told if each.key in ("material", "materials", "made-of")]
    return scenes.prompt(
        name=work.project.name,
        category=work.project.category,
        style=work.order.style,
        close=close,
        feature=told[0] if close and told else None,
        materials=materials,
        wish=work.order.scene,
    )


def _bought(run: Run, work: Work, sent: Placed, words: str) -> pictures.Made:
    """What an earlier attempt paid for; what was painted before of the same request; else a new one."""
    before = next(pictures.made_before(run.lease.job_id, purpose=pictures.EDIT), None)
    if before:
        return before
    png = files.png(scenes.as_rgba(sent))
    key = keeping.digest_of(png + words.encode() + f"{settings.EDIT_MODEL}{settings.EDIT_QUALITY}".encode())
    again = None if work.order.anew else painted_before(work.project.owner_id, key)
    if again:
        return again
    require_provider("openai", instead="Ask whoever runs this desk to set its key.")
    run.stage(PAINTING)
    uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    try:
        return pictures.edit(
            run,
            request_for(words, data_uri=uri),
            inputs={
                "prompt": words,
                "picture": keeping.digest_of(png),
                "key": key,
                "promptVersion": scenes.PROMPT_VERSION,
            },
            keep=keeping.keep,
        )
    except ProviderError as error:
        raise leave.end_for_job(error) from error


def painted_before(owner_id: int, key: str) -> pictures.Made | None:
    """The same request of the same person, answered in the last month, whose file is still there: it costs nothing."""
    answered = Call.objects.filter(owner_id=owner_id, purpose=pictures.EDIT, state="succeeded", inputs__key=key)
    for call in answered.order_by("-created_at")[:3]:
        names = [str(name) for name in (call.result or {}).get("files") or []]
        try:
            if names and keeping.read(names[0]):
                return pictures.Made(tuple(names), call.model_answered, Decimal(0))
        except FileNotFoundError:
            continue
    return None


def _made(work: Work, sent: Placed, words: str, bought: pictures.Made) -> Made:
    scene = opened_scene(bought.files[0], sent.alpha.shape[0])
    drift = identity.drift_of(sent, scene)
    own_pixels = identity.may_be_laid_back(drift)
    if own_pixels:
        scene = identity.laid_back(sent, drift, scene)
    picture = np.asarray(cv2.resize(scene, (FRAME, FRAME), interpolation=cv2.INTER_LANCZOS4), np.uint8)
    told: dict[str, Any] = drift.as_json() | {"productPixels": "original" if own_pixels else "painted"}
    if own_pixels:
        told |= {
            "verdict": identity.SAME,
            "said": "The product's pixels are those of your photo; only the scene is painted.",
        }
    plan: dict[str, Any] = {}
    if work.order.image_type == ImageType.FEATURE:
        picture, plan = _with_plate(work, picture, sent)
    provenance = {
        "provider": "openai",
        "modelAsked": settings.EDIT_MODEL,
        "modelAnswered": bought.model,
        "prompt": words,
        "promptVersion": scenes.PROMPT_VERSION,
        "productPixels": told["productPixels"],
        "originalSha256": keeping.digest_of(keeping.read(bought.files[0])),
    }
    return finished(
        work, picture, source_type=files.COMPOSITE_WITH_AI, quality=92, plan=plan, provenance=provenance,
        drift=told, original=bought.files[0], cost_usd=bought.cost_usd, simulated=is_simulated("openai"),
    )  # fmt: skip


def opened_scene(path: str, side: int) -> Picture:
    """What came, in the frame's size. Raises GiveUp for bytes that are no picture: they are paid and kept."""
    data = keeping.read(path)
    try:
        decoder.look(data, max_bytes=MOST_BYTES)
    except Problem as problem:
        said = f"What OpenAI sent cannot be opened as a picture: {problem.detail} It is paid for and kept."
        raise GiveUp(Failure("result_unreadable", said, "Redo the image.", Remedy.RETRY)) from problem
    rgb = files.opened(data)[..., :3]
    if rgb.shape[:2] == (side, side):
        return rgb
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _with_plate(work: Work, picture: Picture, sent: Placed) -> tuple[Picture, dict[str, Any]]:
    """The one fact on a plate; in words of the seller, drawn by us."""
    locale = work.project.locale
    callout = callouts_of(facts.for_callouts(work.facts, locale), most=1)[0]
    mask = cv2.resize(sent.alpha, (FRAME, FRAME), interpolation=cv2.INTER_LINEAR) > 128
    try:
        plan = feature(picture, mask, callout, look=work.look, locale=locale)
    except Problem as problem:
        raise refused(problem) from problem
    if reads_from_right(callout.title or callout.body):
        plan = mirrored(plan)
    return painted(plan, [], locale=locale, ground=picture), plan.as_json()
