"""Making, changing and removing workspaces."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core.errors import invalid
from apps.providers.catalogue import fate_of, find_model, names_of
from apps.studio.models import Workspace
from apps.studio.pictures import check_addresses
from apps.studio.prompting.chain import chain
from apps.studio.prompting.strategies import find_strategy
from apps.studio.shares import admit_workspace


def create_workspace(*, user: User, rights_confirmed: bool = False, **fields: object) -> Workspace:
    """Fields as of Workspace: name, default_prompt, default_ref_urls, output_width, …"""
    _check_names(fields)
    check_addresses(user, fields)
    confirmed = timezone.now() if rights_confirmed else None
    with transaction.atomic():
        admit_workspace(user)
        return Workspace.objects.create(owner=user, rights_confirmed_at=confirmed, **fields)


def update_workspace(workspace: Workspace, *, rights_confirmed: bool | None = None, **fields: object) -> Workspace:
    """Changes only what is named. Rights once confirmed keep their first date until they are taken back."""
    if rights_confirmed is not None:
        since = workspace.rights_confirmed_at or timezone.now()
        fields["rights_confirmed_at"] = since if rights_confirmed else None
    changed = {name: value for name, value in fields.items() if value != getattr(workspace, name)}
    _check_names(changed)
    check_addresses(workspace.owner, changed)
    for name, value in fields.items():
        setattr(workspace, name, value)
    workspace.save(update_fields=[*fields, "updated_at"])
    return workspace


def _check_names(fields: dict[str, object]) -> None:
    """Problem 422 for a strategy or an image model that is not there. What a workspace has already is not asked again."""
    for name, field in (("prompt_strategy", "promptStrategy"), ("second_strategy", "secondStrategy")):
        if fields.get(name):
            find_strategy(str(fields[name]), field=field)
    model = str(fields.get("generation_model") or settings.IMAGE_MODEL)
    if model != settings.IMAGE_MODEL and find_model("wavespeed", model) is None:
        known = sorted({settings.IMAGE_MODEL, *names_of("wavespeed")})
        raise invalid("generationModel", f"There is no image model {model!r}.", f"Name one of {', '.join(known)}.")


def model_warnings(workspace: Workspace) -> list[str]:
    """What is wrong with the models that would work for it: retired, or answered for by another."""
    images = workspace.generation_model or settings.IMAGE_MODEL
    named = [*(("xai", entry.model) for entry in chain()), ("wavespeed", images)]
    return [words for provider, model in named if (words := fate_of(provider, model))]
