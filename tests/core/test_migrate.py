"""Upgrades of large tables: migrate has no time limit of a request, and no migration blocks the queue for its index."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import pre_migrate

# What release 0.1.0 was made of. What came later meets tables with millions of rows.
RELEASED = {"jobs": "0004_chains", "providers": "0006_budgets"}
PLAIN = "makes an index that blocks every write: use AddIndexConcurrently and atomic = False"


def limits() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout') ORDER BY name DESC"
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_only_migrate_has_no_time_limit() -> None:
    seen: list[list[str]] = []

    def look(**_signal: object) -> None:
        seen.append(limits())

    pre_migrate.connect(look)
    try:
        call_command("migrate", stdout=StringIO())
    finally:
        pre_migrate.disconnect(look)
    assert ["0", "30000"] in seen
    assert {tuple(each) for each in seen} == {("0", "30000")}
    assert limits() == ["15000", "5000"]


def blocking(migration: migrations.Migration) -> Iterator[str]:
    """What of it would hold up every write to a large table of the queue or the ledger."""
    own = {one.name_lower for one in migration.operations if isinstance(one, migrations.CreateModel)}
    for one in migration.operations:
        if getattr(one, "model_name_lower", "") in own:
            continue  # an empty table
        if isinstance(one, AddIndexConcurrently):
            if migration.atomic:
                yield f"{migration} makes an index concurrently in a transaction: set atomic = False"
        elif isinstance(one, migrations.AddIndex):
            yield f"{migration} {PLAIN}"
        elif isinstance(one, migrations.AddField | migrations.AlterField):
            field = one.field
            if field.db_index or field.unique:
                yield f"{migration} {PLAIN}, and db_index=False on {one.name}"
        elif isinstance(one, migrations.AddConstraint) and isinstance(one.constraint, models.UniqueConstraint):
            yield f"{migration} {PLAIN}, with a unique index"


def test_no_migration_after_the_release_blocks_the_queue_for_its_index() -> None:
    loader = MigrationLoader(None)
    later = [
        migration
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in RELEASED and name > RELEASED[app]
    ]
    assert [words for migration in later for words in blocking(migration)] == []


@pytest.mark.parametrize(
    ("operations", "atomic", "wrong"),
    [
        ([migrations.AddIndex("job", models.Index(fields=["lane"], name="x"))], True, 1),
        ([migrations.AddIndex("job", models.Index(fields=["lane"], name="x"))], False, 1),
        ([AddIndexConcurrently("job", models.Index(fields=["lane"], name="x"))], True, 1),
        ([AddIndexConcurrently("job", models.Index(fields=["lane"], name="x"))], False, 0),
        ([migrations.AddField("job", "note", models.CharField(max_length=9, db_index=True))], True, 1),
        ([migrations.AddField("job", "note", models.CharField(max_length=9))], True, 0),
        ([migrations.AddConstraint("job", models.UniqueConstraint(fields=["uid"], name="x"))], True, 1),
        (
            [
                migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
                migrations.AddIndex("new", models.Index(fields=["id"], name="x")),
            ],
            True,
            0,
        ),
    ],
)
def test_the_plain_form_is_seen(operations: list[object], atomic: bool, wrong: int) -> None:
    migration = migrations.Migration("0099_trial", "jobs")
    migration.operations, migration.atomic = operations, atomic
    assert len(list(blocking(migration))) == wrong
