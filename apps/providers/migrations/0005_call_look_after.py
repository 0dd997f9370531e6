from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_admin_indexes")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="look_after",
            field=models.DateTimeField(editable=False, help_text="Reconcile asks about it no earlier", null=True),
        ),
    ]
