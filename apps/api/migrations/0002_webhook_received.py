from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0001_keys")]

    operations = [
        migrations.CreateModel(
            name="WebhookReceived",
            fields=[
                ("webhook_id", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("received_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={"db_table": "api_webhook_received"},
        ),
    ]
