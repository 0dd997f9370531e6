"""`/listings`: the reader's products."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.listings.models import Category, Project, Style
from apps.listings.standing import Stand, stands_of
from apps.pages.shell import page, reader

MOST = 200
LOOKS = {
    "draft": ("idle", "Draft"),
    "processing": ("running", "In work"),
    "completed": ("done", "Complete"),
    "partial": ("partial", "Partly ready"),
    "failed": ("failed", "Failed"),
}


@page
def projects(request: HttpRequest) -> HttpResponse:
    owned = Project.objects.filter(owner=reader(request)).order_by("-created_at")
    stands = stands_of(list(owned.prefetch_related("facts", "photos__asset", "compared_with")[:MOST]))
    return render(
        request,
        "listings/projects.html",
        {
            "shelf": [_shelf(stand) for stand in stands],
            "total": owned.count(),
            "styles": Style.choices,
            "categories": Category.choices,
        },
    )


def _shelf(stand: Stand) -> dict[str, object]:
    pictures = [f"/media/listing-images/{slot.chosen.pk}/thumbnail" for slot in stand.slots if slot.chosen]
    photos = [f"/media/assets/{photo.asset_id}/thumbnail" for photo in stand.project.photos.all()]
    look, word = LOOKS[stand.status]
    return {"stand": stand, "pictures": (pictures or photos)[:4], "look": look, "word": word}
