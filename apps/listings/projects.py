"""Projects: made, changed, taken away. Deleting cancels what is in the queue first, as Studio's rows do (studio/deletion.py)."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.core.clock import ClockTimestamp
from apps.core.errors import Problem, invalid, not_found
from apps.core.text import one_line
from apps.jobs import endings
from apps.jobs.models import Job
from apps.listings.facts import set_facts
from apps.listings.hexes import from_hex
from apps.listings.models import BrandKit, Project
from apps.listings.owned import find_kit, find_project, subject_of
from apps.listings.photos import remove_photo

LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}")
ASIN, GTIN_LENGTHS = re.compile(r"[A-Z0-9]{10}"), (8, 12, 13, 14)
MOST_COMPARED = 3
LEFT_AFTER = timedelta(minutes=5)


def create_project(*, user: User, facts: Sequence[Mapping[str, Any]] = (), **given: Any) -> Project:
    """Problem 422 for what cannot be; 409 when the person has as many projects as they may."""
    if Project.objects.filter(owner=user).count() >= settings.PROJECT_QUOTA > 0:
        raise Problem(
            409,
            "too_many_projects",
            f"{settings.PROJECT_QUOTA} projects are the most one person may have.",
            "Delete one you no longer need.",
        )
    with transaction.atomic():
        project = Project(owner=user)
        compared = _set(project, user, given)
        project.save(force_insert=True)
        if compared is not None:
            project.compared_with.set(compared)
        set_facts(project, facts)
    return project


def update_project(project: Project, *, user: User, **given: Any) -> Project:
    with transaction.atomic():
        compared = _set(project, user, given)
        project.save()
        if compared is not None:
            project.compared_with.set(compared)
    return project


def _set(project: Project, user: User, given: Mapping[str, Any]) -> list[Project] | None:
    """Writes the fields; answers the products to compare with when they were named."""
    for name in ("name", "headline", "sku", "brand"):
        if name in given:
            setattr(project, name, one_line(given[name]))
    for name in ("description", "category", "style"):
        if name in given:
            setattr(project, name, given[name])
    if "locale" in given:
        if not LOCALE.fullmatch(given["locale"]):
            raise invalid("locale", f"“{given['locale']}” is no locale.", "Use one like en-US or de-DE.")
        project.locale = given["locale"]
    if given.get("asin") and not ASIN.fullmatch(given["asin"]):
        raise invalid("asin", "An ASIN has ten letters and digits.", "Copy it from the product's page.")
    if given.get("gtin") and not is_gtin(given["gtin"]):
        raise invalid("gtin", "This is no GTIN: its check digit or its length is wrong.", "Copy it from the packing.")
    for name in ("asin", "gtin"):
        if name in given:
            setattr(project, name, given[name])
    if "brand_kit_id" in given:
        project.brand_kit = find_kit(user, given["brand_kit_id"]) if given["brand_kit_id"] else None
    if "compare_with" not in given:
        return None
    return _compared(project, user, given["compare_with"])


def _compared(project: Project, user: User, ids: Sequence[UUID]) -> list[Project]:
    found = Project.objects.filter(owner=user, pk__in=ids).exclude(pk=project.pk).in_bulk()
    if len(found) != len(set(ids)):
        raise not_found("project to compare with")
    if len(found) > MOST_COMPARED:
        raise invalid("compareWith", f"At most {MOST_COMPARED} other products fit beside it.", "Leave some out.")
    return [found[each] for each in dict.fromkeys(ids)]


def is_gtin(text: str) -> bool:
    """GS1: the last digit makes the weighted sum a multiple of ten."""
    if not text.isdecimal() or not text.isascii() or len(text) not in GTIN_LENGTHS:
        return False
    digits = [int(each) for each in reversed(text)]
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def delete_project(*, user: User, project_id: UUID) -> None:
    """Three steps that hold nothing of each other: marked gone, cancelled, removed."""
    project = find_project(user, project_id)
    with transaction.atomic():
        if not Project.objects.select_for_update().filter(pk=project.pk).exists():
            raise not_found("project")
        Project.objects.filter(pk=project.pk).update(gone_at=ClockTimestamp())
    _remove(project.pk)


def finish_deletions() -> int:
    """Goes on with what a process that died has begun; answers how many."""
    left = list(Project.everything.filter(gone_at__lt=ClockTimestamp() - LEFT_AFTER).values_list("pk", flat=True))
    for project_id in left:
        _remove(project_id)
    return len(left)


def _remove(project_id: UUID) -> None:
    live = Job.objects.live().filter(subject=subject_of(project_id)).order_by("pk")
    endings.cancel(list(live.values_list("pk", flat=True)), reason="project_deleted")
    project = Project.everything.filter(pk=project_id).first()
    if project is None:
        return
    with transaction.atomic():
        for photo in project.photos.select_related("asset"):
            remove_photo(photo)
        project.delete()


def save_kit(kit: BrandKit, *, user: User, **given: Any) -> BrandKit:
    """A kit with these colours and logo. Problem 422 for a colour that is none."""
    kit.owner = user
    if "name" in given:
        kit.name = one_line(given["name"])
    if "colours" in given:
        for colour in given["colours"]:
            try:
                from_hex(colour)
            except ValueError as error:
                raise invalid("colours", str(error), "Write colours as #A5814B.") from error
        kit.colours = [str(colour).upper() for colour in given["colours"]]
    try:
        with transaction.atomic():
            kit.save()
    except IntegrityError as error:
        raise Problem(
            409, "name_taken", f"You have a brand kit “{kit.name}” already.", "Choose another name."
        ) from error
    return kit
