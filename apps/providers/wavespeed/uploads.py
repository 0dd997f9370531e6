"""One picture is uploaded once: WaveSpeed keeps it for seven days, we trust it for six."""

import hashlib
from datetime import timedelta

from apps.core.clock import ClockTimestamp
from apps.providers.models import Upload

KEPT_FOR = timedelta(days=6)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def find_upload(*, base: str, digest: str) -> str:
    """The address of an upload that is still there, or "". `base` keeps the simulator's apart from the real ones."""
    found = Upload.objects.filter(base=base, digest=digest, created_at__gt=ClockTimestamp() - KEPT_FOR)
    return found.values_list("url", flat=True).first() or ""


def remember_upload(*, base: str, digest: str, url: str) -> None:
    """Two workers that uploaded the same picture at once both have a good address; the last one stays."""
    Upload.objects.update_or_create(base=base, digest=digest, defaults={"url": url, "created_at": ClockTimestamp()})


def forget_uploads(*, base: str, urls: list[str]) -> None:
    Upload.objects.filter(base=base, url__in=urls).delete()


def prune_uploads() -> int:
    return Upload.objects.filter(created_at__lte=ClockTimestamp() - KEPT_FOR).delete()[0]
