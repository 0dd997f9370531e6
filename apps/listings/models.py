"""Listings' things: projects with their facts and photographs, what was asked of jobs, and the images made."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q


class ImageType(models.TextChoices):
    """The six images of a pack, in the order in which a marketplace shows them."""

    MAIN = "MAIN_IMAGE", "Main"
    INFOGRAPHIC = "INFOGRAPHIC", "Infographic"
    FEATURE = "FEATURE_HIGHLIGHT", "Feature"
    LIFESTYLE = "LIFESTYLE", "Lifestyle"
    COMPARISON = "COMPARISON_CHART", "Comparison"
    DIMENSIONS = "DIMENSION_DIAGRAM", "Dimensions"


class Style(models.TextChoices):
    PREMIUM = "premium", "Premium"
    MINIMAL = "minimal", "Minimal"
    BOLD = "bold", "Bold"
    LIFESTYLE = "lifestyle", "Lifestyle"
    TECHY = "techy", "Techy"
    COLORFUL = "colorful", "Colorful"


class Category(models.TextChoices):
    HOUSEHOLD = "household", "Household and decor"
    ELECTRONICS = "electronics", "Electronics and tools"
    BEAUTY = "beauty", "Beauty and food"
    CLOTHING = "clothing", "Clothing"
    TOYS = "toys", "Toys and sets"
    OTHER = "other", "Something else"


class BrandKit(models.Model):
    """A seller's logo and colours, which win over a style's own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="brand_kits")
    name = models.CharField(max_length=80)
    logo = models.ForeignKey("assets.Asset", models.PROTECT, null=True, blank=True, related_name="+")
    colours = models.JSONField(default=list, blank=True, help_text="Up to five, as #A5814B; the first leads")
    display_font = models.CharField(max_length=40, blank=True, help_text="A typeface of ours; empty: the style's")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_brand_kit"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="brand_kit_name_once")]

    def __str__(self) -> str:
        return self.name


class PresentManager(models.Manager["Project"]):
    """Without what is being deleted: nobody finds it any more, while its jobs are still being cancelled."""

    def get_queryset(self) -> models.QuerySet["Project"]:
        return super().get_queryset().filter(gone_at=None)


class Project(models.Model):
    """A product that is to be sold: what it is, what is known of it, and what was made for it.

    Its status is not stored: it follows from its newest pack (apps/listings/standing.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    headline = models.CharField(max_length=80, blank=True, help_text="Stands over the images; empty: the name")
    sku = models.CharField(max_length=300, blank=True)
    asin = models.CharField(max_length=10, blank=True)
    gtin = models.CharField(max_length=14, blank=True)
    brand = models.CharField(max_length=80, blank=True)
    locale = models.CharField(max_length=12, default="en-US")
    category = models.CharField(max_length=20, choices=Category.choices, default=Category.HOUSEHOLD)
    description = models.TextField(blank=True, max_length=4000)
    style = models.CharField(max_length=12, choices=Style.choices, default=Style.PREMIUM)
    brand_kit = models.ForeignKey(BrandKit, models.SET_NULL, null=True, blank=True, related_name="projects")
    compared_with = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="compared_by")
    is_render = models.BooleanField(default=False, help_text="Its pictures are renders: said wherever they are shown")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    gone_at = models.DateTimeField(null=True, editable=False, help_text="Being deleted (listings/projects.py)")

    objects = PresentManager()
    everything = models.Manager["Project"]()

    class Meta:
        db_table = "listings_project"
        indexes = [models.Index(fields=["owner", "-created_at"], name="project_owner_list")]

    def __str__(self) -> str:
        return self.name


class Fact(models.Model):
    """Something that is true of the product, as its seller confirmed it: the only source of words in images and texts."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="facts")
    key = models.CharField(max_length=60, help_text="height, volume, feature-1 …; unique in the project")
    label = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=300)
    amount = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=12, blank=True)
    source = models.CharField(max_length=10, default="seller")
    confirmed_at = models.DateTimeField(auto_now_add=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "listings_fact"
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="fact_key_once")]

    def __str__(self) -> str:
        return f"{self.label or self.key}: {self.value}"


