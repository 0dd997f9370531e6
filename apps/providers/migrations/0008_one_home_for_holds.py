"""What a provider asked us to wait for is a hold of the queue (jobs_hold), and nothing besides.

The table stays, empty of use: workers of the release before, which may still run beside this one, ask it before each
call. A later release drops it.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("providers", "0007_clock_skew"), ("jobs", "0005_why_held")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("ProviderHold")]),
    ]
