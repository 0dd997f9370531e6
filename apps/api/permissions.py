"""What the one who asks may do."""

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.models import ApiToken
from apps.api.authentication import Cron
from apps.core.errors import Problem


class HasScope(BasePermission):
    """Signed in, and the token (when it is one) may read, or write for anything but a read. A session may do both."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        scope = "read" if request.method in SAFE_METHODS else "write"
        if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
            raise Problem(
                403,
                "missing_scope",
                f"This token may not {scope}.",
                f"Make a token with the scope “{scope}” on the account page.",
                {"scope": scope},
            )
        return True


class CronOrStaff(HasScope):
    """The scheduler's secret, or staff. Everybody else gets the same 401, so that nothing can be told from it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Cron):
            return True
        if not request.user.is_staff:
            raise NotAuthenticated("Only the scheduler's secret or a member of staff may do this.")
        return super().has_permission(request, view)


class StaffWritesOthersRead(HasScope):
    """Anybody signed in reads; staff and the scheduler do."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return isinstance(request.auth, Cron) or super().has_permission(request, view)
        return CronOrStaff().has_permission(request, view)


class OwnerOrNothing(HasScope):
    """For files: who is not signed in learns no more than that there is no such thing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return not request.user.is_authenticated or super().has_permission(request, view)
