"""Fetches result files: only from where results come from."""

from urllib.parse import urlsplit

from django.conf import settings

from apps.core.http import Blocked, HttpFailure, TooLarge, send
from apps.providers.errors import MalformedOutput, ResultLost
from apps.providers.http import network_error, read_fault
from apps.providers.wavespeed import errors

MOST_REDIRECTS = 3


def fetch(url: str, *, base: str, seconds: float, max_bytes: int) -> bytes:
    """Raises ResultLost when the file is gone, MalformedOutput when it is too large, empty or elsewhere."""
    at_home = _origin(url) == _origin(base)
    if not at_home and not is_result_host(urlsplit(url).hostname or ""):
        raise MalformedOutput(
            "wavespeed",
            detail=f"The result is at {urlsplit(url).hostname}, which WAVESPEED_RESULT_HOSTS does not name.",
        )
    try:
        # The API's own host is as trusted as the API; every other host must be a public one, redirects too.
        reply = send(
            "GET", url, seconds=seconds, max_bytes=max_bytes, public_only=not at_home,
            allow_redirects=0 if at_home else MOST_REDIRECTS,
        )  # fmt: skip
    except TooLarge as failure:
        raise MalformedOutput("wavespeed", detail="The result is larger than we take.") from failure
    except Blocked as failure:
        raise MalformedOutput(
            "wavespeed", detail=f"The result is at an address we do not fetch from: {failure}"
        ) from failure
    except HttpFailure as failure:
        raise network_error("wavespeed", failure) from failure
    if reply.status in {403, 404, 410}:
        raise ResultLost("wavespeed", http_status=reply.status)
    if reply.status != 200:
        raise errors.classify(read_fault(reply))
    if not reply.body:
        raise MalformedOutput("wavespeed", detail="The result is empty.", http_status=reply.status)
    return reply.body


def is_result_host(host: str) -> bool:
    """A name in WAVESPEED_RESULT_HOSTS stands for itself, or with a leading dot for everything below it."""
    return any(
        host == name or (name.startswith(".") and host.endswith(name)) for name in settings.WAVESPEED_RESULT_HOSTS
    )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
