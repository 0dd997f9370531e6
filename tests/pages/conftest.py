"""A reader of the pages, with a workspace of their own."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.models import User
from apps.studio.models import Workspace
from tests.factories import UserFactory, WorkspaceFactory


@pytest.fixture(autouse=True)
def _own_media(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def reader(db: None) -> User:
    return UserFactory()


@pytest.fixture
def stranger(db: None) -> User:
    return UserFactory()


@pytest.fixture
def page(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def workspace(reader: User) -> Workspace:
    return WorkspaceFactory(owner=reader, name="Autumn posters", default_prompt="One clear subject.")
