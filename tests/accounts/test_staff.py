"""Staff see everything in the admin; changing takes a permission."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.studio.demo import make_demo

pytestmark = pytest.mark.django_db
LISTS = sorted(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry)


@pytest.fixture
def demo(settings: object, tmp_path: Path) -> User:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return make_demo("a password of the demo")


def test_the_demo_user_sees_every_list(client: Client, demo: User) -> None:
    client.force_login(demo)
    assert {name: client.get(reverse(name)).status_code for name in LISTS} == dict.fromkeys(LISTS, 200)


def test_the_demo_user_steers_jobs_and_edits_nobody(demo: User) -> None:
    assert demo.has_perm("jobs.change_job")
    assert not demo.has_perm("accounts.change_user")


def test_who_is_not_staff_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_dismissed_member_of_staff_sees_nothing() -> None:
    user = User.objects.create_user("eve", is_staff=True, is_active=False)
    assert not user.has_perm("jobs.view_job")
