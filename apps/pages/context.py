"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {"simulated": settings.SIMULATED, "live_url": settings.LIVE_URL}
