from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0010_spend")]

    operations = [
        migrations.RemoveIndex(model_name="spend", name="spend_day"),
        migrations.AddIndex(
            model_name="spend",
            index=models.Index(fields=["day", "provider"], name="spend_by_day"),
        ),
        # Room for a row's next version beside it.
        migrations.RunSQL(
            "ALTER TABLE providers_spend SET (fillfactor = 50)", "ALTER TABLE providers_spend RESET (fillfactor)"
        ),
    ]
