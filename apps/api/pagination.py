"""Lists as `{results, next}`: pages of at most 50, found by the last thing seen, never by counting."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from apps.api.query import query_invalid, whole_number

MAX_PAGE = 50
MAX_CURSOR_LENGTH = 512
PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="Where the page before ended; taken from its `next`."),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": MAX_PAGE},
        description=f"How many at most, 1 to {MAX_PAGE}.",
    ),
]


@dataclass(frozen=True)
class Page:
    """`things` in order; `next_url` absolute, None on the last page."""

    things: list[Any]
    next_url: str | None

    def body(self, show: Callable[[list[Any]], Sequence[Any]]) -> dict[str, object]:
        return {"results": show(self.things), "next": self.next_url}


def page_of(queryset: QuerySet[Any], request: Request, *, order: tuple[str, ...]) -> Page:
    """One page, ordered by `order`: field names, all rising or all falling ("-"), the last one unique."""
    limit = whole_number(request, "limit", most=MAX_PAGE) or MAX_PAGE
    after = request.query_params.get("cursor")
    if after:
        queryset = queryset.filter(_beyond(queryset.model, order, after))
    things = list(queryset.order_by(*order)[: limit + 1])
    return Page(things[:limit], _next_url(request, things[limit - 1], order) if len(things) > limit else None)


def _beyond(model: type[Model], order: tuple[str, ...], cursor: str) -> Q:
    values = _decoded(model, order, cursor)
    names = [name.removeprefix("-") for name in order]
    way = "lt" if order[0].startswith("-") else "gt"
    beyond = Q()
    for index, name in enumerate(names):
        equal = dict(zip(names[:index], values[:index], strict=True))
        beyond |= Q(**equal, **{f"{name}__{way}": values[index]})
    return beyond


def _decoded(model: type[Model], order: tuple[str, ...], cursor: str) -> list[Any]:
    fields = [model._meta.get_field(name.removeprefix("-")) for name in order]
    try:
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise ValueError("too long")
        values = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(values, list) or not all(type(value) in (str, int) for value in values):
            raise ValueError("not a list of what we order by")  # a field's own check lets null pass
        pairs = zip(fields, values, strict=True)
        return [field.clean(value, None) for field, value in pairs]  # type: ignore[union-attr]
    except (ValueError, TypeError, ValidationError, OverflowError) as error:
        raise query_invalid("The cursor is not one of ours.", "Start again without it.") from error


def _next_url(request: Request, last: Model, order: tuple[str, ...]) -> str:
    values = [getattr(last, name.removeprefix("-")) for name in order]
    cursor = base64.urlsafe_b64encode(orjson.dumps(values)).decode()
    query = {**request.query_params.dict(), "cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
