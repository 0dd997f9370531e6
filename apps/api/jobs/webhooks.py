"""`POST /api/webhooks/wavespeed`: news of an order. Believed only as a reason to look; the truth is asked for."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.errors import malformed
from apps.api.models import WebhookReceived
from apps.api.views import Endpoint
from apps.core.clock import database_now
from apps.core.errors import Problem
from apps.orders.reconcile import heard_of
from apps.providers import skew
from apps.providers.errors import ProviderError, TransientNetwork
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.webhooks import BadSignature, check_headers, verify

log = structlog.get_logger(__name__)

SECRET_KEPT_SECONDS = 600.0
REFUSED_SECONDS = 10.0
ASK_SECONDS = 3.0
_secret: tuple[float, str, str] = (0.0, "", "")  # until, of which address, the secret


@extend_schema(exclude=True)
class WavespeedWebhook(Endpoint):
    """Signed by WaveSpeed, so nobody signs in. Forged or stale: 401; the same message again: 200 and nothing."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        body = request._request.body  # as it was sent: what is signed are these bytes
        _verify(request, body)
        prediction_id = _prediction_id(body)
        is_new = WebhookReceived.remember(request.headers["webhook-id"])
        known = is_new and heard_of("wavespeed", prediction_id)
        log.info("webhook", provider="wavespeed", prediction=prediction_id, repeated=not is_new, known=known)
        return Response({"received": True})


def _verify(request: Request, body: bytes) -> None:
    if problem := refusal_by_headers(request.headers):  # before anybody is asked for the secret
        raise problem
    now = database_now()
    known = skew.ahead_of("wavespeed", since=now)
    ahead = known.certain if known else (0.0, 0.0)
    try:
        verify(headers=request.headers, body=body, secret=webhook_secret(), now=now, ahead=ahead)
    except BadSignature as error:
        raise Problem(401, "bad_signature", str(error), "Send it as WaveSpeed does.") from error
    except ProviderError as error:
        log.warning("webhook_secret_unknown", error=error.code)
        raise Problem(503, "not_ready", "The webhook cannot be checked now.", "Send it again later.") from error


def refusal_by_headers(headers: Mapping[str, str]) -> Problem | None:
    """What is unsigned, malformed or a day old is refused before its body is read.

    How far WaveSpeed's clock is from ours is not looked up for it; that, and the signature itself, `verify` judges.
    """
    try:
        check_headers(headers, now=datetime.now(UTC), ahead=(-skew.MOST_SECONDS, skew.MOST_SECONDS))
    except BadSignature as error:
        return Problem(401, "bad_signature", str(error), "Send it as WaveSpeed does.")
    return None


def webhook_secret() -> str:
    """From the settings, or WaveSpeed's own answer, asked again after ten minutes so that a new secret is noticed."""
    global _secret
    if settings.WAVESPEED_WEBHOOK_SECRET:
        return settings.WAVESPEED_WEBHOOK_SECRET
    until, base, secret = _secret
    if time.monotonic() >= until or base != settings.PROVIDER_BASES["wavespeed"]:
        # Whoever asks next waits for nothing, whatever comes of it: anybody can send us something with a signature.
        _secret = (time.monotonic() + REFUSED_SECONDS, settings.PROVIDER_BASES["wavespeed"], "")
        secret = WavespeedClient.from_settings().webhook_secret(seconds=ASK_SECONDS)
        _secret = (time.monotonic() + SECRET_KEPT_SECONDS, settings.PROVIDER_BASES["wavespeed"], secret)
    if not secret:
        raise TransientNetwork("wavespeed", detail="The secret could not be had just now.")
    return secret


def _prediction_id(body: bytes) -> str:
    try:
        message: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed("The body is not well-formed JSON.") from error
    data = message.get("data") if isinstance(message, dict) and isinstance(message.get("data"), dict) else message
    prediction_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(prediction_id, str) or not 0 < len(prediction_id) <= 100 or not prediction_id.isprintable():
        raise malformed("The body holds no task.")
    return prediction_id
