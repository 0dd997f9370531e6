"""Studio in the admin: workspaces and rows can be corrected; what jobs wrote can only be read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.accounts.desk_admin import DeskAdmin, ReadOnly, Undeletable
from apps.core.errors import Problem
from apps.studio import admin_calls  # noqa: F401
from apps.studio.links import image_url, thumbnail_url
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Strategy, Workspace
from apps.studio.prompting.strategies import check_strategy, new_version


@admin.register(Workspace)
class WorkspaceAdmin(Undeletable):
    list_display = ("name", "owner", "images_per_generate", "on_prompt_failure", "created_at")
    list_filter = ("on_prompt_failure",)
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)
    show_full_result_count = False


class StrategyForm(forms.ModelForm):
    """A new version: of a strategy there is, or the first of another. What it may say is new_version's to judge."""

    class Meta:
        model = Strategy
        fields = ("name", "system", "active")
        labels = {"system": "text"}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            check_strategy(name=given.get("name", ""), text=given.get("system", ""))
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from problem
        return given


@admin.register(Strategy)
class StrategyAdmin(DeskAdmin):
    """Versions are added, never changed; one can be switched off, so that its name means an older one again."""

    form = StrategyForm
    list_display = ("__str__", "name", "version", "active", "created_at")
    list_filter = ("active", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Strategy | None = None) -> tuple[str, ...]:
        return ("name", "system", "version", "created_at") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({"form": forms.ModelForm} if change else {}) | kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Strategy, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["active"])
            return
        made = new_version(name=obj.name, text=obj.system, active=obj.active)
        obj.pk, obj.version, obj.system = made.pk, made.version, made.system


@admin.register(Row)
class RowAdmin(Undeletable):
    list_display = ("label_or_id", "workspace", "position", "updated_at")
    search_fields = ("label", "workspace__name")
    readonly_fields = ("generation",)
    autocomplete_fields = ("workspace",)
    list_select_related = ("workspace",)
    show_full_result_count = False

    @admin.display(description="row")
    def label_or_id(self, row: Row) -> str:
        return row.label or str(row.pk)


@admin.register(PromptJob)
class PromptJobAdmin(ReadOnly):
    list_display = ("job", "status", "operation", "source", "model_asked", "model_answered", "shortened")
    list_filter = ("source", "operation", "on_failure")
    list_select_related = ("job",)
    search_fields = ("job__uid",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptJob]:
        return super().get_queryset(request).order_by("-job_id")

    @admin.display(description="status")
    def status(self, prompt_job: PromptJob) -> str:
        return prompt_job.job.get_status_display()

    @admin.display(description="prompt")
    def shortened(self, prompt_job: PromptJob) -> str:
        return prompt_job.generated_prompt[:80]


@admin.register(ImageJob)
class ImageJobAdmin(ReadOnly):
    list_display = ("job", "status", "generation_model", "prediction_id", "size")
    list_filter = ("generation_model", "prompt_source")
    list_select_related = ("job",)
    search_fields = ("job__uid", "prediction_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageJob]:
        return super().get_queryset(request).order_by("-job_id")

    @admin.display(description="status")
    def status(self, image_job: ImageJob) -> str:
        return image_job.job.get_status_display()

    @admin.display(description="size")
    def size(self, image_job: ImageJob) -> str:
        return f"{image_job.width} × {image_job.height}"


@admin.register(GeneratedImage)
class GeneratedImageAdmin(ReadOnly):
    list_display = ("picture", "owner", "row", "size", "favourite", "rating", "late", "created_at")
    list_filter = ("favourite", "rating", "late", "simulated")
    list_select_related = ("owner", "row")
    search_fields = ("id", "job__uid", "owner__username")

    @admin.display(description="picture")
    def picture(self, image: GeneratedImage) -> str:
        return format_html('<a href="{}"><img src="{}" height="64" alt=""></a>', image_url(image), thumbnail_url(image))

    @admin.display(description="size")
    def size(self, image: GeneratedImage) -> str:
        return f"{image.width} × {image.height}"
