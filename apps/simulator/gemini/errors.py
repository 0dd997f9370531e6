"""Gemini's error bodies: `{"error": {code, message, status, details}}`."""

from typing import Any

from apps.simulator.messages import Refused, Reply, as_json

TYPE = "type.googleapis.com/google.rpc."
STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
USUAL = {
    400: "Request contains an invalid argument.",
    402: "Your prepaid credits are depleted.",
    403: "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
         "form of API consumer identity to call this API.",
    404: "models/nobody is not found for API version v1beta, or is not supported for generateContent. Call ListModels to "
         "see the list of available models and their supported methods.",
    500: "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    503: "The model is overloaded. Please try again later.",
    504: "The request timed out. Please try again.",
}  # fmt: skip


def body(status: int, message: str | None = None, details: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    said = message or USUAL.get(status, f"HTTP {status}")
    error: dict[str, Any] = {"code": status, "message": said, "status": STATUSES.get(status, "UNKNOWN")}
    return {"error": error | ({"details": details} if details else {})}


def reply(status: int, message: str | None = None, details: list[dict[str, Any]] | None = None) -> Reply:
    if status == 429 and message is None:
        return _exhausted("PerMinute", "gemini-3.8-flash")
    return as_json(body(status, message, details), status=status)


def refused(status: int, message: str | None = None, details: list[dict[str, Any]] | None = None) -> Refused:
    return Refused(reply(status, message, details))


def wrong_key() -> Refused:
    said = "API key not valid. Please pass a valid API key."
    info = {"@type": f"{TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"}}  # fmt: skip
    return refused(400, said, [info, {"@type": f"{TYPE}LocalizedMessage", "locale": "en-US", "message": said}])


def no_model(name: str) -> Refused:
    return refused(404, USUAL[404].replace("models/nobody", f"models/{name}"))


def unknown_field(name: str, place: str) -> Refused:
    said = f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
    violation = {"description": said} | ({"field": place.removeprefix(" at ").strip("'")} if place else {})
    return refused(400, said, [{"@type": f"{TYPE}BadRequest", "fieldViolations": [violation]}])


def too_many(model: str) -> Refused:
    return Refused(_exhausted("PerMinute", model))


def _exhausted(span: str, model: str) -> Reply:
    """Of the minute it is worth waiting for; of the day it is not, however short the delay that it names."""
    metric = "generativelanguage.googleapis.com/generate_content_requests"
    said = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
        f"head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: {metric}, limit: 20, "
        f"model: {model}\nPlease retry in 34.074824224s."
    )
    violation = {"quotaMetric": metric, "quotaId": f"GenerateRequests{span}PerProjectPerModel",
                 "quotaDimensions": {"location": "global", "model": model}, "quotaValue": "20"}  # fmt: skip
    details: list[dict[str, Any]] = [
        {"@type": f"{TYPE}Help", "links": [{"description": "Learn more about Gemini API quotas",
                                            "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
        {"@type": f"{TYPE}QuotaFailure", "violations": [violation]},
        {"@type": f"{TYPE}RetryInfo", "retryDelay": "34s"},
    ]  # fmt: skip
    return as_json(body(429, said, details), status=429)


def out_of_the_day(model: str) -> Refused:
    return Refused(_exhausted("PerDay", model))