class SourcePhoto(models.Model):
    """A photograph that the seller brought. `report`: what was seen in it when it came, before any money."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="photos")
    asset = models.ForeignKey("assets.Asset", models.PROTECT, related_name="+")
    report = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_source_photo"
        ordering = ["position", "created_at"]
        constraints = [models.UniqueConstraint(fields=["project", "asset"], name="photo_once_in_project")]

    def __str__(self) -> str:
        return f"photo of {self.project_id}"


class Cutout(models.Model):
    """A photograph's product without its ground, of one owner: made and paid once, whoever needs it.

    `file` is the answer untouched, empty while `job` makes it. `report`: its share, box and doubts.
    """

    class Method(models.TextChoices):
        REMOVEBG = "removebg", "remove.bg"
        QUICK = "quick", "Pressroom's quick way"
        UPLOAD = "upload", "brought by the seller"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cutouts")
    photo_digest = models.CharField(max_length=64)
    photo = models.ForeignKey("assets.Asset", models.SET_NULL, null=True, related_name="+")
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.REMOVEBG)
    job = models.OneToOneField("jobs.Job", models.SET_NULL, null=True, related_name="cutout")
    file = models.FileField(max_length=255, blank=True)
    bytes = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    simulated = models.BooleanField(default=False)
    chosen_at = models.DateTimeField(auto_now=True, help_text="Of two methods the one chosen last is used")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_cutout"
        constraints = [models.UniqueConstraint(fields=["owner", "photo_digest", "method"], name="cutout_once")]
        indexes = [models.Index(fields=["file"], name="cutout_file")]  # assets.sweep.named

    def __str__(self) -> str:
        return f"cut-out of {self.photo_digest[:8]} by {self.method}"


class Pack(models.Model):
    """Six images asked for together. `job` is the parent of those under way, the newest try of them.

    How far it is follows from its images and jobs (apps/listings/standing.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="packs")
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="packs")
    style = models.CharField(max_length=12, choices=Style.choices)
    types = models.JSONField(default=list, help_text="The image types that were asked for")
    lacking = models.JSONField(default=dict, help_text="Image type → keys of the facts it waits for")
    quoted_usd = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_pack"
        indexes = [models.Index(fields=["project", "-created_at"], name="pack_project_newest")]

    def __str__(self) -> str:
        return f"pack of {self.project_id}"


class ImageOrder(models.Model):
    """What the job of one image was asked. `scene` is the seller's own wish for a painted one; empty: the style's."""

    job = models.OneToOneField("jobs.Job", models.CASCADE, primary_key=True, related_name="image_order")
    project = models.ForeignKey(Project, models.SET_NULL, null=True, related_name="orders")
    pack = models.ForeignKey(Pack, models.SET_NULL, null=True, related_name="orders")
    image_type = models.CharField(max_length=20, choices=ImageType.choices)
    style = models.CharField(max_length=12, choices=Style.choices)
    photo_digest = models.CharField(max_length=64, blank=True)
    cutout = models.ForeignKey(Cutout, models.SET_NULL, null=True, related_name="orders")
    scene = models.CharField(max_length=500, blank=True)
    made_by = models.CharField(max_length=10, default="pack")
    anew = models.BooleanField(default=False, help_text="Paid for again although the same was made before")

    class Meta:
        db_table = "listings_image_order"
        indexes = [models.Index(fields=["project", "image_type", "-job"], name="order_newest")]

    def __str__(self) -> str:
        return f"{self.image_type} by job {self.job_id}"


