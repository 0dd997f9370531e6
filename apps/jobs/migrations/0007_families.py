"""Parents, their children and what they count. On a table that is full: nothing is rewritten and no index blocks a write."""

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_PENDING = ["queued", "waiting", "scheduled"]
_ALONE = models.CheckConstraint(
    name="job_parent_waits_for_its_children_alone",
    condition=Q(after_children="", open_children=0, failed_children=0, planned_at__isnull=True)
    | (~Q(after_children="") & Q(open_children__gte=0, waits_for__isnull=True)),
)
_NO_CHILD = models.CheckConstraint(
    name="job_parent_that_ends_is_no_child", condition=~Q(after_children="end") | Q(parent__isnull=True)
)
_SLOT = models.UniqueConstraint(
    fields=["parent", "slot"],
    name="job_one_per_slot",
    condition=Q(parent__isnull=False, slot__isnull=False, retry_of__isnull=True),
)
_AFTER = [
    ("end", "ends: completed when all of them completed or were skipped, else failed"),
    ("run", "runs, and sees for itself how they ended"),
]
# Dropped first: an upgrade that was broken off leaves an index that is not valid.
_MAKE_SLOT = [
    "DROP INDEX CONCURRENTLY IF EXISTS job_one_per_slot",
    "CREATE UNIQUE INDEX CONCURRENTLY job_one_per_slot ON jobs_job (parent_id, slot) "
    "WHERE parent_id IS NOT NULL AND slot IS NOT NULL AND retry_of_id IS NULL",
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0006_remedy")]

    operations = [
        migrations.AddField("job", "planned_at", models.DateTimeField(null=True)),
        migrations.AddField("job", "open_children", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("job", "failed_children", models.IntegerField(default=0, db_default=0)),
        migrations.AddField(
            "job",
            "after_children",
            models.CharField(max_length=4, blank=True, default="", db_default="", choices=_AFTER),
        ),
        migrations.AddField("job", "slot", models.CharField(max_length=64, null=True)),
        migrations.AddField("job", "plan", models.JSONField(null=True)),
        AddConstraintNotValid("job", _ALONE),
        ValidateConstraint("job", _ALONE.name),
        AddConstraintNotValid("job", _NO_CHILD),
        ValidateConstraint("job", _NO_CHILD.name),
        AddIndexConcurrently(
            "job",
            models.Index(
                fields=["parent"], name="job_open_children", condition=Q(parent__isnull=False, finished_at__isnull=True)
            ),
        ),
        AddIndexConcurrently(
            "job", models.Index(fields=["status"], name="job_parents", condition=~Q(after_children=""))
        ),
        AddIndexConcurrently(
            "job",
            models.Index(
                fields=["kind", "owner"],
                name="job_pending_heads",
                condition=Q(parent__isnull=True, status__in=_PENDING),
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in _MAKE_SLOT[:1]
            ]
            + [migrations.RunSQL(_MAKE_SLOT[1], _MAKE_SLOT[0])],
            state_operations=[migrations.AddConstraint("job", _SLOT)],
        ),
    ]
