"""What every view of a page has round it."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.models import User
from apps.core.errors import Problem

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """For signed-in readers, never from a cache; what a service does not find is the 404 page."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Problem as problem:
            if problem.status == 404:
                raise Http404(problem.detail) from problem
            raise

    return cast(View, login_required(require_GET(never_cache(shown))))


def reader(request: HttpRequest) -> User:
    """The signed-in user of a view under `page`."""
    return cast(User, request.user)
