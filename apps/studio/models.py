"""Studio's things: workspaces, rows, the prompts and images asked for, and the images made."""

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class PromptPolicy(models.TextChoices):
    """What happens when no prompt can be written for a row."""

    TEMPLATE = "template", "Use the built-in template"
    DEFAULT = "default", "Use the workspace's default prompt"
    WAIT = "wait", "Wait for a person to type one"
    FAIL = "fail", "Fail"


class PresentManager(models.Manager[Any]):
    """Without what is being deleted: nobody finds it any more, while its jobs are still being cancelled."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(gone_at=None)


class Workspace(models.Model):
    """Rows that share a default prompt, default references and an output size. Not an AI model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="workspaces")
    name = models.CharField(max_length=120)
    default_prompt = models.TextField(blank=True, max_length=4000)
    default_ref_urls = models.JSONField(default=list, blank=True)
    output_width = models.PositiveIntegerField(
        default=2048, validators=[MinValueValidator(1024), MaxValueValidator(4096)]
    )
    output_height = models.PositiveIntegerField(
        default=2048, validators=[MinValueValidator(1024), MaxValueValidator(4096)]
    )
    images_per_generate = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(6)]
    )
    generation_model = models.CharField(max_length=100, blank=True, help_text="Empty: the deployment's image model")
    prompt_strategy = models.CharField(max_length=40, default="describe", help_text="A name, or name@version")
    second_strategy = models.CharField(max_length=40, blank=True, help_text="Shares the traffic with the first")
    second_share = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(100)], help_text="Percent of the prompts that the second one writes"
    )
    on_prompt_failure = models.CharField(max_length=10, choices=PromptPolicy.choices, default=PromptPolicy.TEMPLATE)
    shop_refusals = models.BooleanField(
        default=False, help_text="Ask another model when one declines; only those that are there for refusals"
    )
    reuse_prompts = models.BooleanField(
        default=False, help_text="Use a prompt again that was written for the very same request"
    )
    rights_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner confirmed the right to use these images"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    gone_at = models.DateTimeField(null=True, editable=False, help_text="Being deleted (studio/deletion.py)")

    objects = PresentManager()
    everything = models.Manager["Workspace"]()

    class Meta:
        db_table = "studio_workspace"
        indexes = [models.Index(fields=["owner", "-created_at"], name="workspace_owner_list")]

    def __str__(self) -> str:
        return self.name


class Strategy(models.Model):
    """What a model is told when it writes a prompt: a name, and versions that the database lets nobody change.

    Only `active` may be switched: an inactive version is not picked by its name any more.
    """

    name = models.CharField(max_length=30)
    version = models.PositiveSmallIntegerField()
    system = models.TextField(help_text="The whole system message")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "studio_strategy"
        verbose_name_plural = "strategies"
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="strategy_version_once")]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class Row(models.Model):
    """One line of a workspace. `ref_urls` null: the workspace's default references; empty list: none.

    A row's status is not stored: it follows from its jobs (apps/studio/rows.py). `generation` names the latest
    set of images asked for; older sets keep their results.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="rows")
    label = models.CharField(max_length=120, blank=True)
    ref_urls = models.JSONField(null=True, blank=True)
    target_url = models.CharField(max_length=2048, blank=True)
    prompt_override = models.TextField(blank=True, max_length=4000)
    # What stands in the prompt field follows from these six: apps/studio/prompting/standing.py.
    written_prompt = models.TextField(blank=True, help_text="Written for it; empty once a person types another")
    written_source = models.CharField(max_length=10, blank=True)
    written_by = models.CharField(max_length=100, blank=True, help_text="The model that answered")
    written_with = models.CharField(max_length=50, blank=True, help_text="The strategy as name@version")
    prompt_before = models.TextField(blank=True, help_text="A person's text that the written one took the place of")
    trouble_read = models.UUIDField(null=True, blank=True, help_text="The prompt job whose failure was put away")
    match_target_ratio = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    generation = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    gone_at = models.DateTimeField(null=True, editable=False, help_text="Being deleted (studio/deletion.py)")

    objects = PresentManager()
    everything = models.Manager["Row"]()

    class Meta:
        db_table = "studio_row"
        ordering = ["position", "created_at"]
        indexes = [models.Index(fields=["workspace", "position", "created_at"], name="row_workspace_order")]

    def __str__(self) -> str:
        return self.label or str(self.id)

    @property
    def prompt_text(self) -> str:
        """What stands in the row's prompt field."""
        return self.written_prompt or self.prompt_override


