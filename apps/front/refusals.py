"""What the front itself refuses, said as the API and the pages say it."""

from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from apps.api.errors import PROBLEM_JSON, problem_body
from apps.core.errors import Problem

OWN = {"Server": "pressroom", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
log = structlog.get_logger(__name__)


class Refused(Exception):
    """The request is answered with this problem; `close` also ends the connection, whose rest is not to be trusted."""

    def __init__(self, problem: Problem, *, close: bool = False) -> None:
        super().__init__(problem.code)
        self.problem, self.close = problem, close


def body_too_slow() -> Refused:
    detail, action = "The request's body came too slowly.", "Send it again on a faster connection."
    return Refused(Problem(408, "too_slow", detail, action), close=True)


def busy(detail: str) -> Refused:
    return Refused(Problem(503, "busy", detail, "Send it again in a few seconds.", headers={"Retry-After": "5"}))


def no_room() -> Refused:
    detail = "There is no room for the request's body."
    return Refused(Problem(503, "storage_full", detail, "Ask whoever runs this desk.", headers={"Retry-After": "60"}))


def unreadable(detail: str) -> Refused:
    return Refused(Problem(400, "malformed", detail, "Send it as HTTP/1.1 says."), close=True)


def refusal(refused: Refused, path: str) -> web.Response:
    """A problem+json under /api/, words for a browser elsewhere. One line in the log."""
    problem = refused.problem
    log.info("request_refused", code=problem.code, path=path[:200])
    if path.startswith(("/api/", "/health/")):
        body, kind = orjson.dumps({**problem_body(problem), "instance": path}), PROBLEM_JSON
    else:
        title = HTTPStatus(problem.status).phrase
        body, kind = f"{title}\n\n{problem.detail} {problem.action}\n".encode(), "text/plain; charset=utf-8"
    response = web.Response(status=problem.status, body=body, headers={"Content-Type": kind, **OWN, **problem.headers})
    if refused.close:
        response.force_close()
    return response
