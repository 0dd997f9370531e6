from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("providers", "0010_spend")]

    operations = [
        AddIndexConcurrently("spend", models.Index(fields=["day", "provider"], name="spend_by_day")),
        RemoveIndexConcurrently("spend", "spend_day"),
        # Room for a row's next version beside it.
        migrations.RunSQL(
            "ALTER TABLE providers_spend SET (fillfactor = 50)", "ALTER TABLE providers_spend RESET (fillfactor)"
        ),
    ]
