"""Every page and every action of the administration, for staff who may only look, and for a superuser."""

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, reverse

from apps.accounts.audit import AuditEntry
from apps.accounts.desk_admin import DeskAdmin
from apps.accounts.models import Budget, User
from tests.accounts.things import THINGS, snapshot
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LABELS = [model._meta.label for model in MODELS]
# What any form here may ask for: a post that gets through does something.
ANSWERS = {
    "post": "yes",
    "decision": "never_arrived",
    "password1": "a new long password",
    "password2": "a new long password",
    "usable_password": "true",
}


@pytest.fixture(autouse=True)
def _own_media(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def actions_of(model: type[Model]) -> list[str]:
    """All that exist: those that a person is not offered are sent all the same."""
    return [name for _act, name, _words in admin.site._registry[model]._get_base_actions()]


def addresses(model: type[Model], thing: Model) -> list[str]:
    """Every address that the model's admin serves, with the thing's id wherever it takes one."""
    name = re.compile(rf"^{model._meta.app_label}_{model._meta.model_name}_|^auth_user_password_change$")
    found = []
    for pattern in admin.site._registry[model].get_urls():
        if not isinstance(pattern, URLPattern) or not pattern.name:
            continue
        assert name.search(pattern.name), pattern.name
        taken = [str(thing.pk)] * len(pattern.pattern.converters)
        found.append(reverse(f"admin:{pattern.name}", args=taken))
    return found


def test_nothing_is_missing_here() -> None:
    assert set(MODELS) == set(THINGS), "give the new model a real row in tests/accounts/things.py"
    assert [label for label, model in zip(LABELS, MODELS, strict=True) if not is_ours(model)] == []


def is_ours(model: type[Model]) -> bool:
    return isinstance(admin.site._registry[model], DeskAdmin)


@pytest.mark.parametrize("model", MODELS, ids=LABELS)
def test_who_may_only_look_changes_nothing(model: type[Model]) -> None:
    thing, looker = THINGS[model](), StaffFactory()
    client, before = signed_in(looker), snapshot()
    seen = {address: client.get(address).status_code for address in addresses(model, thing)}
    assert reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") in seen
    assert not [address for address, status in seen.items() if status >= 500], seen
    for address in seen:
        assert client.post(address, ANSWERS).status_code < 500, address
    changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for action in actions_of(model):
        sent = {"action": action, ACTION_CHECKBOX_NAME: str(thing.pk), **ANSWERS}
        assert client.post(changelist, sent).status_code < 500, action
    assert snapshot() == before


# Deleting apart: only some things can be deleted, and it is a form.
ACTS = [(model, name) for model in MODELS for name in actions_of(model) if name != "delete_selected"]


@pytest.mark.parametrize(("model", "action"), ACTS, ids=[f"{model._meta.label}-{name}" for model, name in ACTS])
def test_every_action_of_a_superuser_is_written_down(model: type[Model], action: str) -> None:
    thing, root = THINGS[model](), StaffFactory(is_superuser=True)
    changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    signed_in(root).post(changelist, {"action": action, ACTION_CHECKBOX_NAME: str(thing.pk)})
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.user_id, entry.via) == (root.username, root.pk, "admin")
    assert action in entry.action
    assert str(thing.pk) in entry.subject


def test_forms_and_deletions_are_written_down(client: Client) -> None:
    root = StaffFactory(is_superuser=True)
    client.force_login(root)
    client.post("/admin/accounts/budget/add/", {"owner": "", "provider": "", "period": "day", "amount_usd": "5"})
    budget = Budget.objects.get()
    address = f"/admin/accounts/budget/{budget.pk}/"
    client.post(f"{address}change/", {"owner": "", "provider": "", "period": "day", "amount_usd": "7"})
    client.post(f"{address}delete/", {"post": "yes"})
    told = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert told == ["add budget", "change budget", "delete budget"]