class PromptJob(models.Model):
    """What a prompt job was asked and what it wrote; its state is the job's."""

    class Operation(models.TextChoices):
        GENERATE = "generate"
        ENHANCE = "enhance"

    class Source(models.TextChoices):
        MODEL = "model"
        TEMPLATE = "template"
        DEFAULT = "default"
        MANUAL = "manual"

    job = models.OneToOneField("jobs.Job", models.CASCADE, primary_key=True, related_name="prompt_job")
    row = models.ForeignKey(Row, models.SET_NULL, null=True, related_name="prompt_jobs")
    ref_urls = models.JSONField(default=list)
    target_url = models.CharField(max_length=2048)
    operation = models.CharField(max_length=10, choices=Operation.choices, default=Operation.GENERATE)
    existing_prompt = models.TextField(blank=True)
    instructions = models.TextField(blank=True)
    strategy = models.CharField(max_length=40, default="describe")
    strategy_version = models.PositiveSmallIntegerField(default=1)
    on_failure = models.CharField(max_length=10, choices=PromptPolicy.choices, default=PromptPolicy.FAIL)
    apply_to_row = models.BooleanField(default=False)
    row_prompt = models.TextField(
        null=True, help_text="The row's own text when it was asked; null: what is written is not to stand in the row"
    )
    generated_prompt = models.TextField(blank=True)
    source = models.CharField(max_length=10, choices=Source.choices, blank=True)
    model_asked = models.CharField(max_length=100, blank=True)
    model_answered = models.CharField(max_length=100, blank=True)
    request_digest = models.CharField(max_length=64, blank=True, help_text="Equal for equal requests")
    reused_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    tried = models.JSONField(default=list, help_text="Each model asked, what came of it and why, in order")

    class Meta:
        db_table = "studio_prompt_job"
        indexes = [
            # reuse: what a model wrote for an equal request
            models.Index(fields=["request_digest"], name="prompt_written", condition=Q(source="model")),
        ]

    def __str__(self) -> str:
        return f"prompt job {self.job_id}"


class StrategySum(models.Model):
    """What the prompt jobs of a strategy's version came to in one workspace that are pruned by now: comparing goes on as if
    they were there. `cost_usd` is of the prompts and of the images made from them.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="strategy_sums")
    strategy = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    asked = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=10, default=0)

    class Meta:
        db_table = "studio_strategy_sum"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "strategy", "version"], name="strategy_sum_once"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy}@{self.version}: {self.asked} asked"


class ImageJob(models.Model):
    """What an image job was asked: one picture, of one generation of a row."""

    job = models.OneToOneField("jobs.Job", models.CASCADE, primary_key=True, related_name="image_job")
    row = models.ForeignKey(Row, models.SET_NULL, null=True, related_name="image_jobs")
    generation = models.UUIDField(db_index=True)
    prompt_job = models.ForeignKey(PromptJob, models.SET_NULL, null=True, related_name="image_jobs")
    prompt = models.TextField(blank=True)
    prompt_source = models.CharField(max_length=10, choices=PromptJob.Source.choices, blank=True)
    image_urls = models.JSONField(default=list, help_text="References first, target last")
    generation_model = models.CharField(max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seed = models.BigIntegerField(null=True)
    prediction_id = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "studio_image_job"

    def __str__(self) -> str:
        return f"image job {self.job_id}"


class GeneratedImage(models.Model):
    """A picture that a provider made, in our own storage. `late`: it came after its job was cancelled.

    `nsfw`: the provider flagged it. `unreadable`: the code of why it cannot be shown; its file is kept as it came.
    `strategy` and `strategy_version`: by which its prompt was written, once the job that says so is pruned.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="images")
    row = models.ForeignKey(Row, models.CASCADE, null=True, related_name="images")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="images")
    index = models.PositiveSmallIntegerField(default=0)
    file = models.FileField(max_length=255)
    thumbnail = models.FileField(max_length=255)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()
    prompt = models.TextField(blank=True)
    generation_model = models.CharField(max_length=100, blank=True)
    favourite = models.BooleanField(default=False)
    rating = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    simulated = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    nsfw = models.BooleanField(default=False)
    unreadable = models.CharField(max_length=40, blank=True)
    strategy = models.CharField(max_length=40, blank=True)
    strategy_version = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "studio_generated_image"
        ordering = ["created_at", "index"]
        constraints = [
            models.UniqueConstraint(fields=["job", "index"], name="image_once_per_job"),
            models.CheckConstraint(
                name="image_rating_1_to_5", condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5)
            ),
        ]
        indexes = [
            models.Index(fields=["row", "-created_at"], name="image_row_list"),
            models.Index(fields=["file"], name="image_file"),  # assets.sweep.named, and the next
            models.Index(fields=["thumbnail"], name="image_thumbnail"),
            models.Index(fields=["owner"], include=["bytes"], name="image_space"),  # assets.space.space_of
        ]

    def __str__(self) -> str:
        return str(self.id)
