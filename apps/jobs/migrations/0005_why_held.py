"""A hold says what caused it, and one that a person set on a provider or a person has a reason of its own."""

from django.db import migrations, models

# Before, what a person held was told as a paused lane, whatever was held.
_NAME = """
UPDATE jobs_hold SET reason = scope || '_held' WHERE scope IN ('provider', 'owner') AND reason = 'lane_paused'
"""
_UNNAME = "UPDATE jobs_hold SET reason = 'lane_paused' WHERE reason IN ('provider_held', 'owner_held')"
# What providers asked us to wait for stood in a table of its own besides; where both tell of one, the longer stands.
_MOVE = """
INSERT INTO jobs_hold AS h (scope, key, reason, until, cause, note, set_by, set_at)
SELECT 'provider', provider, 'rate_limited_until', until, 'rate_limited', reason, '', clock_timestamp()
FROM providers_hold WHERE until > clock_timestamp()
ON CONFLICT (scope, key, reason) DO UPDATE SET until = greatest(h.until, excluded.until), cause = excluded.cause
"""
_MOVE_BACK = """
INSERT INTO providers_hold (provider, until, reason)
SELECT key, until, note FROM jobs_hold
WHERE scope = 'provider' AND reason = 'rate_limited_until' AND until > clock_timestamp()
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_chains"), ("providers", "0006_budgets")]

    operations = [
        migrations.AddField("hold", "cause", models.CharField(blank=True, db_default="", max_length=40)),
        migrations.RunSQL(_NAME, _UNNAME),
        migrations.RunSQL(_MOVE, _MOVE_BACK),
    ]
