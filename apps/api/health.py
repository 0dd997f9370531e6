"""For a load balancer: is the process alive, may it get requests. No words about the inside, no sign-in.

Probes are answered by a middleware, before the name they were called by is looked at: a load balancer knows a machine by its
address. Under `manage.py serve`, `/health/live` is answered by the server itself.
"""

from collections.abc import Callable

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.database import refused_writes_lately, write_probe


class ProbesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = {"/health/live": live, "/health/ready": ready}.get(request.path_info.removesuffix("/"))
        return probe(request) if probe else self.get_response(request)


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Ready while the database takes what is written. Without Redis requests are served all the same.

    A full disk refuses some writes and takes others: what it refused here within half a minute counts as well.
    """
    try:
        write_probe()
    except DatabaseError:
        return _unavailable()
    return _unavailable() if refused_writes_lately() else JsonResponse({"status": "ok"})


def _unavailable() -> JsonResponse:
    return JsonResponse({"status": "unavailable"}, status=503, headers={"Retry-After": "5"})
