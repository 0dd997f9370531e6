"""The demo's products: a real photograph of a cup, and a flask that is a render and says so. Facts are marked as examples."""

from pathlib import Path
from typing import Any

from django.core.files import File

from apps.accounts.models import User
from apps.listings.models import Project
from apps.listings.photos import add_photo
from apps.listings.projects import create_project

PHOTOS = Path(__file__).parent / "demo_photos"
CUP: list[dict[str, str]] = [
    {"label": "Volume", "value": "80 ml"},
    {"label": "Wall", "value": "6 mm"},
    {"label": "Fired at", "value": "1,280 °C"},
    {"label": "Oven-safe", "value": "yes"},
    {"label": "In the box", "value": "cup, saucer and spoon"},
    {"key": "width", "label": "Saucer", "value": "12 cm"},
    {"key": "height", "label": "Height", "value": "7 cm"},
]
SMALLER: list[dict[str, str]] = [
    {"label": "Volume", "value": "50 ml"},
    {"label": "Wall", "value": "5 mm"},
    {"label": "Oven-safe", "value": "yes"},
    {"key": "width", "label": "Saucer", "value": "9 cm"},
]
FLASK: list[dict[str, str]] = [
    {"label": "Volume", "value": "500 ml"},
    {"label": "Material", "value": "steel, powder coated"},
    {"label": "Lid", "value": "Screw lid with a loop to carry it by"},
    {"label": "Weight", "value": "320 g"},
    {"key": "width", "label": "Width", "value": "7.5 cm"},
    {"key": "height", "label": "Height", "value": "20 cm"},
]
EXAMPLE = "Example facts: made up for the demo, except what can be seen."


def make_projects(user: User) -> None:
    """The products, if the person has none. Run again: nothing doubles."""
    if Project.everything.filter(owner=user).exists():
        return
    flask = _project(user, "Flask, forest green", "FJL-500-GRN", FLASK, photo="flask.jpg", is_render=True, style="bold")
    smaller = _project(user, "Ristretto cup", "EMO-CUP-050-RED", SMALLER)
    cup = _project(
        user, "Espresso cup, brick red", "EMO-CUP-080-RED", CUP, photo="cup.png", headline="Warm to the last sip"
    )
    cup.compared_with.set([smaller])
    flask.save(update_fields=["updated_at"])


def _project(
    user: User,
    name: str,
    sku: str,
    facts: list[dict[str, str]],
    *,
    photo: str = "",
    is_render: bool = False,
    **more: Any,
) -> Project:
    project = create_project(
        user=user, name=name, sku=sku, brand="Ember & Oak", facts=facts, description=EXAMPLE, **more
    )
    if is_render:
        Project.objects.filter(pk=project.pk).update(is_render=True)
    if photo:
        with (PHOTOS / photo).open("rb") as file:
            add_photo(project, file=File(file), name=photo)
    return project
