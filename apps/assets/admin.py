"""The assets in the admin: to look at, not to change."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html

from apps.accounts.desk_admin import DeskAdmin
from apps.assets.models import Asset
from apps.assets.urls import asset_url, thumbnail_url


@admin.register(Asset)
class AssetAdmin(DeskAdmin):
    list_display = ["picture", "name", "owner", "pixels", "size", "created_at"]
    list_display_links = ["picture", "name"]
    list_filter = ["created_at"]
    search_fields = ["=id", "name", "owner__username", "source_url"]
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = ["preview", "id", "name", "owner", "source_url", "pixels", "size", "digest", "file", "created_at"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return super().get_queryset(request).select_related("owner")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False

    @admin.display(description="picture")
    def picture(self, asset: Asset) -> str:
        return format_html('<img src="{}" alt="" height="48" loading="lazy">', thumbnail_url(asset))

    @admin.display(description="preview")
    def preview(self, asset: Asset) -> str:
        return format_html(
            '<a href="{}"><img src="{}" alt="{}"></a>', asset_url(asset), thumbnail_url(asset), asset.name
        )

    @admin.display(description="pixels")
    def pixels(self, asset: Asset) -> str:
        return f"{asset.width} × {asset.height}"

    @admin.display(description="size", ordering="bytes")
    def size(self, asset: Asset) -> str:
        return filesizeformat(asset.bytes)
