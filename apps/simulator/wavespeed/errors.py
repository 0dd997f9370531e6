"""WaveSpeed's envelope, its HTTP errors and the codes of failed tasks."""

from typing import Any

from apps.simulator.messages import Refused, Reply, as_json

USUAL = {
    400: "Bad Request",
    401: "Unauthorized: invalid authentication",
    403: "insufficient role",
    404: "not found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
OUT_OF_CREDITS = "Insufficient credits. Please top up."
TASK_FAILURES = {
    1200: "The content was flagged by content moderation.",
    1400: "A required parameter is missing.",
    1401: "A parameter has an invalid value.",
    1402: "Failed to download image from the provided URL.",
    1403: "Task execution failed.",
    1405: "Task failed.",
    5000: "Internal error.",
    5003: "Service unavailable.",
    5004: "The task timed out.",
}


def success(data: Any) -> Reply:
    return as_json({"code": 200, "message": "success", "data": data})


def reply(status: int, message: str | None = None) -> Reply:
    return as_json({"code": status, "message": message or USUAL.get(status, f"HTTP {status}")}, status=status)


def refused(status: int, message: str | None = None) -> Refused:
    return Refused(reply(status, message))
