"""What every endpoint shares: who may come in, how bodies are read, how they are described in the schema."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.api.errors import PROBLEM_JSON
from apps.api.permissions import HasScope
from apps.api.query import check_names
from apps.api.rendering import AlwaysJson
from apps.api.serializers import CamelSerializer, ProblemSerializer

View = TypeVar("View", bound=Callable[..., Any])
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Name the request, and a repeat within 24 hours gets the same answer (`Idempotent-Replayed: true`).",
)
_MEANING = {
    400: "The request could not be read",
    401: "No valid token or session",
    403: "The token lacks a scope, or the session its CSRF token",
    404: "It does not exist, or is somebody else's",
    409: "It cannot be done in the state it is in",
    412: "It was changed by somebody else meanwhile",
    413: "The request is too large",
    415: "The body is not of the type this takes",
    422: "A value does not fit",
    429: "Too many of yours wait already (queue_full)",
    503: "The database cannot be reached; nothing was lost",
}


class Endpoint(APIView):
    """One resource: signed-in callers only, JSON only. Anything looser is said in the class."""

    permission_classes = [HasScope]
    content_negotiation_class = AlwaysJson

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who may come in is asked first; then a query that the operation does not know is refused."""
        super().initial(request, *args, **kwargs)
        operation = getattr(self, (request.method or "").lower(), None)
        known = getattr(operation, "query_names", None)
        if known is not None:
            check_names(request, known)

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        """What is somebody's own is kept by no cache, unless the view says for how long (files do)."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]


def documented(
    summary: str,
    *,
    answers: dict[int, Any],
    body: Any = None,
    example: object = None,
    shown: object = None,
    problems: tuple[int, ...] = (),
    parameters: list[OpenApiParameter] | None = None,
    **more: Any,
) -> Callable[[View], View]:
    """The operation in the schema. `example` is a request, `shown` the answer to it; 401, 403 and 503 go without saying."""
    examples = [OpenApiExample("Request", value=example, request_only=True)] if example is not None else []
    if shown is not None:
        statuses = [str(code) for code in answers]
        examples.append(OpenApiExample("Answer", value=shown, response_only=True, status_codes=statuses))
    reading = (400, 413, 415, 422) if body is not None else ()
    refusals = sorted({400, 401, 403, 503, *problems, *reading})
    responses: dict[Any, Any] = dict(answers)
    for code in refusals:
        responses[(code, PROBLEM_JSON)] = OpenApiResponse(ProblemSerializer, description=_MEANING[code])
    described = extend_schema(
        summary=summary, request=body, responses=responses, parameters=parameters, examples=examples, **more
    )
    names = frozenset(one.name for one in parameters or [] if one.location == OpenApiParameter.QUERY)

    def operation(view: View) -> View:
        view.query_names = names  # type: ignore[attr-defined]
        return described(view)

    return operation


def read(serializer: type[CamelSerializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The request's body as validated values with snake_case names; a problem 422 names every field that does not fit."""
    given = serializer(data=request.data, partial=partial)
    given.is_valid(raise_exception=True)
    return given.validated_data
