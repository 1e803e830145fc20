"""Schema migrations of many operations, without waiting for Django after each.

Django renders every model again that can be reached from one that an operation changes, which
here is nearly every one, and spends most of `migrate` on it. What a run of operations does to
fields, indexes, constraints and triggers it can do as well from the models before all of them
to the models after all of them.
"""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.operations import AddField, AlterField, RenameIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation  # constraints, triggers too
from django.db.migrations.state import ProjectState

Change = FieldOperation | IndexOperation


class AtOnce(Operation):
    """Operations on fields, indexes, constraints and triggers that render the models once."""

    def __init__(self, operations: Sequence[Change]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # A state without rendered models renders none: they are put back when all is said.
        apps = state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)
        if apps is not None:
            state.apps = apps
            changed = {operation.model_name_lower for operation in self.operations}
            state.reload_models([(app_label, name) for name in changed], delay=False)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)


def at_once(migration: type[Migration]) -> type[Migration]:
    """Decorate a migration, so that each run of such operations is done at once."""
    done: list[Operation] = []
    run: list[Change] = []
    fields: set[tuple[str, str]] = set()

    def finish() -> None:
        if run:
            done.append(AtOnce(tuple(run)))
        run.clear()
        fields.clear()

    for operation in migration.operations:
        if isinstance(operation, (AddField, AlterField)):
            field = (operation.model_name_lower, operation.name_lower)
            if field in fields:  # what it is in between, neither state says
                finish()
            fields.add(field)
        elif not isinstance(operation, IndexOperation) or isinstance(operation, RenameIndex):
            finish()
            done.append(operation)
            continue
        run.append(operation)
    finish()
    migration.operations = done
    return migration
