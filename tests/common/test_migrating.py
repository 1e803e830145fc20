"""Schema migrations that change much are done at once: `migrate` from nothing takes seconds."""

from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from practices.common.migrating import at_once


def grouped(*operations):
    return at_once(
        type("Migration", (migrations.Migration,), {"operations": operations})
    ).operations


def add(name, model="Thing"):
    return migrations.AddField(model, name, models.IntegerField())


def alter(name):
    return migrations.AlterField("thing", name, models.BigIntegerField())


def test_what_lies_between_other_operations_is_done_at_once():
    first, make, second = (
        [add("a"), add("a", "Other"), alter("b")],
        migrations.RunSQL(""),
        [add("c")],
    )
    one, between, two = grouped(*first, make, *second)
    assert (list(one.operations), between, list(two.operations)) == (first, make, second)


def test_a_field_that_changes_twice_is_not_changed_at_once():
    assert [len(run.operations) for run in grouped(add("a"), add("b"), alter("a"))] == [2, 1]


def test_no_migration_of_ours_renders_the_models_again_and_again():
    for migration in MigrationLoader(None).disk_migrations.values():
        if type(migration).__module__.startswith("practices."):
            changes = [one for one in migration.operations if hasattr(one, "model_name")]
            assert len(changes) < 3, f"{type(migration).__module__} wants @at_once"
