"""What the reference shows of Listings. A test holds each against the schema."""

from typing import Any

PROJECT_ID = "6f5a0c1e-8a0c-4e43-9d36-0d5f0b1a7c01"
JOB_ID = "8d2f1c8e-4f5b-4b5a-9a5e-2f6f6f0d3b12"
_IMAGE_ID = "b0a8f3d2-6c3e-4c0a-8f5d-7f4d2a9e1c31"
_PACK_ID = "3a1f9e57-0d1c-4c4e-8e2b-6f5d4c3b2a11"
_PHOTO_ID = "aa0c7f2e-1f7d-4b8e-9e0b-4c2d6f8a9b21"
_CREATED = "2026-11-22T09:00:00Z"
_SITE = "https://pressroom.example.com"

FACT: dict[str, Any] = {"key": "volume", "label": "Volume", "value": "80 ml", "unit": "ml", "confirmedAt": _CREATED}
PHOTO: dict[str, Any] = {
    "photoId": _PHOTO_ID,
    "url": f"{_SITE}/media/assets/{_PHOTO_ID}",
    "thumbnailUrl": f"{_SITE}/media/assets/{_PHOTO_ID}/thumbnail",
    "width": 2400,
    "height": 2400,
    "warnings": [],
    "plainGround": True,
}
IMAGE: dict[str, Any] = {
    "imageId": _IMAGE_ID,
    "imageType": "MAIN_IMAGE",
    "style": "premium",
    "version": 1,
    "url": f"{_SITE}/media/listing-images/{_IMAGE_ID}",
    "thumbnailUrl": f"{_SITE}/media/listing-images/{_IMAGE_ID}/thumbnail",
    "width": 2000,
    "height": 2000,
    "bytes": 560_461,
    "sha256": "7c9a0c1e" * 8,
    "madeBy": "pack",
    "cutoutMethod": "removebg",
    "drift": None,
    "rules": {"pass": 18, "fail": 0, "warn": 0, "unknown": 1},
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced",
    "cost": None,
    "simulated": False,
    "createdAt": _CREATED,
}
_SLOT: dict[str, Any] = {
    "imageType": "MAIN_IMAGE",
    "state": "completed",
    "missingFacts": [],
    "jobId": JOB_ID,
    "error": None,
    "versions": 1,
    "image": IMAGE,
}
NEW_PROJECT: dict[str, Any] = {
    "name": "Espresso cup, brick red",
    "sku": "EMO-CUP-080-RED",
    "facts": [{"label": "Volume", "value": "80 ml"}],
}
PROJECT: dict[str, Any] = {
    "id": PROJECT_ID,
    "name": "Espresso cup, brick red",
    "headline": "",
    "status": "partial",
    "sku": "EMO-CUP-080-RED",
    "asin": "",
    "gtin": "",
    "brand": "Ember & Oak",
    "locale": "en-US",
    "category": "household",
    "description": "",
    "style": "premium",
    "brandKitId": None,
    "compareWith": [],
    "facts": [FACT],
    "photos": [PHOTO],
    "slots": [_SLOT],
    "pack": {"packId": _PACK_ID, "style": "premium", "status": "partial", "cost": "0.2842", "quoted": "0.36"},
    "createdAt": _CREATED,
    "updatedAt": _CREATED,
}
KIT: dict[str, Any] = {"id": _PACK_ID, "name": "Ember & Oak", "colours": ["#A5401B", "#F4EFE6"], "createdAt": _CREATED}
PACK_STARTED: dict[str, Any] = {
    "jobId": JOB_ID,
    "packId": _PACK_ID,
    "existing": False,
    "children": [
        {"imageType": "MAIN_IMAGE", "jobId": JOB_ID, "missingFacts": []},
        {"imageType": "DIMENSION_DIAGRAM", "jobId": None, "missingFacts": ["height"]},
    ],
}
PACK_QUOTE: dict[str, Any] = {
    "total": "0.30",
    "items": [
        {"what": "cut-out", "provider": "removebg", "model": "full", "count": 1, "each": "0.20", "total": "0.20"},
        {
            "what": "painted scenes",
            "provider": "openai",
            "model": "gpt-image-2.6-flare",
            "count": 2,
            "each": "0.05",
            "total": "0.10",
        },
    ],
    "budgets": [],
    "short": None,
    "reused": [],
    "missingFacts": {"DIMENSION_DIAGRAM": ["height"]},
}
COMPLIANCE: dict[str, Any] = {
    "platform": "amazon",
    "presetVersion": "2026-11",
    "readOn": "2026-11-22",
    "sources": ["Seller Central help JV4FNMT7563SF5F (file names; official)"],
    "images": [
        {
            "imageId": _IMAGE_ID,
            "imageType": "MAIN_IMAGE",
            "rules": [
                {
                    "rule": "background_white",
                    "title": "Background is pure white",
                    "verdict": "pass",
                    "measured": "100.00 % at 255",
                    "limit": "100 %",
                    "said": "",
                    "fix": "",
                    "where": [],
                }
            ],
        }
    ],
}
EXPORT: dict[str, Any] = {
    "exportId": _PACK_ID,
    "platform": "amazon",
    "status": "ready",
    "fileUrl": f"/api/projects/{PROJECT_ID}/exports/{_PACK_ID}/file",
    "bytes": 3_204_511,
    "sha256": "7c9a0c1e" * 8,
    "warnings": [],
    "leftOut": [],
    "createdAt": _CREATED,
}
APLUS_STARTED: dict[str, Any] = {
    "jobId": JOB_ID,
    "aplusId": _PACK_ID,
    "statusUrl": f"{_SITE}/api/jobs/{JOB_ID}",
}
CHECKED: dict[str, Any] = {
    "ready": False,
    "faults": [],
    "findings": [
        {
            "pointer": "/0/texts/body",
            "kind": "price",
            "severity": "block",
            "words": "price",
            "said": "Prices and words about them are not allowed.",
        }
    ],
}
APLUS: dict[str, Any] = {
    "aplusId": _PACK_ID,
    "locale": "en-US",
    "premium": False,
    "status": "needs_edit",
    "revision": 2,
    "jobId": JOB_ID,
    "modules": [{"id": "m1", "type": "STANDARD_TEXT", "texts": {"body": "The best price."}, "pictures": {}}],
    "checked": CHECKED,
    "updatedAt": _CREATED,
}
