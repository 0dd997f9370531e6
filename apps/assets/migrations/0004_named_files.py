from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside the writes of a desk that is running."""

    atomic = False

    dependencies = [
        ("assets", "0003_fetched"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='asset',
            index=models.Index(fields=['file'], name='asset_file'),
        ),
        AddIndexConcurrently(
            model_name='asset',
            index=models.Index(fields=['thumbnail'], name='asset_thumbnail'),
        ),
        AddIndexConcurrently(
            model_name='asset',
            index=models.Index(fields=['owner'], include=('bytes',), name='asset_space'),
        ),
    ]
