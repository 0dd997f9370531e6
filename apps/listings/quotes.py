"""What a pack will cost before it is started, who is paid, what is there already and what is lacking."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings

from apps.listings.cutouts import standing, usual_method
from apps.listings.models import Cutout, ImageType, Project
from apps.listings.photos import first_photo
from apps.listings.requirements import lacking_of
from apps.orders.pictures import price_of_cut_out, price_of_edit
from apps.orders.quotes import Item, Price, Quote
from apps.providers import spending
from apps.providers.spending import Wanted
from apps.providers.types import EditRequest, ImagePart

PAINTED = (ImageType.FEATURE, ImageType.LIFESTYLE)


@dataclass(frozen=True)
class PackQuote:
    """`reused`: what is paid already. `lacking`: image type → keys of the facts that it waits for."""

    money: Quote
    lacking: dict[str, list[str]]
    reused: list[str] = field(default_factory=list)


def pack_quote(project: Project, types: Sequence[str]) -> PackQuote:
    missing = lacking_of(project)
    wanted = [each for each in types if each not in missing]
    items, reused = [], []
    photo = first_photo(project)
    if wanted and photo:
        if standing(project.owner_id, photo.asset):
            reused.append("cutout")
        elif usual_method() == Cutout.Method.REMOVEBG:
            items.append(Item("cut-out", "removebg", "full", 1, price_of_cut_out()))
    painted = sum(each in PAINTED for each in wanted)
    if painted:
        items.append(Item("painted scenes", "openai", settings.EDIT_MODEL, painted, price_of_scene()))
    standings = spending.standings(owner_id=project.owner_id, providers={item.provider for item in items})
    return PackQuote(Quote(items, standings), {each: missing[each] for each in types if each in missing}, reused)


def price_of_scene() -> Price:
    return price_of_edit(request_for("x" * 1200, data_uri=""))


def request_for(prompt: str, *, data_uri: str) -> EditRequest:
    return EditRequest(
        model=settings.EDIT_MODEL,
        prompt=prompt,
        pictures=(ImagePart(data_uri),),
        size="1024x1024",
        quality=settings.EDIT_QUALITY,
        format="png",
    )


def wanted_for_cutout(job_id: int, owner_id: int) -> Wanted:
    return Wanted(job_id, owner_id, "removebg", price_of_cut_out().amount or Decimal(0))


def wanted_for_scene(job_id: int, owner_id: int) -> Wanted:
    return Wanted(job_id, owner_id, "openai", price_of_scene().amount or Decimal(0))
