"""An A+ page: written by Gemini from the facts, checked, given back once for repair, its pictures composed for their slots."""

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from apps.core.errors import Remedy
from apps.core.failpoints import failpoint
from apps.jobs.handlers import Done, GiveUp, Handler, Run
from apps.jobs.models import Job
from apps.jobs.values import Failure
from apps.listings import keeping
from apps.listings.aplus.checking import Checked, checked
from apps.listings.aplus.claims import facts_told
from apps.listings.aplus.making import price_of_text, wanted_for_page
from apps.listings.aplus.modules import Picture as ModulePicture
from apps.listings.aplus.writing import filled, request_for, troubles_of
from apps.listings.cutouts import data_of, standing
from apps.listings.handlers.making import require_provider
from apps.listings.handlers.scene import opened_scene
from apps.listings.imaging import files, identity, scenes, slots
from apps.listings.imaging.matte import Matte, Picture, refined
from apps.listings.models import APlusPage, Project
from apps.listings.owned import PROJECT_GONE, hold_project, no_place
from apps.listings.photos import first_photo
from apps.listings.quotes import request_for as request_for_scene
from apps.listings.stages import CHECKING_TEXTS, DRAWING, PAINTING, WRITING_TEXTS
from apps.orders import budgets, chat, leave, pictures, settling
from apps.providers import calls
from apps.providers.errors import ContentRefused, ProviderError

log = structlog.get_logger(__name__)

PROVIDER = "gemini"
SECONDS = 110.0
LONGEST_TOLD = 0  # its words are fields of JSON: nothing of them is shown while they come
UNWRITTEN = Failure("empty_answer", "Gemini gave no text that could be used.", "Try it again.", Remedy.RETRY)

Modules = list[dict[str, Any]]


class APlusHandler(Handler):
    def run(self, run: Run) -> Done:
        page = APlusPage.objects.select_related("project__owner", "project__brand_kit").get(job_id=run.lease.job_id)
        if page.project.gone_at:
            raise GiveUp(PROJECT_GONE)
        modules, judged = _written(run, page)
        modules = _pictured(run, page, modules)
        judged = checked(page.project, modules, locale=page.locale)
        failpoint("after_aplus")
        run.check()
        return Done(store=partial(_store, page.pk, modules, judged))

    def clone(self, old: Job, new_id: int) -> None:
        page = APlusPage.objects.select_related("project").filter(job=old).first()
        if page is None or not hold_project(page.project_id):
            raise no_place()
        APlusPage.objects.filter(pk=page.pk).update(job_id=new_id)
        budgets.set_aside([wanted_for_page(new_id, page.project, pictures=False)])

    def reconcile(self, job: Job) -> None:
        for call in calls.open_calls(job.pk):
            settling.settle(call)


def _written(run: Run, page: APlusPage) -> tuple[Modules, Checked]:
    """Two answers at most: what earlier attempts paid for is used before anything is asked again."""
    empty: Modules = list(page.asked["plan"])
    paid = [answer.text for answer in chat.paid_answers(run.lease.job_id)]
    first = paid[0] if paid else _ask(run, page, empty, None)
    run.stage(CHECKING_TEXTS)
    modules = filled(empty, first)
    judged = checked(page.project, modules, locale=page.locale)
    troubles = troubles_of(modules, judged.faults, judged.findings)
    if troubles:
        second = paid[1] if len(paid) > 1 else _ask(run, page, modules, troubles)
        modules = filled(modules, second, only=troubles)
        judged = checked(page.project, modules, locale=page.locale)
    if not any(module["texts"] for module in modules):
        raise GiveUp(UNWRITTEN)
    return modules, judged


