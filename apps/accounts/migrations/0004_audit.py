from django.db import migrations, models

# Entries are added and never changed, whoever asks: also not by a statement typed into psql.
APPEND_ONLY = """
CREATE FUNCTION accounts_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$;
CREATE TRIGGER accounts_audit_append_only BEFORE UPDATE OR DELETE ON accounts_audit
  FOR EACH ROW EXECUTE FUNCTION accounts_audit_refuse();
"""
BACK = """
DROP TRIGGER accounts_audit_append_only ON accounts_audit;
DROP FUNCTION accounts_audit_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_queue_quota'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('actor', models.CharField(help_text="A user's name; of the machine, for the command line", max_length=150)),
                ('user_id', models.BigIntegerField(blank=True, null=True)),
                ('via', models.CharField(choices=[('admin', 'administration'), ('api', 'API'), ('page', 'page'), ('command', 'command line'), ('celery', 'celery control')], max_length=10)),
                ('action', models.CharField(max_length=100)),
                ('subject', models.CharField(blank=True, max_length=300)),
                ('detail', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'db_table': 'accounts_audit',
                'indexes': [models.Index(fields=['actor', '-id'], name='audit_by_actor')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, BACK),
    ]
