"""Listings in the admin: products can be corrected; what jobs made can only be read."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import TabularInline

from apps.accounts.desk_admin import ReadOnly, Undeletable
from apps.listings.links import cutout_url, image_url, thumbnail_url
from apps.listings.models import APlusPage, BrandKit, Cutout, Export, Fact, ListingImage, Pack, Project, SourcePhoto


class FactInline(TabularInline):
    model = Fact
    fields = ("key", "label", "value", "amount", "unit", "source", "confirmed_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(Undeletable):
    list_display = ("name", "owner", "sku", "style", "locale", "created_at")
    list_filter = ("style", "category", "is_render")
    search_fields = ("name", "sku", "owner__username")
    autocomplete_fields = ("owner", "brand_kit")
    filter_horizontal = ()
    exclude = ("compared_with",)
    list_select_related = ("owner",)
    inlines = (FactInline,)


@admin.register(BrandKit)
class BrandKitAdmin(Undeletable):
    list_display = ("name", "owner", "colours", "created_at")
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    exclude = ("logo",)
    list_select_related = ("owner",)


@admin.register(SourcePhoto)
class SourcePhotoAdmin(ReadOnly):
    list_display = ("project", "asset", "position", "created_at")
    list_select_related = ("project", "asset")
    search_fields = ("project__name",)


@admin.register(Cutout)
class CutoutAdmin(ReadOnly):
    list_display = ("picture", "owner", "method", "photo_digest", "cost_usd", "simulated", "created_at")
    list_filter = ("method", "simulated")
    list_select_related = ("owner",)
    search_fields = ("photo_digest", "owner__username")

    @admin.display(description="cut-out")
    def picture(self, cutout: Cutout) -> str:
        if not cutout.file:
            return "being made"
        return format_html('<a href="{0}"><img src="{0}" height="64" alt=""></a>', cutout_url(cutout))


@admin.register(Pack)
class PackAdmin(ReadOnly):
    list_display = ("project", "style", "job", "quoted_usd", "created_at")
    list_filter = ("style",)
    list_select_related = ("project", "job")
    search_fields = ("project__name", "job__uid")


@admin.register(ListingImage)
class ListingImageAdmin(ReadOnly):
    list_display = ("picture", "owner", "project", "image_type", "style", "number", "verdict", "late", "created_at")
    list_filter = ("image_type", "style", "made_by", "simulated", "late")
    list_select_related = ("owner", "project")
    search_fields = ("id", "job__uid", "project__name", "owner__username")

    @admin.display(description="picture")
    def picture(self, image: ListingImage) -> str:
        return format_html('<a href="{}"><img src="{}" height="64" alt=""></a>', image_url(image), thumbnail_url(image))

    @admin.display(description="drift")
    def verdict(self, image: ListingImage) -> str:
        return str(image.drift.get("verdict", ""))


@admin.register(APlusPage)
class APlusPageAdmin(ReadOnly):
    list_display = ("project", "locale", "premium", "status", "revision", "updated_at")
    list_filter = ("status", "premium", "locale")
    list_select_related = ("project",)
    search_fields = ("project__name",)


@admin.register(Export)
class ExportAdmin(ReadOnly):
    list_display = ("project", "platform", "status", "bytes", "created_at")
    list_filter = ("platform", "status")
    list_select_related = ("project",)
    search_fields = ("project__name", "id")
