"""How projects, their facts, photos, images and packs read."""

from typing import Any

from rest_framework import serializers

from apps.api.serializers import CamelSerializer, Money, Prose, Text, YesOrNo
from apps.assets.urls import asset_url
from apps.assets.urls import thumbnail_url as asset_thumbnail_url
from apps.listings.links import image_url, thumbnail_url
from apps.listings.models import Category, ImageType, ListingImage, SourcePhoto, Style
from apps.listings.standing import PACK_STATUSES, PROJECT_STATUSES, SLOT_STATES

IMAGE_TYPES = tuple(ImageType.values)
VERDICTS = ("same", "look", "different", "cannot_tell")
MADE_BY = ("pack", "redo", "fix", "upload")


class FactSerializer(CamelSerializer):
    """One thing that is true of the product. A measure needs a number and a unit; the key follows from the label."""

    key = Text(
        max_length=60, required=False, allow_blank=True, help_text="height, width, volume …; empty: of the label"
    )
    label = Text(max_length=60, required=False, allow_blank=True)  # type: ignore[assignment]
    value = Text(max_length=300)
    unit = Text(max_length=12, required=False, allow_blank=True)


class FactShownSerializer(CamelSerializer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()
    unit = serializers.CharField()
    confirmed_at = serializers.DateTimeField()


class FactsSerializer(CamelSerializer):
    facts = FactSerializer(many=True)


class ProjectSettingsSerializer(CamelSerializer):
    name = Text(max_length=200, required=False)
    headline = Text(max_length=80, required=False, allow_blank=True, help_text="Over the images; empty: the name")
    sku = Text(max_length=300, required=False, allow_blank=True)
    asin = Text(max_length=10, required=False, allow_blank=True)
    gtin = Text(max_length=14, required=False, allow_blank=True)
    brand = Text(max_length=80, required=False, allow_blank=True)
    locale = Text(max_length=12, required=False, help_text="Such as en-US or de-DE")
    category = serializers.ChoiceField(choices=Category.values, required=False)
    description = Prose(max_length=4000, required=False)
    style = serializers.ChoiceField(choices=Style.values, required=False)  # type: ignore[assignment]
    brand_kit_id = serializers.UUIDField(required=False, allow_null=True)
    compare_with = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=3, help_text="Other products of your own range"
    )


class NewProjectSerializer(ProjectSettingsSerializer):
    name = Text(max_length=200)
    facts = FactSerializer(many=True, required=False)


class PhotoSerializer(CamelSerializer):
    photo_id = serializers.UUIDField(source="pk")
    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    width = serializers.IntegerField(source="asset.width")
    height = serializers.IntegerField(source="asset.height")
    warnings = serializers.SerializerMethodField(help_text="What to know before money is spent")
    plain_ground = serializers.SerializerMethodField(help_text="Our own quick cut-out may do")

    def get_url(self, photo: SourcePhoto) -> str:
        return asset_url(photo.asset)

    def get_thumbnailUrl(self, photo: SourcePhoto) -> str:
        return asset_thumbnail_url(photo.asset)

    def get_warnings(self, photo: SourcePhoto) -> list[str]:
        return list(photo.report.get("warnings", []))

    def get_plainGround(self, photo: SourcePhoto) -> bool:
        return bool(photo.report.get("plainGround"))


class DriftSerializer(CamelSerializer):
    """How far the product in a painted image is from its photograph."""

    verdict = serializers.ChoiceField(choices=VERDICTS)
    said = serializers.CharField()
    product_pixels = serializers.ChoiceField(choices=["original", "painted"], source="productPixels")


