"""xAI's flat error bodies: `{"code": text, "error": text}`."""

from apps.simulator.messages import Refused, Reply, as_json

INVALID = "Client specified an invalid argument"
EXHAUSTED = "Some resource has been exhausted"
TEAM = "5b2c1a90-7a0f-4d9e-9f7e-1d2c3b4a5f60"
OUT_OF_CREDITS = (
    f"Your team {TEAM} has either used all available credits or reached its monthly spending limit. To continue "
    "making API requests, please purchase more credits or raise your spending limit."
)
RATE_LIMITED = (
    f"Too many requests for team {TEAM} and model grok-4.3. Your team's rate limit is — Requests per Second "
    "(actual/limit): 2/1. You can view your team rate limits at https://console.x.ai."
)
USUAL: dict[int, tuple[str | None, str]] = {
    400: (INVALID, "Invalid request content."),
    401: (
        "The request does not have valid authentication credentials",
        "No API key provided. Send it as `Authorization: Bearer <key>`.",
    ),
    403: (
        "The caller does not have permission to execute the specified operation",
        "Your newly created team doesn't have any credits or licenses yet. You can purchase those on "
        f"https://console.x.ai/team/{TEAM}.",
    ),
    404: ("The requested resource was not found", "The requested resource was not found."),
    405: (None, "Method Not Allowed"),
    410: (None, "Live search is deprecated. Please switch to the Agent Tools API."),
    415: (None, "Expected request with `Content-Type: application/json`"),
    429: (EXHAUSTED, RATE_LIMITED),
    500: ("Internal error", "Internal error"),
    503: ("The service is currently unavailable", "The service is currently unavailable"),
    504: (
        "Deadline expired before operation could complete",
        "Deadline expired before operation could complete",
    ),
}


def reply(status: int, message: str | None = None, *, code: str | None = None) -> Reply:
    usual_code, usual_message = USUAL.get(status, (None, f"HTTP {status}"))
    body = {"code": code or usual_code, "error": message or usual_message}
    return as_json({name: value for name, value in body.items() if value is not None}, status=status)


def refused(status: int, message: str | None = None, *, code: str | None = None) -> Refused:
    return Refused(reply(status, message, code=code))


def wrong_key(key: str) -> Refused:
    shown = f"{key[:2]}***{key[-2:]}" if len(key) > 4 else "***"
    return refused(400, f"Incorrect API key provided: {shown}. You can obtain an API key from https://console.x.ai.")


def malformed(what: str) -> Refused:
    return refused(422, f"Failed to deserialize the JSON body into the target type: {what}")
