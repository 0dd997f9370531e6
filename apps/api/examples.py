"""What the reference shows as answers. A test holds each against the schema, so that none goes stale."""

from typing import Any

ROW_ID = "0b7e3a52-5a3c-4a55-9b0e-6a7f0f3f2f10"
_WORKSPACE_ID = "c1d7a9f0-2a57-4f0c-8c0b-0d9b8d1f6a01"
_JOB_ID = "8d2f1c8e-4f5b-4b5a-9a5e-2f6f6f0d3b11"
_PROMPT_JOB_ID = "5f0c9d1e-31b7-4f6e-9c53-6a5d1d4b7c21"
_IMAGE_ID = "e4b8f0f2-7c1d-4d43-8f8e-6d2f9f1c5a31"
_CREATED = "2026-11-22T09:00:00Z"
_STARTED = "2026-11-22T09:00:04Z"
_FINISHED = "2026-11-22T09:00:31Z"
_MEDIA = "https://pressroom.example.com/media"

IMAGE: dict[str, Any] = {
    "imageId": _IMAGE_ID,
    "url": f"{_MEDIA}/images/{_IMAGE_ID}",
    "thumbnailUrl": f"{_MEDIA}/images/{_IMAGE_ID}/thumbnail",
    "width": 2048,
    "height": 2048,
    "favourite": True,
    "rating": 4,
    "simulated": False,
    "late": False,
    "nsfw": False,
    "unreadable": "",
}
_CALL = {
    "callId": "1d6c4f3e-9a1b-4a77-b0c5-3f6f1e8a9c41",
    "provider": "wavespeed",
    "purpose": "submit",
    "model": "bytedance/seedream-v4.5/edit",
    "modelAnswered": "bytedance/seedream-v4.5/edit",
    "state": "succeeded",
    "providerId": "pred_7f3a",
    "cost": "0.04",
    "costSource": "priced",
    "errorCode": "",
    "createdAt": _STARTED,
    "finishedAt": _FINISHED,
}
_ATTEMPT = {
    "attempt": 1,
    "startedAt": _STARTED,
    "finishedAt": _FINISHED,
    "outcome": "completed",
    "error": None,
    "calls": [_CALL],
}
_STARTED_OUTLOOK: dict[str, Any] = {
    "position": None,
    "estimatedWait": None,
    "estimatedWaitUnknown": "",
    "waitingReason": "",
    "waitingUntil": None,
    "waitingFacts": {},
}
_QUEUED_OUTLOOK = {
    "position": 2,
    "estimatedWait": {"p50": 20.0, "p90": 40.0},
    "estimatedWaitUnknown": "",
    "waitingReason": "lane_limit",
    "waitingUntil": None,
    "waitingFacts": {"limit": 3, "running": 3},
}
JOB: dict[str, Any] = {
    **_STARTED_OUTLOOK,
    "jobId": _JOB_ID,
    "kind": "image",
    "status": "completed",
    "stage": "",
    "priority": 8,
    "rowId": ROW_ID,
    "promptJobId": _PROMPT_JOB_ID,
    "promptStatus": "completed",
    "prompt": "A running shoe on warm sand in low morning light",
    "retriedFrom": None,
    "error": None,
    "images": [IMAGE],
    "cost": "0.04",
    "createdAt": _CREATED,
    "startedAt": _STARTED,
    "finishedAt": _FINISHED,
    "cancelRequestedAt": None,
    "attempts": [_ATTEMPT],
}
QUEUED_JOB = (
    JOB
    | _QUEUED_OUTLOOK
    | {
        "status": "queued",
        "promptStatus": "generating",
        "waitingReason": "dependency",
        "waitingFacts": {"kind": "prompt", "status": "queued"},
        "prompt": "",
        "images": [],
        "cost": "0.00",
        "startedAt": None,
        "finishedAt": None,
        "attempts": [],
    }
)
RETRIED_JOB = QUEUED_JOB | {
    **_QUEUED_OUTLOOK,
    "jobId": "3a9e7d50-0c44-4a86-8d0f-9b1c2d3e4f51",
    "promptJobId": None,
    "promptStatus": "completed",
    "prompt": JOB["prompt"],
    "retriedFrom": _JOB_ID,
}
JOBS = {"results": [JOB], "next": None}
CREATED_JOBS = {
    "jobs": [QUEUED_JOB],
    "jobId": _JOB_ID,
    "promptJobId": _PROMPT_JOB_ID,
    "promptStatus": "generating",
}
CANCELLED = {"jobId": _JOB_ID, "state": "cancelled"}
QUEUED_PROMPT: dict[str, Any] = {
    **_QUEUED_OUTLOOK,
    "promptJobId": _PROMPT_JOB_ID,
    "status": "queued",
    "estimatedWaitTime": 20.0,
}
PROMPT = (
    QUEUED_PROMPT
    | _STARTED_OUTLOOK
    | {
        "status": "completed",
        "estimatedWaitTime": None,
        "kind": "prompt",
        "stage": "",
        "priority": 8,
        "rowId": ROW_ID,
        "operation": "generate",
        "strategy": "describe",
        "strategyVersion": 1,
        "generatedPrompt": JOB["prompt"],
        "source": "model",
        "fallback": None,
        "modelAsked": "grok-4.7",
        "modelAnswered": "grok-4.7",
        "reusedFrom": None,
        "tried": [
            {
                "attempt": 1,
                "model": "grok-4.7",
                "answered": "grok-4.7",
                "outcome": "accepted",
                "said": "",
                "cost": "0.0024",
            }
        ],
        "error": None,
        "cost": "0.0024",
        "createdAt": _CREATED,
        "startedAt": _CREATED,
        "finishedAt": _STARTED,
        "attempts": [],
    }
)
WORKSPACE: dict[str, Any] = {
    "id": _WORKSPACE_ID,
    "name": "Autumn shoes",
    "defaultPrompt": "A photograph on warm sand",
    "defaultRefUrls": [],
    "outputWidth": 2048,
    "outputHeight": 2048,
    "imagesPerGenerate": 2,
    "generationModel": "",
    "promptStrategy": "describe",
    "secondStrategy": "",
    "secondShare": 0,
    "shopRefusals": False,
    "reusePrompts": False,
    "modelWarnings": [],
    "onPromptFailure": "template",
    "rightsConfirmedAt": _CREATED,
    "createdAt": _CREATED,
    "updatedAt": _CREATED,
}
WORKSPACES = {"results": [WORKSPACE], "next": None}
ROW: dict[str, Any] = {
    "id": ROW_ID,
    "workspaceId": _WORKSPACE_ID,
    "label": "Left shoe",
    "refUrls": None,
    "targetUrl": "https://images.example.com/left.jpg",
    "promptOverride": "",
    "prompt": {
        "text": "The left shoe on wet slate in low morning light, laces loose.",
        "source": "model",
        "model": "grok-4.7",
        "strategy": "describe@1",
        "before": "",
    },
    "matchTargetRatio": False,
    "status": "done",
    "waitingReason": "",
    "needsPrompt": False,
    "position": 0,
    "error": None,
    "promptJobId": _PROMPT_JOB_ID,
    "jobs": [JOB],
    "images": [IMAGE],
    "createdAt": _CREATED,
    "updatedAt": _CREATED,
}
OTHER_ROW_ID = "5f0d6a0c-0d52-4a6e-9f1b-2f6f0a8b1c33"
GENERATED_ROWS = {
    "queued": 1,
    "leftOut": 1,
    "results": [
        {"rowId": ROW_ID, "jobIds": [JOB["jobId"]], "promptJobId": _PROMPT_JOB_ID, "problem": None},
        {
            "rowId": OTHER_ROW_ID,
            "jobIds": [],
            "promptJobId": None,
            "problem": {
                "status": 422,
                "code": "target_missing",
                "detail": "This row has no target picture.",
                "action": "Add one, then generate.",
            },
        },
    ],
}
CANCELLED_ROWS = {
    "cancelled": 3,
    "requested": 1,
    "results": [{"rowId": ROW_ID, "cancelled": 3, "requested": 1, "problem": None}],
}
ROWS = {"results": [ROW], "next": f"https://pressroom.example.com/api/workspaces/{_WORKSPACE_ID}/rows?cursor=WzBd"}
ASSET = {
    "assetId": "97b1f7c8-6b43-4a7a-a0b7-5d2a1c9e0f61",
    "url": f"{_MEDIA}/assets/97b1f7c8-6b43-4a7a-a0b7-5d2a1c9e0f61",
    "thumbnailUrl": f"{_MEDIA}/assets/97b1f7c8-6b43-4a7a-a0b7-5d2a1c9e0f61/thumbnail",
    "name": "left.jpg",
    "width": 3000,
    "height": 2000,
    "bytes": 1_843_200,
    "sourceUrl": "",
    "fetchedAt": None,
    "createdAt": _CREATED,
}
READY = {"name": "workers", "ok": True, "detail": "Workers serve images, prompts.", "action": ""}
NOT_READY = {
    "name": "workers",
    "ok": False,
    "detail": "Nobody works on images.",
    "action": "Start one: celery -A config worker -Q images",
}
DISPATCHED = {"promoted": 1, "rescued": 0, "reconciled": 0, "woken": 2}
_BUDGET: dict[str, Any] = {
    "scope": "provider",
    "provider": "wavespeed",
    "period": "day",
    "amount": "20.00",
    "spent": "12.40",
    "held": "0.16",
    "left": "7.44",
    "renewsAt": "2026-11-23T00:00:00Z",
}
BUDGETS = {"results": [_BUDGET]}
QUOTE = {
    "total": "0.0982",
    "exact": False,
    "items": [
        {
            "what": "image",
            "provider": "wavespeed",
            "model": "bytedance/seedream-v4.5/edit",
            "count": 2,
            "each": "0.04",
            "source": "quoted",
            "total": "0.08",
        },
        {
            "what": "prompt",
            "provider": "xai",
            "model": "grok-4.7",
            "count": 1,
            "each": "0.0182",
            "source": "at_most",
            "total": "0.0182",
        },
    ],
    "budgets": [_BUDGET],
    "short": None,
}
SPEND = {
    "from": "2026-11-22",
    "to": "2026-11-22",
    "by": "provider",
    "total": "12.40",
    "results": [{"key": "wavespeed", "name": "wavespeed", "calls": 310, "unpriced": 0, "cost": "12.40"}],
}
STRATEGIES = {
    "results": [
        {
            "name": "describe",
            "version": 1,
            "active": True,
            "system": "You write prompts for an image model.",
            "createdAt": _CREATED,
        }
    ]
}
_COMPARED: dict[str, Any] = {
    "strategy": "describe",
    "version": 1,
    "asked": 31,
    "written": 30,
    "images": 60,
    "favourites": 18,
    "kept": 24,
    "spent": "2.4912",
    "favouriteShare": {"n": 60, "figure": 0.3, "low": 0.1990, "high": 0.4251},
    "rating": {"n": 9, "figure": None, "low": None, "high": None},
    "costPerKept": {"n": 60, "figure": 0.1038, "low": 0.0793, "high": 0.1442},
}
COMPARISON = {
    "verdict": "Not enough to say: comparing needs two strategies with 10 images each.",
    "results": [_COMPARED],
}
