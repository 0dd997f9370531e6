"""Staff see everything in the admin; changing takes a permission. The demo is not staff."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import User
from apps.studio.checks import demo_rights
from apps.studio.demo import ONCE_GIVEN, make_demo
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
LISTS = sorted(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry)
PASSWORD = "a password of the demo"


@pytest.fixture(autouse=True)
def _own_files(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    monkeypatch.setenv("PRESSROOM_DEMO_PASSWORD", PASSWORD)


def allow(user: User, *codenames: str) -> User:
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_staff_see_every_list() -> None:
    client = signed_in(StaffFactory())
    assert {name: client.get(reverse(name)).status_code for name in LISTS} == dict.fromkeys(LISTS, 200)


def test_the_demo_is_an_ordinary_user() -> None:
    demo = make_demo(PASSWORD)
    assert (demo.is_staff, demo.is_superuser, demo.user_permissions.count()) == (False, False, 0)
    assert demo_rights(None) == []


def test_a_demo_of_an_earlier_release_is_staff_no_more() -> None:
    allow(UserFactory(username="demo", is_staff=True), *ONCE_GIVEN)
    demo = make_demo(PASSWORD)
    assert (demo.is_staff, demo.user_permissions.count()) == (False, 0)
    assert "ordinary" in AuditEntry.objects.get().action


@pytest.mark.parametrize("more", ["is_superuser", "permission"])
def test_a_demo_that_was_given_more_on_purpose_stays_and_check_warns(more: str) -> None:
    given = UserFactory(username="demo", is_staff=True, is_superuser=more == "is_superuser")
    allow(given, "change_job", *(["change_budget"] if more == "permission" else []))
    assert make_demo(PASSWORD).is_staff
    assert [warning.id for warning in demo_rights(None)] == ["pressroom.W006"]


def test_check_is_silent_when_the_demo_has_a_password_of_its_own() -> None:
    UserFactory(username="demo", is_staff=True, is_superuser=True)
    assert demo_rights(None) == []


def test_who_is_not_staff_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_dismissed_member_of_staff_sees_nothing() -> None:
    user = User.objects.create_user("eve", is_staff=True, is_active=False)
    assert not user.has_perm("jobs.view_job")


def test_addresses_are_for_those_who_look_after_accounts() -> None:
    ada = UserFactory(email="ada@secret.example")
    looker, keeper = signed_in(StaffFactory()), signed_in(allow(StaffFactory(), "change_user"))
    for page in ("/admin/accounts/user/", f"/admin/accounts/user/{ada.pk}/change/"):
        assert "ada@secret.example" not in looker.get(page).content.decode()
        assert "ada@secret.example" in keeper.get(page).content.decode()
    assert not looker.get("/admin/accounts/user/?q=secret.example").context["cl"].result_list
    for lookup in ("email", "email__startswith", "email__regex"):
        assert looker.get(f"/admin/accounts/user/?{lookup}=a").status_code == 400
        assert keeper.get(f"/admin/accounts/user/?{lookup}=a").status_code == 200


def test_who_keeps_accounts_makes_nobody_mightier() -> None:
    keeper_user = allow(StaffFactory(), "change_user", "add_user", "delete_user")
    keeper, ada, root = signed_in(keeper_user), UserFactory(), StaffFactory(is_superuser=True)
    mightier = allow(StaffFactory(), "change_call")
    for user in (ada, keeper_user):
        form = {"username": user.username, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
        joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        keeper.post(f"/admin/accounts/user/{user.pk}/change/", form | joined)
        user.refresh_from_db()
        assert not user.is_superuser
    assert not ada.is_staff
    password = {"password1": "another long word", "password2": "another long word", "usable_password": "true"}
    for other in (root, mightier):
        assert keeper.post(f"/admin/accounts/user/{other.pk}/password/", password).status_code == 403
        assert keeper.post(f"/admin/accounts/user/{other.pk}/change/", {"username": "taken"}).status_code == 403
        assert keeper.post(f"/admin/accounts/user/{other.pk}/delete/", {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": str(other.pk), "post": "yes"}
        keeper.post("/admin/accounts/user/", chosen)
        other.refresh_from_db()
    assert keeper.post(f"/admin/accounts/user/{ada.pk}/password/", password).status_code == 302


@pytest.mark.parametrize("statement", ["update", "delete"])
def test_an_entry_is_never_changed(statement: str) -> None:
    record(via=AuditEntry.Via.COMMAND, action="queue pause", subject="images")
    change = {"update": lambda entries: entries.update(actor="nobody"), "delete": lambda entries: entries.delete()}
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change[statement](AuditEntry.objects.all())
