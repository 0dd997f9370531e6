"""A page as the document that Amazon's API takes, and the pictures that are to be uploaded before it.

Upload destinations are only known after the upload: placeholders stand for them, which uploads.json names.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from apps.listings.aplus.modules import MODULES, Module, Picture
from apps.listings.aplus.pages import Page

CONTENT_TYPE = "EBC"  # written through Seller Central
_LISTS = {"bulletedListBlock", "specificationListBlock"}


def document(page: Page, *, name: str, locale: str) -> dict[str, Any]:
    """The body of a request that creates or replaces a content document."""
    modules = [_module(module, place) for place, module in enumerate(page)]
    return {
        "contentDocument": {
            "name": name[:100] or "A+ page",
            "contentType": CONTENT_TYPE,
            "locale": locale,
            "contentModuleList": modules,
        }
    }


def uploads(page: Page, files: Mapping[str, bytes], *, folder: str = "aplus") -> list[dict[str, Any]]:
    """`files`: path → content. One entry for each picture, in the document's order."""
    told = []
    for place, module in enumerate(page):
        for picture in MODULES[module["type"]].pictures:
            kept = (module.get("pictures") or {}).get(picture.name)
            if kept:
                data = files[kept["path"]]
                told.append(
                    {
                        "placeholder": placeholder(place, picture.name),
                        "file": f"{folder}/images/{file_name(place, picture.name)}",
                        "contentType": "image/jpeg",
                        "contentMD5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
                        "crop": {"width": kept["width"], "height": kept["height"]},
                    }
                )
    return told


def placeholder(place: int, name: str) -> str:
    return f"{{{{upload:{place + 1}-{name}}}}}"


def file_name(place: int, name: str) -> str:
    return f"{place + 1:02}-{name.replace('.', '-')}.jpg"


def _module(module: dict[str, Any], place: int) -> dict[str, Any]:
    known = MODULES[module["type"]]
    body: dict[str, Any] = {}
    texts = module.get("texts") or {}
    for text in known.texts:
        value = texts.get(text.name)
        if not value:
            continue
        if text.items:
            _put_list(body, text.name, value)
        elif text.name.endswith("body"):
            _put(body, text.name, {"textList": [{"value": value}]})
        else:
            _put(body, text.name, {"value": value})
    for picture in known.pictures:
        kept = (module.get("pictures") or {}).get(picture.name)
        if kept:
            _put(body, picture.name, _image(place, picture, kept, texts.get(picture.alt, "")))
    _table(known, module, body)
    if known.type == "STANDARD_MULTIPLE_IMAGE_TEXT":
        body = {"blocks": [{"block": body[name]} for name in ("blocks1", "blocks2", "blocks3") if name in body]}
    if known.type == "STANDARD_SINGLE_SIDE_IMAGE":
        body["imagePositionType"] = (module.get("options") or {}).get("imagePositionType", "LEFT")
    if known.type == "STANDARD_IMAGE_TEXT_OVERLAY":
        body["overlayColorType"] = (module.get("options") or {}).get("overlayColorType", "LIGHT")
    return {"contentModuleType": known.type, known.key: body}


def _table(known: Module, module: dict[str, Any], body: dict[str, Any]) -> None:
    if known.table == "specs":
        rows: Sequence[dict[str, str]] = module.get("rows") or []
        body["specificationList"] = [
            {"label": {"value": row["label"]}, "description": {"value": row["value"]}} for row in rows[:16]
        ]
        body["tableCount"] = 2 if len(rows) >= 9 else 1
    if known.table == "comparison":
        labels = module.get("labels") or []
        body["metricRowLabels"] = [{"position": n + 1, "value": label[:250]} for n, label in enumerate(labels[:10])]
        body["productColumns"] = [
            {
                "position": n + 1,
                "title": column["title"][:80],
                "highlight": n == 0,
                **({"asin": column["asin"]} if column.get("asin") else {}),
                "metrics": [
                    {"position": m + 1, "value": (column["values"].get(label) or "–")[:250]}
                    for m, label in enumerate(labels[:10])
                ],
            }
            for n, column in enumerate((module.get("columns") or [])[:6])
        ]


def _image(place: int, picture: Picture, kept: Mapping[str, Any], alt: str) -> dict[str, Any]:
    size = {side: {"value": int(kept[side]), "units": "pixels"} for side in ("width", "height")}
    return {
        "uploadDestinationId": placeholder(place, picture.name),
        "imageCropSpecification": {"size": size},
        "altText": alt,
    }


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        body = body.setdefault(part, {})
    body[last] = value


def _put_list(body: dict[str, Any], name: str, lines: Sequence[str]) -> None:
    block = name.removesuffix(".items")
    told = {"textList": [{"position": n + 1, "text": {"value": line}} for n, line in enumerate(lines)]}
    body[block] = {"block": told} if block in _LISTS else told