def _ask(run: Run, page: APlusPage, modules: Modules, troubles: Mapping[tuple[str, str], Any] | None) -> str:
    require_provider(PROVIDER, instead="Ask whoever runs this desk to set its key.")
    run.check()
    run.stage(WRITING_TEXTS)
    project = page.project
    request = request_for(
        modules,
        model=settings.TEXT_MODEL,
        product={"name": project.name, "brand": project.brand, "kind": project.get_category_display()},
        facts=facts_told(list(project.facts.all())),
        locale=page.locale,
        troubles=troubles,
    )
    try:
        answer = chat.ask(
            run,
            request,
            provider=PROVIDER,
            inputs={
                "system": request.system,
                "asked": getattr(request.parts[0], "text", ""),
                "repair": troubles is not None,
            },
            price=price_of_text(project),
            seconds=SECONDS,
            longest_told=LONGEST_TOLD,
        )
    except ProviderError as error:
        raise leave.end_for_job(error) from error
    return answer.text


def _pictured(run: Run, page: APlusPage, modules: Modules) -> Modules:
    """Each slot gets a crop of its own, made twice as large as it is shown; none is one of the gallery's."""
    photo = first_photo(page.project)
    cutout = standing(page.project.owner_id, photo.asset) if photo else None
    if cutout is None:
        return modules
    try:
        matte = refined(files.opened(data_of(cutout)))
    except FileNotFoundError:
        return modules
    composer = slots.Composer(matte, style=page.project.style, kit=_colours(page.project))
    painted = _painted(run, page, matte) if page.asked.get("pictures") else None
    run.stage(DRAWING)
    made = []
    for module in modules:
        kept = dict(module.get("pictures") or {})
        for slot in slots.slots_of(module["type"]):
            if slot.name not in kept:
                kept[slot.name] = _kept(page, composer, slot, painted)
                painted = None  # the first slot's alone
        made.append(dict(module) | {"pictures": kept})
    return made


def _painted(run: Run, page: APlusPage, matte: Matte) -> Picture | None:
    """A scene of the header's own, paid once whatever attempt it was. Where the painter declines, it is composed instead."""
    project, sent = page.project, scenes.wide_frame(matte)
    words = scenes.prompt(
        name=project.name,
        category=project.category,
        style=project.style,
        close=False,
        feature=None,
        materials=[],
        wish="a wide view with calm space on the left",
    )
    bought = next(pictures.made_before(run.lease.job_id, purpose=pictures.EDIT), None)
    if bought is None:
        run.stage(PAINTING)
        uri = f"data:image/png;base64,{base64.b64encode(files.png(scenes.as_rgba(sent))).decode()}"
        try:
            bought = pictures.edit(
                run, request_for_scene(words, data_uri=uri), inputs={"prompt": words, "for": "aplus"}, keep=keeping.keep
            )
        except ContentRefused as error:
            log.info("header_not_painted", code=error.code)
            return None
        except ProviderError as error:
            raise leave.end_for_job(error) from error
    scene = opened_scene(bought.files[0], scenes.SIDE)
    drift = identity.drift_of(sent, scene)
    return identity.laid_back(sent, drift, scene) if identity.may_be_laid_back(drift) else scene


def _kept(page: APlusPage, composer: slots.Composer, slot: ModulePicture, painted: Picture | None) -> dict[str, Any]:
    width, height = slot.width * 2, slot.height * 2
    picture = composer.next(width, height) if painted is None else scenes.band(painted, width, height)
    xmp = files.packet(
        source_type=files.COMPOSITE if painted is None else files.COMPOSITE_WITH_AI,
        creator=page.project.owner.get_username(),
        credit=page.project.brand or "Pressroom",
        document=page.pk,
    )
    data = files.jpeg(picture, quality=90, xmp=xmp)
    return {"path": keeping.keep(data, "image/jpeg"), "width": width, "height": height}


def _colours(project: Project) -> list[str]:
    return list(project.brand_kit.colours) if project.brand_kit else []


def _store(page_id: Any, modules: Modules, judged: Checked) -> None:
    page = APlusPage.objects.select_for_update().get(pk=page_id)
    page.modules, page.report = modules, judged.as_json()
    page.status = APlusPage.Status.READY if judged.ready else APlusPage.Status.NEEDS_EDIT
    page.revision += 1
    page.save()
    page.name_files()
