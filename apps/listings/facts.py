"""What is true of a product: read from what a seller typed, and said in images. What an image needs of it is decided here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from apps.core.errors import Problem
from apps.core.text import one_line
from apps.listings.drawing.callouts import Measure, Said
from apps.listings.drawing.vocabulary import word
from apps.listings.models import Fact, ImageType, Project
from apps.listings.units import Amount, amount_of, in_both, shown, unit_of

MOST_FACTS = 60
ACROSS, UP, DEEP = ("width", "length", "diameter"), ("height",), ("depth",)
MEASURES = (*ACROSS, *UP, *DEEP)
KEYS = (*MEASURES, "weight", "volume", "pack_count")
_SLUG = re.compile(r"[^a-z0-9]+")


def set_facts(project: Project, given: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """The project's facts are these from now on, in this order. Problem 422 names the one that cannot be read."""
    if len(given) > MOST_FACTS:
        raise Problem(422, "too_many_facts", f"{len(given)} facts are too many.", f"Keep the {MOST_FACTS} that matter.")
    made = [_fact(project, place, each) for place, each in enumerate(given)]
    keys = [fact.key for fact in made]
    twice = next((key for key in keys if keys.count(key) > 1), "")
    if twice:
        raise Problem(422, "fact_twice", f"There are two facts “{twice}”.", "Give each its own key, or leave one out.")
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        confirmed = dict(Fact.objects.filter(project=project).values_list("key", "confirmed_at"))
        Fact.objects.filter(project=project).delete()
        Fact.objects.bulk_create(made)
        for fact in made:
            if fact.key in confirmed:
                Fact.objects.filter(pk=fact.pk).update(confirmed_at=confirmed[fact.key])
    return made


def _fact(project: Project, place: int, given: Mapping[str, Any]) -> Fact:
    label, value, unit = (one_line(str(given.get(name) or "")) for name in ("label", "value", "unit"))
    key = key_of(str(given.get("key") or "") or label) or f"feature-{place + 1}"
    if not value:
        raise Problem(422, "fact_empty", f"The fact “{label or key}” has no value.", "Type it, or leave the fact out.")
    if unit and unit_of(unit) is None:
        raise Problem(422, "bad_unit", f"“{unit}” is no unit that is known here.", "Use one like cm, in, g, kg, ml, l.")
    amount = amount_of(f"{value} {unit}".strip(), project.locale)
    if key in MEASURES and (amount is None or amount.millimetres is None):
        raise Problem(
            422,
            "bad_number",
            f"“{value} {unit}”".replace(" ”", "”") + f" is no {key.replace('_', ' ')}.",
            "Give a number and a unit, such as 12 cm or 4.7 in.",
            {"key": key},
        )
    return Fact(
        project=project,
        key=key,
        label=label or word(key, project.locale) or (key.replace("_", " ").capitalize() if key in KEYS else ""),
        value=value if not unit else f"{value} {unit}",
        amount=amount.value if amount else None,
        unit=amount.unit if amount else "",
        source=str(given.get("source") or "seller"),
        position=place,
    )


def key_of(text: str) -> str:
    """`Made in` → `made-in`; of a known measure its own name."""
    slug = _SLUG.sub("-", text.lower()).strip("-")[:60]
    known = slug.replace("-", "_")
    return known if known in KEYS else slug


def amount(fact: Fact) -> Amount | None:
    return None if fact.amount is None else Amount(fact.amount.normalize() + 0, fact.unit)


def said(fact: Fact, locale: str) -> Said:
    """As an image of this locale says it: an amount in the locale's writing, anything else in the seller's own words."""
    told = amount(fact)
    value = shown(_plain(told), locale) if told else fact.value
    return Said(fact.key, fact.label, value, told is not None)


def _plain(told: Amount) -> Amount:
    return Amount(told.value.quantize(1) if told.value == told.value.to_integral() else told.value, told.unit)


def for_callouts(facts: Iterable[Fact], locale: str) -> list[Said]:
    """The seller's order, with the plain measures last: those have an image of their own."""
    told = [said(fact, locale) for fact in facts if fact.key != "pack_count"]
    return [each for each in told if each.key not in MEASURES] + [each for each in told if each.key in MEASURES]


def measures(facts: Iterable[Fact], locale: str) -> list[Measure]:
    """What a diagram draws: one measure across, one up, the others told beside it."""
    by_key = {fact.key: fact for fact in facts}
    across = next((key for key in ACROSS if key in by_key), "")
    drawn = []
    for key in MEASURES:
        told = amount(by_key[key]) if key in by_key else None
        millimetres = told.millimetres if told else None
        if told is None or millimetres is None:
            continue
        axis = "across" if key == across else "up" if key in UP else "other"
        label = by_key[key].label or word(key, locale) or key.capitalize()
        drawn.append(Measure(axis, label, float(millimetres), in_both(_plain(told), locale)))
    return drawn


def lacking(project: Project, facts: Sequence[Fact], *, range_size: int) -> dict[str, list[str]]:
    """What each image type still needs before it can be made, as keys; types that lack nothing are left out."""
    keys = {fact.key for fact in facts}
    missing: dict[str, list[str]] = {}
    if not [key for key in keys if key != "pack_count"]:
        missing[ImageType.INFOGRAPHIC] = missing[ImageType.FEATURE] = ["feature-1"]
    if range_size < 2:
        missing[ImageType.COMPARISON] = ["compare_with"]
    lacks = [name for name, among in (("width", ACROSS), ("height", UP)) if not keys & set(among)]
    if lacks:
        missing[ImageType.DIMENSIONS] = lacks
    return missing


def pack_count(facts: Iterable[Fact]) -> int:
    """How many things one buys; 1 unless the seller says that it is a set."""
    told = next((fact.amount for fact in facts if fact.key == "pack_count"), None)
    return max(1, int(told)) if told else 1
