"""The A+ page as Amazon lays it out, with what is to be looked at marked; and its pictures."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.assets.storage import open_file
from apps.jobs.states import LIVE
from apps.listings.aplus.making import find_page, price_of_text, skeleton
from apps.listings.aplus.modules import MODULES, Module
from apps.listings.models import APlusPage, Project
from apps.listings.owned import find_project
from apps.listings.quotes import price_of_scene
from apps.pages.shell import page, reader
from apps.pages.words import stage_words

LAYOUTS = {
    "STANDARD_HEADER_IMAGE_TEXT": "header",
    "STANDARD_IMAGE_TEXT_OVERLAY": "overlay",
    "STANDARD_SINGLE_SIDE_IMAGE": "side",
    "STANDARD_SINGLE_IMAGE_HIGHLIGHTS": "side",
    "STANDARD_SINGLE_IMAGE_SPECS_DETAIL": "side",
    "STANDARD_IMAGE_SIDEBAR": "side",
    "STANDARD_THREE_IMAGE_TEXT": "three",
    "STANDARD_MULTIPLE_IMAGE_TEXT": "three",
    "STANDARD_FOUR_IMAGE_TEXT": "four",
    "STANDARD_FOUR_IMAGE_TEXT_QUADRANT": "quadrant",
    "PREMIUM_FULL_IMAGE": "header",
    "PREMIUM_DUAL_IMAGE_TEXT": "dual",
}


@page
def aplus(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The section of a project's page, for itself: it is read again when the writing has ended."""
    return render(request, "listings/aplus.html", aplus_context(find_project(reader(request), project_id)))


@page
def new_module(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """An empty module's fields, for the editor."""
    project, kind = find_project(reader(request), project_id), request.GET.get("type", "")
    if kind not in MODULES:
        raise Http404
    view = _module_view(skeleton(project, kind, "new"), 0, "")
    return render(request, "listings/aplus_module.html", {"module": view, "project": project})


@page
def picture(request: HttpRequest, project_id: UUID, aplus_id: UUID, place: int, name: str) -> HttpResponseBase:
    """One picture of a page; only its owner's."""
    found = find_page(find_project(reader(request), project_id), aplus_id)
    try:
        kept = found.modules[place]["pictures"][name]
        file = open_file(str(kept["path"])) if kept["path"] in found.files.values_list("file", flat=True) else None
    except (IndexError, KeyError, TypeError, FileNotFoundError) as error:
        raise Http404 from error
    if file is None:
        raise Http404
    response = FileResponse(file, content_type="image/jpeg")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def aplus_context(project: Project) -> dict[str, Any]:
    found = APlusPage.objects.filter(project=project).select_related("job").order_by("premium", "created_at").first()
    told = found.report if found else {}
    return {
        "project": project,
        "aplus": found,
        "aplus_live": bool(found and found.job and found.job.status in LIVE),
        "aplus_stage": stage_words(found.job.stage, "gemini") if found and found.job else "",
        "aplus_failed": found.job if found and found.job and found.job.status == "failed" else None,
        "modules": [_module_view(module, n, str(found.pk) if found else "") for n, module in enumerate(found.modules)]
        if found
        else [],
        "faults": told.get("faults", []),
        "findings": told.get("findings", []),
        "kinds": [module for module in MODULES.values() if module.premium == bool(found and found.premium)],
        "price": price_of_text(project).amount if project.facts.exists() else None,
        "scene_price": price_of_scene().amount,
    }


def _module_view(module: dict[str, Any], place: int, page_id: str) -> dict[str, Any]:
    """A module for both the preview and the editor."""
    known = MODULES[module["type"]]
    texts = module.get("texts") or {}
    pictures = module.get("pictures") or {}
    fields = [
        {
            "name": text.name,
            "label": _label(text.name),
            "most": text.most,
            "items": text.items,
            "value": "\n".join(texts.get(text.name) or []) if text.items else texts.get(text.name, ""),
        }
        for text in known.texts
    ]
    shown = [
        {
            "name": slot.name,
            "alt": texts.get(slot.alt, ""),
            "alt_name": slot.alt,
            "width": slot.width,
            "height": slot.height,
            "there": slot.name in pictures,
            "place": place,
            "page": page_id,
        }
        for slot in known.pictures
    ]
    return {
        "raw": module,
        "id": module.get("id", ""),
        "known": known,
        "layout": LAYOUTS.get(known.type, "plain"),
        "headline": texts.get("headline", ""),
        "blocks": _blocks(known, texts, shown),
        "fields": fields,
        "pictures": shown,
        "rows": module.get("rows") or [],
        "labels": module.get("labels") or [],
        "columns": [
            {
                "title": column.get("title", ""),
                "cells": [column.get("values", {}).get(label) or "–" for label in module.get("labels") or []],
            }
            for column in module.get("columns") or []
        ],
    }


def _blocks(known: Module, texts: dict[str, Any], pictures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Texts and pictures that belong together, by the first part of their names."""
    blocks: dict[str, dict[str, Any]] = {}
    for shown in pictures:
        blocks.setdefault(str(shown["name"]).partition(".")[0], {})["picture"] = shown
    for text in known.texts:
        if text.name == "headline" or not texts.get(text.name):
            continue
        first, _, last = text.name.rpartition(".")
        block = blocks.setdefault((first or last).partition(".")[0], {})
        if text.items:
            block["lines"] = texts[text.name]
        else:
            block["headline" if last == "headline" or last.startswith("question") else "body"] = texts[text.name]
    return list(blocks.values())


def _label(name: str) -> str:
    words = name.replace(".items", " lines").replace(".", " ")
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in words)
    return spaced[:1].upper() + spaced[1:]
