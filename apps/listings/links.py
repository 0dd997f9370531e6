"""The addresses of listing images and cut-outs."""

from django.conf import settings

from apps.listings.models import Cutout, ListingImage


def image_url(image: ListingImage) -> str:
    return f"{settings.SITE_URL}/media/listing-images/{image.pk}"


def thumbnail_url(image: ListingImage) -> str:
    return f"{image_url(image)}/thumbnail"


def cutout_url(cutout: Cutout) -> str:
    return f"{settings.SITE_URL}/media/cutouts/{cutout.pk}"