class ListingImageSerializer(CamelSerializer):
    image_id = serializers.UUIDField(source="pk")
    image_type = serializers.ChoiceField(choices=IMAGE_TYPES)
    style = serializers.ChoiceField(choices=Style.values)  # type: ignore[assignment]
    version = serializers.IntegerField(source="number")
    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField(source="digest")
    made_by = serializers.ChoiceField(choices=MADE_BY)
    cutout_method = serializers.SerializerMethodField()
    drift = serializers.SerializerMethodField()
    rules = serializers.SerializerMethodField(help_text="Rules of Amazon by verdict: pass, fail, warn, unknown")
    digital_source_type = serializers.CharField(source="source_type")
    cost = Money(source="cost_usd", allow_null=True)
    simulated = serializers.BooleanField(help_text="A provider was simulated")
    created_at = serializers.DateTimeField()

    def get_url(self, image: ListingImage) -> str:
        return image_url(image)

    def get_thumbnailUrl(self, image: ListingImage) -> str:
        return thumbnail_url(image)

    def get_cutoutMethod(self, image: ListingImage) -> str:
        return str(image.provenance.get("cutoutMethod", ""))

    def get_drift(self, image: ListingImage) -> dict[str, Any] | None:
        return DriftSerializer(image.drift).data if image.drift else None

    def get_rules(self, image: ListingImage) -> dict[str, int]:
        return dict(image.report.get("summary", {}))


class SlotSerializer(CamelSerializer):
    """One of the six: the version that counts, and what its newest job does."""

    image_type = serializers.ChoiceField(choices=IMAGE_TYPES)
    state = serializers.ChoiceField(choices=SLOT_STATES)
    missing_facts = serializers.ListField(child=serializers.CharField(), source="lacking")
    job_id = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    versions = serializers.SerializerMethodField(help_text="How many there are")
    image = ListingImageSerializer(source="chosen", allow_null=True)

    def get_jobId(self, slot: Any) -> str | None:
        return str(slot.job.uid) if slot.job else None

    def get_error(self, slot: Any) -> dict[str, str] | None:
        job = slot.job
        if job is None or not job.error_code or slot.state != "failed":
            return None
        return {"code": job.error_code, "message": job.error_message, "action": job.error_action}

    def get_versions(self, slot: Any) -> int:
        return len(slot.versions)


class PackSerializer(CamelSerializer):
    pack_id = serializers.UUIDField(source="pack.pk")
    style = serializers.ChoiceField(choices=Style.values, source="pack.style")  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=PACK_STATUSES, source="pack_status")
    cost = Money()
    quoted = Money(source="pack.quoted_usd", allow_null=True)


class ProjectSerializer(CamelSerializer):
    id = serializers.UUIDField(source="project.pk")
    name = serializers.CharField(source="project.name")
    headline = serializers.CharField(source="project.headline")
    status = serializers.ChoiceField(choices=PROJECT_STATUSES)
    sku = serializers.CharField(source="project.sku")
    asin = serializers.CharField(source="project.asin")
    gtin = serializers.CharField(source="project.gtin")
    brand = serializers.CharField(source="project.brand")
    locale = serializers.CharField(source="project.locale")
    category = serializers.ChoiceField(choices=Category.values, source="project.category")
    description = serializers.CharField(source="project.description")
    style = serializers.ChoiceField(choices=Style.values, source="project.style")  # type: ignore[assignment]
    brand_kit_id = serializers.UUIDField(source="project.brand_kit_id", allow_null=True)
    compare_with = serializers.SerializerMethodField()
    facts = FactShownSerializer(many=True, source="project.facts.all")
    photos = PhotoSerializer(many=True, source="project.photos.all")
    slots = SlotSerializer(many=True)
    pack = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="project.created_at")
    updated_at = serializers.DateTimeField(source="project.updated_at")

    def get_compareWith(self, stand: Any) -> list[str]:
        return [str(each.pk) for each in stand.project.compared_with.all()]

    def get_pack(self, stand: Any) -> dict[str, Any] | None:
        return PackSerializer(stand).data if stand.pack else None


class ProjectPageSerializer(CamelSerializer):
    results = ProjectSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class KitSerializer(CamelSerializer):
    name = Text(max_length=80, required=False)
    colours = serializers.ListField(
        child=Text(max_length=7), required=False, max_length=5, help_text="As #A5814B; the first one leads"
    )


class KitShownSerializer(CamelSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    colours = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class CutoutRequestSerializer(CamelSerializer):
    method = serializers.ChoiceField(choices=["removebg", "quick"])
    photo_id = serializers.UUIDField(required=False, help_text="Left out: the first photo")
    force = YesOrNo(required=False, help_text="Make another although one is there; it is paid again")
