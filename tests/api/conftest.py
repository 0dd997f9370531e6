"""A caller of the API: token or session, JSON in and out."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.models import User
from tests.factories import UserFactory, token_for


class Caller:
    """Django's client that sends JSON and, when it has one, a token."""

    def __init__(self, token: str = "", user: User | None = None) -> None:
        self.http = Client(raise_request_exception=False)
        if user:
            self.http.force_login(user)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.http, method.lower())(path, headers=self.headers | named, **sent)

    def send(self, method: str, path: str, raw: str) -> Any:
        return self.http.generic(method, path, raw, content_type="application/json", headers=self.headers)

    def upload(self, path: str, **parts: Any) -> Any:
        return self.http.post(path, data=parts, headers=self.headers)


def caller_of(user: User, *scopes: str) -> Caller:
    return Caller(token_for(user, *scopes)[1])


@pytest.fixture(autouse=True)
def _own_media(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory()


@pytest.fixture
def call(owner: User) -> Caller:
    """The owner, with a token that may read and write."""
    return caller_of(owner)


@pytest.fixture
def stranger(db: None) -> Caller:
    return caller_of(UserFactory())


@pytest.fixture
def nobody() -> Caller:
    return Caller()


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem's body, after its form was checked."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert {"type", "title", "detail", "action", "instance"} <= set(body)
    return body
