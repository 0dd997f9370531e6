"""The machine-readable schema and the reference made from it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from drf_spectacular.authentication import SessionScheme as SpectacularSession
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.views import APIView


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "apps.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pr_live_…",
            "description": "A token from the account page, with the scopes read, write or urgent.",
        }


class SessionScheme(SpectacularSession):
    target_class = "apps.api.authentication.SessionAuthentication"
    name = "session"
    priority = 1


class CronScheme(OpenApiAuthenticationExtension):
    target_class = "apps.api.authentication.CronAuthentication"
    name = "cron"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The scheduler's secret (CRON_SECRET), as it is or after Bearer.",
        }


class JsonOrYaml(BaseContentNegotiation):
    """YAML for who names it, in Accept or as `?format=yaml`; JSON for everybody else. Nobody is refused."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        accepted = [kind.partition(";")[0].strip().lower() for kind in request.headers.get("Accept", "").split(",")]
        form = request.query_params.get("format")
        fitting = [
            renderer for renderer in renderers if (renderer.format == form if form else renderer.media_type in accepted)
        ]
        chosen = (fitting or renderers)[0]
        return chosen, chosen.media_type


def bodies_know_their_keys(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """What is read from a client has no other keys than those named (CamelSerializer refuses them); answers may grow."""
    schemas = result.get("components", {}).get("schemas", {})
    operations = [operation for methods in result["paths"].values() for operation in methods.values()]
    bodies = [
        form.get("schema", {}) for one in operations for form in one.get("requestBody", {}).get("content", {}).values()
    ]
    while bodies:
        body = bodies.pop()
        named = schemas.get(body.get("$ref", "").rpartition("/")[2], body)
        if "properties" in named and "additionalProperties" not in named:
            named["additionalProperties"] = False
            bodies += [inner.get("items", inner) for inner in named["properties"].values()]
    return result


class MayReadReference(BasePermission):
    """It tells nothing about anybody's work, but making it takes a second of a processor: not for every stranger."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return settings.PUBLIC_REFERENCE or request.user.is_authenticated


@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    http_method_names = ["get", "head"]
    permission_classes = [MayReadReference]
    content_negotiation_class = JsonOrYaml
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]


@extend_schema(exclude=True)
class Reference(SpectacularSwaggerSplitView):
    """Its script is asked for apart, so that none stands in the page: the policy of our own pages fits it."""

    http_method_names = ["get", "head"]  # OPTIONS would be described by a page that does not exist
    permission_classes = [MayReadReference]
    renderer_classes = [TemplateHTMLRenderer]
    template_name = "api/reference.html"
    url_name = "api:schema"

    def handle_exception(self, exc: Exception) -> Any:
        """Whoever is not signed in is sent to where he can."""
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)
