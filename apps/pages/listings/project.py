"""`/listings/{id}`: one product: its six images filling live, the rules measured, its photos and facts, export."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.listings.facts import MEASURES
from apps.listings.models import BrandKit, Category, ImageType, ListingImage, Project, Style
from apps.listings.owned import find_project
from apps.listings.packs import open_pack
from apps.listings.quotes import PackQuote, pack_quote
from apps.listings.reports import report_of
from apps.listings.rules.presets import PRESETS
from apps.listings.standing import Stand, stand_of
from apps.pages.listings.aplus import aplus_context
from apps.pages.listings.slots import slot_views
from apps.pages.shell import page, reader
from apps.providers.errors import ProviderError
from apps.providers.registry import PROVIDERS
from apps.providers.removebg.client import RemoveBgClient

PACKS = {
    "": ("idle", "Not started"),
    "queued": ("queued", "In queue"),
    "processing": ("running", "In work"),
    "completed": ("done", "6 of 6 ready"),
    "partial": ("partial", "{ready} of 6 ready"),
    "failed": ("failed", "Failed"),
    "cancelled": ("cancelled", "Cancelled"),
}
VERDICT_LOOKS = {
    "pass": ("done", "Holds"),
    "fail": ("failed", "Fails"),
    "warn": ("partial", "Look"),
    "unknown": ("idle", "Not measured"),
}
QUOTA_SECONDS = 3.0


@page
def project(request: HttpRequest, project_id: UUID) -> HttpResponse:
    user = reader(request)
    shown = find_project(user, project_id)
    others = Project.objects.filter(owner=user).exclude(pk=shown.pk).order_by("name")[:100]
    context = (
        _live(request, shown)
        | aplus_context(shown)
        | {
            "photos": list(shown.photos.select_related("asset")),
            "facts": list(shown.facts.all()),
            "measures": MEASURES,
            "styles": Style.choices,
            "categories": Category.choices,
            "kits": BrandKit.objects.filter(owner=user).order_by("name"),
            "others": others,
            "compared": {each.pk for each in shown.compared_with.all()},
            "platforms": PRESETS.values(),
        }
    )
    return render(request, "listings/project.html", context)


@page
def slots(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What moves while jobs run: the docket, the places and the rules."""
    return render(request, "listings/live.html", _live(request, find_project(reader(request), project_id)))


@page
def versions(request: HttpRequest, project_id: UUID, image_type: str) -> HttpResponse:
    """All versions of one image, for the dialog."""
    shown = find_project(reader(request), project_id)
    if image_type not in ImageType.values:
        raise Http404
    chosen = shown.slots.filter(image_type=image_type).values_list("chosen_id", flat=True).first()
    images = ListingImage.objects.filter(project=shown, image_type=image_type, late=False).order_by("-number")
    context = {"images": images, "chosen": chosen, "project": shown, "label": ImageType(image_type).label}
    return render(request, "listings/versions.html", context)


@page
def quota(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What remove.bg has left: asked for after the page is there, for it may be slow."""
    find_project(reader(request), project_id)
    provider = PROVIDERS["removebg"]
    left: Decimal | None = None
    told = "not set up here"
    if provider.has_key or provider.simulated:
        try:
            left, told = RemoveBgClient.from_settings().credits_left(seconds=QUOTA_SECONDS), "not told"
        except ProviderError as error:
            told = error.message
    return render(request, "listings/quota.html", {"left": left, "told": told})


def _live(request: HttpRequest, shown: Project) -> dict[str, Any]:
    stand = stand_of(shown)
    platform = request.GET.get("platform", "amazon")
    preset = PRESETS.get(platform, PRESETS["amazon"])
    look, word = PACKS[stand.pack_status]
    open_one = open_pack(shown)
    return {
        "project": shown,
        "stand": stand,
        "slots": slot_views(stand),
        "pack_look": look,
        "pack_word": word.format(ready=stand.ready),
        "open_pack": open_one,
        "quote": _quote(stand),
        "resumable": _resumable(stand),
        "preset": preset,
        "reports": _reports(stand, preset.platform),
    }


def _quote(stand: Stand) -> PackQuote:
    """Of what the filled button would do: the whole pack, or what is missing of it."""
    missing = [slot.image_type for slot in stand.slots if slot.chosen is None]
    return pack_quote(stand.project, missing if stand.ready and missing else ImageType.values)


def _resumable(stand: Stand) -> int:
    if not stand.pack or stand.live:
        return 0
    return sum(slot.chosen is None and not slot.lacking for slot in stand.slots)


def _reports(stand: Stand, platform: str) -> list[dict[str, Any]]:
    """Each chosen image with its rules, those that do not hold first."""
    preset, told = PRESETS[platform], []
    order = ["fail", "warn", "pass", "unknown"]
    for slot in stand.slots:
        if slot.chosen is None:
            continue
        rules = sorted(report_of(slot.chosen, preset)["rules"], key=lambda rule: order.index(rule["verdict"]))
        shown = [rule | dict(zip(("look", "word"), VERDICT_LOOKS[rule["verdict"]], strict=True)) for rule in rules]
        holds = sum(rule["verdict"] == "pass" for rule in rules)
        judged = sum(rule["verdict"] != "unknown" for rule in rules)
        bad = sum(rule["verdict"] == "fail" for rule in rules)
        told.append(
            {
                "label": slot.label,
                "rules": shown,
                "look": "failed" if bad else "done" if holds == judged else "partial",
                "word": f"{holds} of {judged} hold",
            }
        )
    return told
