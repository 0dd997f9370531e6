"""What the images of a project still need, and the range that it is compared within."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.listings import facts
from apps.listings.models import Fact, Project

LONGEST_NAME = 24  # characters of a column's head


@dataclass(frozen=True)
class Ranged:
    """One product of the seller's own range: its name and its facts by their labels."""

    project: Project
    name: str
    values: dict[str, str]


def lacking_of(project: Project, own: Sequence[Fact] | None = None) -> dict[str, list[str]]:
    """Image type → keys of the facts it waits for; see facts.lacking."""
    told = list(project.facts.all()) if own is None else own
    return facts.lacking(project, told, range_size=1 + project.compared_with.filter(gone_at=None).count())


def range_of(project: Project) -> list[Ranged]:
    """The product first, then those of its seller's that it is compared with."""
    others = project.compared_with.filter(gone_at=None).order_by("created_at")
    return [_ranged(each, project.locale) for each in (project, *others.prefetch_related("facts"))]


def _ranged(project: Project, locale: str) -> Ranged:
    told = [facts.said(fact, locale) for fact in project.facts.all() if not fact.key.startswith("feature")]
    return Ranged(project, project.name, {each.label: each.value for each in told if each.label})
