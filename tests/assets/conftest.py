"""Photographs, people and a media folder of each test's own."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as configured
from PIL import Image
from pytest_django import Settings

from apps.accounts.models import User

PHOTOS = configured.BASE_DIR / "apps" / "studio" / "demo_photos"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ann", password="correct horse")


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob", password="battery staple")


@pytest.fixture
def photo() -> Callable[[str], bytes]:
    return lambda name: (PHOTOS / name).read_bytes()


def drawn(form: str, *, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    """A small picture encoded as asked: its left half red, its right half blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    picture.convert(mode).save(out, form, **options)
    return out.getvalue()