class ListingImage(models.Model):
    """One version of one of a product's images. Nothing overwrites another: a fix and a redo are versions too.

    `original` is what a provider sent, untouched; `plan` what was drawn where; `report` the rules as measured on the
    file's own bytes; `drift` how far the product is from its photograph; `late`: it came after its job was cancelled.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="listing_images")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="images")
    pack = models.ForeignKey(Pack, models.SET_NULL, null=True, related_name="images")
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="listing_images")
    image_type = models.CharField(max_length=20, choices=ImageType.choices)
    style = models.CharField(max_length=12, choices=Style.choices)
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    file = models.FileField(max_length=255)
    thumbnail = models.FileField(max_length=255)
    original = models.FileField(max_length=255, blank=True)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()
    made_by = models.CharField(max_length=10, default="pack", help_text="pack, redo, fix or upload")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    plan = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    drift = models.JSONField(default=dict)
    provenance = models.JSONField(default=dict)
    source_type = models.CharField(max_length=120, blank=True, help_text="IPTC digital source type")
    cost_usd = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    simulated = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_image"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["project", "image_type", "number"], name="listing_image_version_once"),
            models.UniqueConstraint(fields=["job"], name="listing_image_once_per_job", condition=Q(job__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["file"], name="listing_image_file"),  # assets.sweep.named, and the next two
            models.Index(fields=["thumbnail"], name="listing_image_thumbnail"),
            models.Index(fields=["original"], name="listing_image_original"),
            models.Index(fields=["owner"], include=["bytes"], name="listing_image_space"),  # assets.space.space_of
        ]

    def __str__(self) -> str:
        return f"{self.image_type} {self.number}"


class Slot(models.Model):
    """The place of one image in a project: which version of it counts."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="slots")
    image_type = models.CharField(max_length=20, choices=ImageType.choices)
    chosen = models.ForeignKey(ListingImage, models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "listings_slot"
        constraints = [models.UniqueConstraint(fields=["project", "image_type"], name="slot_once")]

    def __str__(self) -> str:
        return f"{self.image_type} of {self.project_id}"


class Derivative(models.Model):
    """An image in a marketplace's own size: made once, since another encoder would make other bytes."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    image = models.ForeignKey(ListingImage, models.CASCADE, related_name="derivatives")
    side = models.PositiveIntegerField()
    quality = models.PositiveSmallIntegerField()
    encoder = models.PositiveSmallIntegerField()
    file = models.FileField(max_length=255)
    bytes = models.PositiveIntegerField()

    class Meta:
        db_table = "listings_derivative"
        constraints = [models.UniqueConstraint(fields=["image", "side", "quality", "encoder"], name="derivative_once")]
        indexes = [models.Index(fields=["file"], name="derivative_file")]  # assets.sweep.named

    def __str__(self) -> str:
        return f"{self.image_id} at {self.side}"


class Export(models.Model):
    """What was exported, frozen: asked for again, it is the same bytes. `asked`: which versions by which preset."""

    class Status(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="exports")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    job = models.OneToOneField("jobs.Job", models.SET_NULL, null=True, related_name="export")
    platform = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.MAKING)
    asked = models.JSONField()
    frozen = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "listings_export"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="export_project_newest")]

    def __str__(self) -> str:
        return f"{self.platform} of {self.project_id}"


class APlusPage(models.Model):
    """An A+ page in one language, standard or premium. `report`: its faults and findings as they were last told.

    `asked`: what its job was asked. `revision` grows with each change: who saves names the one that was read.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Being written"
        READY = "ready", "Ready"
        NEEDS_EDIT = "needs_edit", "Needs an edit"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="aplus_pages")
    locale = models.CharField(max_length=12)
    premium = models.BooleanField(default=False)
    job = models.OneToOneField("jobs.Job", models.SET_NULL, null=True, related_name="aplus_page")
    asked = models.JSONField(default=dict)
    modules = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "listings_aplus_page"
        constraints = [models.UniqueConstraint(fields=["project", "locale", "premium"], name="aplus_page_once")]

    def __str__(self) -> str:
        return f"A+ of {self.project_id} in {self.locale}"

    def paths(self) -> set[str]:
        """The files that its pictures lie in."""
        kept = [picture for module in self.modules for picture in (module.get("pictures") or {}).values()]
        return {str(picture[name]) for picture in kept for name in ("path", "phonePath") if picture.get(name)}

    def name_files(self) -> None:
        """Rows that name them: a file that no row names is swept away."""
        here = self.paths()
        APlusPicture.objects.filter(page=self).exclude(file__in=here).delete()
        APlusPicture.objects.bulk_create([APlusPicture(page=self, file=path) for path in here], ignore_conflicts=True)


class APlusPicture(models.Model):
    """A file that an A+ page needs."""

    page = models.ForeignKey(APlusPage, models.CASCADE, related_name="files")
    file = models.FileField(max_length=255)

    class Meta:
        db_table = "listings_aplus_picture"
        constraints = [models.UniqueConstraint(fields=["page", "file"], name="aplus_picture_once")]
        indexes = [models.Index(fields=["file"], name="aplus_picture_file")]  # assets.sweep.named

    def __str__(self) -> str:
        return str(self.file)
