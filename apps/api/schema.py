"""The machine-readable schema and the reference made from it."""

from typing import Any

from drf_spectacular.authentication import SessionScheme as SpectacularSession
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer


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


@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    """YAML, or JSON with `?format=json` or by Accept. It tells nothing about anybody's work, so anybody may read it."""

    permission_classes = [AllowAny]
    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer]


@extend_schema(exclude=True)
class Reference(SpectacularSwaggerView):
    permission_classes = [AllowAny]
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api:schema"
