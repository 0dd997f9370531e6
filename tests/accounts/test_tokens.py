"""API tokens: shown once, hashed at rest, and useless once revoked or expired."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import ApiToken, User, create_token, find_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada")


def test_the_command_prints_the_token_and_nothing_else(user: User) -> None:
    out = StringIO()
    call_command("create_token", "ada", stdout=out)
    secret = out.getvalue().removesuffix("\n")
    assert secret.startswith("pr_live_")
    assert "\n" not in secret
    assert find_token(secret).user == user


def test_the_command_says_who_is_missing() -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("create_token", "nobody")


def test_the_secret_is_not_stored(user: User) -> None:
    _token, secret = create_token(user=user, name="laptop")
    assert secret not in str(list(ApiToken.objects.values()))


@pytest.mark.parametrize("change", [{"revoked_at": "now"}, {"expires_at": "past"}, {"inactive": True}])
def test_a_token_that_ended_finds_nobody(user: User, change: dict[str, object]) -> None:
    token, secret = create_token(user=user, name="laptop")
    if "inactive" in change:
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        ApiToken.objects.filter(pk=token.pk).update(**{next(iter(change)): timezone.now() - timedelta(seconds=1)})
    assert find_token(secret) is None


def test_last_use_is_written_once_a_minute(user: User, django_assert_num_queries: object) -> None:
    token, secret = create_token(user=user, name="laptop")
    find_token(secret)
    first = ApiToken.objects.get(pk=token.pk).last_used_at
    find_token(secret)
    assert first is not None
    assert ApiToken.objects.get(pk=token.pk).last_used_at == first
