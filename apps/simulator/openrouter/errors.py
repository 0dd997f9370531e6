"""OpenRouter's error bodies: `{"error": {code, message, metadata?}}`, the code being the status."""

from typing import Any

from apps.simulator.messages import Refused, Reply, as_json

ROUTING = "https://openrouter.ai/docs/guides/routing/provider-selection"
USUAL: dict[int, str] = {
    400: "Invalid request parameters",
    401: "User not found.",
    402: "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
    403: "Request blocked: prompt injection patterns detected",
    404: "Resource not found",
    408: "Operation timed out. Please try again later.",
    413: "Request payload too large",
    422: "Invalid argument",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    502: "Provider returned error",
    503: "Service temporarily unavailable",
    529: "Provider returned error",
}
KINDS = {
    400: "invalid_request", 401: "authentication", 402: "payment_required", 404: "not_found", 413: "payload_too_large",
    429: "rate_limit_exceeded", 500: "server", 502: "provider_unavailable", 503: "provider_overloaded",
}  # fmt: skip


def body(status: int, message: str | None = None, **metadata: Any) -> dict[str, Any]:
    kind = {"error_type": KINDS[status]} if status in KINDS else {}
    return {
        "error": {
            "code": status,
            "message": message or USUAL.get(status, f"HTTP {status}"),
            "metadata": kind | metadata,
        }
    }


def reply(status: int, message: str | None = None, **metadata: Any) -> Reply:
    answer = as_json(body(status, message, **metadata), status=status)
    if status == 429:
        answer.headers["Retry-After"] = "3"
    return answer


def refused(status: int, message: str | None = None, **metadata: Any) -> Refused:
    return Refused(reply(status, message, **metadata))


def no_model(name: str) -> Refused:
    return refused(400, f"{name} is not a valid model ID", error_type="invalid_request")


def no_endpoint_takes_them() -> Refused:
    said = f"No endpoints found that can handle the requested parameters. To learn more about provider routing, visit: {ROUTING}"
    return refused(404, said, failed_routing_step="Filter by Parameters")
