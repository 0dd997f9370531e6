"""Content-Security-Policy: the strict one for pages of our own, looser ones only where others' scripts run."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from apps.core.hosts import live_url_for


class PolicyMiddleware(CSPMiddleware):
    """Chooses by the path, and lets a page read the live stream under the name it was opened by."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if report_only:
            return parts
        for prefix, policy in settings.POLICIES_ELSEWHERE.items():
            if request.path_info.startswith(prefix):
                parts.config = policy
                return parts
        if settings.LIVE_URL:
            parts.update = {**(parts.update or {}), "connect-src": [live_url_for(request.get_host())]}
        return parts
