"""Pages as people ask for them: planned from the kind of product and its facts, written by a job, edited by hand."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.core.errors import Problem, not_found
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.states import LIVE
from apps.jobs.values import NewJob
from apps.listings import facts
from apps.listings.aplus.checking import checked
from apps.listings.aplus.claims import facts_told
from apps.listings.aplus.modules import MODULES, plan_for
from apps.listings.aplus.writing import MAX_TOKENS, request_for
from apps.listings.models import APlusPage, Project
from apps.listings.owned import subject_of
from apps.listings.requirements import range_of
from apps.orders import budgets
from apps.orders.quotes import Price
from apps.providers import pricing
from apps.providers.spending import Wanted

PRIORITY = 5
Within = Callable[[Sequence[int]], object]


def process(
    project: Project,
    *,
    premium: bool = False,
    pictures: bool = False,
    locale: str = "",
    priority: int = PRIORITY,
    within: Within = lambda _job_ids: None,
) -> APlusPage:
    """Queues the writing of a page; one that is being written is answered with. Problem 422 `facts_missing`.

    `pictures`: a scene of its own is painted for its header; else all its pictures are composed from the cut-out.
    """
    if not project.facts.exists():
        raise Problem(
            422,
            "facts_missing",
            "There are no facts to write from.",
            "Add facts, then have it written.",
            {"missingFacts": ["feature-1"]},
        )
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        page, _ = APlusPage.objects.get_or_create(project=project, locale=locale or project.locale, premium=premium)
        if page.job_id and Job.objects.filter(pk=page.job_id, status__in=LIVE).exists():
            return page
        new = NewJob(kind="aplus", owner_id=project.owner_id, subject=subject_of(project.pk), priority=priority)
        page.job_id = lifecycle.enqueue([new])[new.uid]
        page.asked = {"pictures": pictures, "plan": planned(project, premium=premium)}
        page.save(update_fields=["job", "asked"])
        within([page.job_id])
        budgets.set_aside([wanted_for_page(page.job_id, project, pictures=pictures)])
    return page


def planned(project: Project, *, premium: bool) -> list[dict[str, Any]]:
    """Modules without texts, their tables filled from facts."""
    told, ranged = list(project.facts.all()), range_of(project)
    kinds = plan_for(project.category, premium=premium, facts=len(told), range_size=len(ranged))
    return [skeleton(project, kind, f"m{n + 1}") for n, kind in enumerate(kinds)]


def skeleton(project: Project, kind: str, module_id: str) -> dict[str, Any]:
    """An empty module; its table, where it has one, says what the facts say."""
    known = MODULES[kind]
    made: dict[str, Any] = {"id": module_id, "type": kind, "texts": {}, "pictures": {}}
    if known.table == "specs":
        said = [facts.said(fact, project.locale) for fact in project.facts.all()]
        made["rows"] = [{"label": each.label[:30] or each.key, "value": each.value[:60]} for each in said][:16]
    if known.table == "comparison":
        ranged = range_of(project)
        labels = [
            label for label in ranged[0].values if sum(label in each.values for each in ranged) * 2 >= len(ranged)
        ]
        made["labels"] = labels[:8]
        made["columns"] = [
            {
                "title": each.name[:80],
                "asin": each.project.asin,
                "values": {key: value[:30] for key, value in each.values.items()},
            }
            for each in ranged[:5]
        ]
    return made


def wanted_for_page(job_id: int, project: Project, *, pictures: bool) -> Wanted:
    """The most that writing it can cost. A scene is covered at its own provider when it is painted."""
    return Wanted(job_id, project.owner_id, "gemini", price_of_text(project).amount or Decimal(0))


def price_of_text(project: Project) -> Price:
    page = planned(project, premium=False)
    told = facts_told(list(project.facts.all()))
    asked = request_for(page, model=settings.TEXT_MODEL, product={}, facts=told, locale=project.locale)
    characters = len(asked.system) + sum(len(getattr(part, "text", "")) for part in asked.parts)
    amount = pricing.at_most("gemini", settings.TEXT_MODEL, pictures=0, characters=characters, max_tokens=MAX_TOKENS)
    return Price(amount, "none" if amount is None else "at_most")


def find_page(project: Project, page_id: UUID) -> APlusPage:
    page = APlusPage.objects.filter(project=project, pk=page_id).first()
    if page is None:
        raise not_found("A+ page")
    return page


def save_page(page: APlusPage, modules: list[dict[str, Any]], *, revision: int) -> APlusPage:
    """A person's edit. Problem 412 when somebody else saved meanwhile; faults are told and do not forbid to save."""
    with transaction.atomic():
        held = APlusPage.objects.select_for_update().select_related("project").get(pk=page.pk)
        if held.revision != revision:
            raise Problem(
                412,
                "revision_conflict",
                "Somebody else saved this page meanwhile.",
                "Load it again, then make your change.",
                {"revision": held.revision},
            )
        held.modules = [clean(module, n) for n, module in enumerate(modules)]
        held.revision += 1
        judged = checked(held.project, held.modules, locale=held.locale)
        held.report = judged.as_json()
        held.status = APlusPage.Status.READY if judged.ready else APlusPage.Status.NEEDS_EDIT
        held.save()
    return held


def clean(module: dict[str, Any], place: int) -> dict[str, Any]:
    """Only what a module may have. Problem 422 for a kind that there is not."""
    kind = str(module.get("type") or "")
    if kind not in MODULES:
        raise Problem(422, "aplus_invalid", f"There is no module “{kind[:60]}”.", f"Use one of {', '.join(MODULES)}.")
    kept = {"id": str(module.get("id") or f"m{place + 1}")[:20], "type": kind}
    for name, kinds in (
        ("texts", dict),
        ("pictures", dict),
        ("options", dict),
        ("rows", list),
        ("columns", list),
        ("labels", list),
    ):
        value = module.get(name)
        if isinstance(value, kinds):
            kept[name] = value  # type: ignore[assignment]
    return {"texts": {}, "pictures": {}} | kept
