"""Images that people bring: the files that rows use as references and targets."""

import uuid

from django.conf import settings
from django.db import models


class Asset(models.Model):
    """One image in our own storage, checked and re-encoded, owned by whoever brought it.

    `source_url` is where it was fetched from, when it was not uploaded, without the query and its secrets;
    `source_digest` is the SHA-256 of the whole address, empty when its content has changed since: the newer asset has
    it. `fetched_at` is when that address last gave this picture, `etag` and `last_modified` are what it said then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="assets")
    file = models.FileField(max_length=255)
    thumbnail = models.FileField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    source_url = models.CharField(max_length=2048, blank=True)
    source_digest = models.CharField(max_length=64, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    etag = models.CharField(max_length=255, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the stored file")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "assets_asset"
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="asset_owner_list"),
            models.Index(fields=["owner", "digest"], name="asset_owner_digest"),  # library.store_upload
            models.Index(fields=["-created_at"], name="asset_admin_list"),
            models.Index(fields=["file"], name="asset_file"),  # sweep.named, and the next
            models.Index(fields=["thumbnail"], name="asset_thumbnail"),
            models.Index(fields=["owner"], include=["bytes"], name="asset_space"),  # space.space_of
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "source_digest"], condition=~models.Q(source_digest=""), name="asset_fetched_once"
            )
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)
