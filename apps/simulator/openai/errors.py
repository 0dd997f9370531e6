"""OpenAI's error bodies: `{"error": {message, type, param, code}}`."""

import uuid

from apps.simulator.messages import Refused, Reply, as_json

REQUEST = "invalid_request_error"
QUOTA = "You exceeded your current quota, please check your plan and billing details."
RATE = (
    "Rate limit reached for {model} in project proj_simulated organization org-simulated on requests per min (RPM): "
    "Limit 500, Used 500, Requested 1. Please try again in 1.146s. Visit https://platform.openai.com/account/rate-limits "
    "to learn more."
)
USUAL: dict[int, tuple[str, str | None, str]] = {
    400: (REQUEST, None, "Invalid request."),
    401: (REQUEST, "invalid_api_key", "Incorrect API key provided: sim***ey. You can find your API key at "
          "https://platform.openai.com/account/api-keys."),
    403: (REQUEST, None, "You do not have permission to do this."),
    404: (REQUEST, "model_not_found", "The model `nobody` does not exist or you do not have access to it."),
    405: (REQUEST, "method_not_supported", "Not allowed to GET on /v1/chat/completions."),
    413: (REQUEST, None, "The request is too large."),
    429: ("requests", "rate_limit_exceeded", RATE.format(model="gpt-5.4-mini")),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    503: ("service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded, please try again later."),
}  # fmt: skip


def reply(
    status: int, message: str | None = None, *, kind: str = "", code: str | None = None, param: str | None = None
) -> Reply:
    usual_kind, usual_code, usual_message = USUAL.get(status, ("server_error", None, f"HTTP {status}"))
    error = {
        "message": message or usual_message,
        "type": kind or usual_kind,
        "param": param,
        "code": code if message else usual_code,
    }
    return as_json({"error": error}, status=status)


def refused(
    status: int, message: str | None = None, *, kind: str = "", code: str | None = None, param: str | None = None
) -> Refused:
    return Refused(reply(status, message, kind=kind, code=code, param=param))


def out_of_money() -> Refused:
    """It is a 429, and waiting does not help: it says so itself."""
    answer = reply(429, QUOTA, kind="insufficient_quota", code="insufficient_quota")
    answer.headers["x-should-retry"] = "false"
    return Refused(answer)


def moderated() -> Refused:
    """A picture that is not made, and not charged."""
    request = f"req_{uuid.uuid4().hex}"
    said = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com "
        f"and include the request ID {request}."
    )
    details = {"moderation_stage": "input", "categories": ["other"]}
    error = {"message": said, "type": "image_generation_user_error", "param": None, "code": "moderation_blocked"}
    return Refused(as_json({"error": error | {"moderation_details": details}}, status=400))


def too_many(model: str) -> Refused:
    answer = reply(429, RATE.format(model=model), kind="requests", code="rate_limit_exceeded")
    answer.headers |= {"retry-after-ms": "1146", "retry-after": "2"}
    return Refused(answer)


def no_model(name: str) -> Refused:
    said = f"The model `{name}` does not exist or you do not have access to it."
    return refused(404, said, code="model_not_found", param="model")
