import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What a call counts as, and whether nobody has told its cost: the one home of this rule.
COUNTED = """
CREATE FUNCTION providers_counted(state text, cost numeric, estimate numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(cost, CASE WHEN state IN ('intent', 'accepted', 'unknown') THEN estimate END, 0)
$$
"""
UNPRICED = """
CREATE FUNCTION providers_unpriced(state text, cost numeric, source text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (source = 'estimated' OR (cost IS NULL AND state NOT IN ('failed', 'lost')))::int
$$
"""
ADD = """
CREATE FUNCTION providers_add_spend(call providers_call, calls integer, unpriced integer, usd numeric) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO providers_spend AS s (owner_id, provider, product, day, calls, unpriced, usd)
  VALUES (call.owner_id, call.provider, call.product, (call.created_at AT TIME ZONE 'UTC')::date, calls, unpriced, usd)
  ON CONFLICT (owner_id, provider, product, day) DO UPDATE
    SET calls = s.calls + excluded.calls, unpriced = s.unpriced + excluded.unpriced, usd = s.usd + excluded.usd
$$
"""
# A deleted call gives no money back: it was spent.
TRIGGER = """
CREATE FUNCTION providers_count_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  now_usd numeric := providers_counted(NEW.state, NEW.cost_usd, NEW.estimate_usd);
  now_unpriced integer := providers_unpriced(NEW.state, NEW.cost_usd, NEW.cost_source);
  old_usd numeric;
  old_unpriced integer;
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM providers_add_spend(NEW, 1, now_unpriced, now_usd);
    RETURN NULL;
  END IF;
  old_usd := providers_counted(OLD.state, OLD.cost_usd, OLD.estimate_usd);
  old_unpriced := providers_unpriced(OLD.state, OLD.cost_usd, OLD.cost_source);
  IF (OLD.owner_id, OLD.provider, OLD.product, OLD.created_at) IS DISTINCT FROM
     (NEW.owner_id, NEW.provider, NEW.product, NEW.created_at) THEN
    PERFORM providers_add_spend(OLD, -1, -old_unpriced, -old_usd);
    PERFORM providers_add_spend(NEW, 1, now_unpriced, now_usd);
  ELSIF (old_usd, old_unpriced) IS DISTINCT FROM (now_usd, now_unpriced) THEN
    PERFORM providers_add_spend(NEW, 0, now_unpriced - old_unpriced, now_usd - old_usd);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER providers_call_is_counted AFTER INSERT OR UPDATE ON providers_call
  FOR EACH ROW EXECUTE FUNCTION providers_count_call();
"""
BACKFILL = """
INSERT INTO providers_spend (owner_id, provider, product, day, calls, unpriced, usd)
SELECT owner_id, provider, product, (created_at AT TIME ZONE 'UTC')::date, count(*),
  sum(providers_unpriced(state, cost_usd, cost_source)), sum(providers_counted(state, cost_usd, estimate_usd))
FROM providers_call GROUP BY 1, 2, 3, 4
"""
BACK = """
DROP TRIGGER providers_call_is_counted ON providers_call;
DROP FUNCTION providers_count_call();
DROP FUNCTION providers_add_spend(providers_call, integer, integer, numeric);
DROP FUNCTION providers_unpriced(text, numeric, text);
DROP FUNCTION providers_counted(text, numeric, numeric);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0009_estimates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Spend",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("product", models.CharField(max_length=12)),
                ("day", models.DateField()),
                ("calls", models.IntegerField(default=0)),
                ("unpriced", models.IntegerField(default=0)),
                ("usd", models.DecimalField(decimal_places=10, default=0, max_digits=18)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"db_table": "providers_spend"},
        ),
        migrations.AddIndex(
            model_name="spend",
            index=models.Index(fields=["day", "provider"], include=("usd",), name="spend_day"),
        ),
        migrations.AddConstraint(
            model_name="spend",
            constraint=models.UniqueConstraint(
                fields=("owner", "provider", "product", "day"), name="spend_once", nulls_distinct=False
            ),
        ),
        migrations.RunSQL(COUNTED + ";" + UNPRICED + ";" + ADD + ";" + TRIGGER, BACK),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
    ]
