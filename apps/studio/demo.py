"""The demo: a user and a workspace of real photographs, so that the first page has something to press."""

import os
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import User
from apps.assets.library import store_upload
from apps.assets.urls import asset_url
from apps.studio.models import Row, Workspace

USERNAME = "demo"
# What releases before 0.2 gave the demo user, who was staff then.
ONCE_GIVEN = {"change_job", "change_lane", "add_hold", "change_hold", "delete_hold"}
PHOTOS = Path(__file__).parent / "demo_photos"
# label, target, references
ROWS: tuple[tuple[str, str, list[str]], ...] = (
    ("Cat in deep space", "hubble_deep_field.jpg", ["chelsea.png"]),
    ("Launch at the café", "coffee.png", ["rocket.jpg"]),
    ("Coffee among galaxies", "coffee.png", ["hubble_deep_field.jpg", "rocket.jpg"]),
    ("Portrait of a cat", "chelsea.png", []),
)


def known_password() -> str:
    """What the demo's password is, where it can be read: in the environment or the data directory. Else empty."""
    path = Path(settings.DATA_DIR) / "demo-password"
    try:
        return os.environ.get("PRESSROOM_DEMO_PASSWORD") or path.read_text().strip()
    except OSError:
        return ""


def make_demo(password: str) -> User:
    """The demo user with this password, and the workspace if the user has none. Run again: nothing doubles.

    An ordinary user: its password is printed at each start, so it must not see or steer others' work.
    """
    user, _created = User.objects.get_or_create(username=USERNAME, defaults={"first_name": "Demo"})
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    _take_back(user)
    if not user.workspaces.exists():
        _make_workspace(user)
    return user


def _take_back(user: User) -> None:
    """What an earlier release gave. Who was given more on purpose stays as he is, and `manage.py check` warns of it."""
    codenames = set(user.user_permissions.values_list("codename", flat=True))
    if user.is_staff and not user.is_superuser and codenames <= ONCE_GIVEN and not user.groups.exists():
        user.is_staff = False
        user.save(update_fields=["is_staff"])
        user.user_permissions.clear()
        record(via=AuditEntry.Via.COMMAND, action="make the demo an ordinary user", subject=user.username)


def _make_workspace(user: User) -> None:
    urls = {
        name: _asset_url(user, name) for name in sorted({name for _, target, refs in ROWS for name in (target, *refs)})
    }
    with transaction.atomic():
        workspace = Workspace.objects.create(
            owner=user,
            name="Autumn posters",
            default_prompt="A printed autumn poster in warm light, with a calm background and one clear subject.",
            default_ref_urls=[urls["rocket.jpg"]],
            output_width=1536,
            output_height=1536,
            images_per_generate=3,
            rights_confirmed_at=timezone.now(),
        )
        Row.objects.bulk_create(
            [
                Row(
                    workspace=workspace,
                    label=label,
                    target_url=urls[target],
                    ref_urls=[urls[name] for name in refs],
                    position=place,
                )
                for place, (label, target, refs) in enumerate(ROWS)
            ]
        )


def _asset_url(user: User, name: str) -> str:
    with (PHOTOS / name).open("rb") as file:
        return asset_url(store_upload(owner=user, file=file, name=name))
