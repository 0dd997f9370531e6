"""Any other address below /api: a problem, not a page."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from apps.api.views import Endpoint
from apps.core.errors import Problem


@extend_schema(exclude=True)
class Unknown(Endpoint):
    permission_classes = [AllowAny]
    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        action = "The reference at /api/docs lists all."
        if request.path.endswith("/"):
            action = f"Addresses of the API end without a slash: {request.path.rstrip('/')}. {action}"
        raise Problem(404, "no_such_path", "There is nothing at this address.", action)
