"""Rows of a migration as the database holds them: what changed, and putting it back."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection, models

from practices.tracking.models import (
    ClockRun,
    Gate,
    KeyDate,
    Migration,
    MigrationCondition,
    Phase,
    Task,
)

Row = dict[str, Any]
Rows = dict[str, dict[int, Row]]
# In the order in which they can be added; taken away in the other one.
MODELS: tuple[type[models.Model], ...] = (
    Migration,
    Phase,
    KeyDate,
    Task,
    Gate,
    MigrationCondition,
    ClockRun,
)
# Counts the changes of a task, so that a stale page is noticed: it never goes back.
COUNTS_UP = "version"


def rows_of(migration: Migration) -> Rows:
    """Every row that moving to another version may touch, as JSON, by table and id."""
    tables = ", ".join(
        f"(SELECT coalesce(json_agg(t), '[]')::text "  # noqa: S608  # names of our tables
        f'FROM "{model._meta.db_table}" t WHERE t."{_owner(model._meta.db_table)}" = %(migration)s)'
        for model in MODELS
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {tables}", {"migration": migration.pk})
        said = cursor.fetchone()
    return {
        model._meta.db_table: {row["id"]: row for row in json.loads(rows)}
        for model, rows in zip(MODELS, said, strict=True)
    }


def _owner(table: str) -> str:
    """The column that says to which migration a row belongs."""
    return "id" if table == Migration._meta.db_table else "migration_id"


def undo_of(before: Rows, after: Rows) -> dict[str, Any]:
    """What takes ``after`` back to ``before``: by table, the columns and rows that differ."""
    found: dict[str, Any] = {}
    for table, rows in before.items():
        now = after[table]
        columns = {
            name
            for pk, row in rows.items()
            if pk in now
            for name, value in row.items()
            if now[pk][name] != value and name != COUNTS_UP
        }
        changed = [
            {"id": pk, **{name: row[name] for name in sorted(columns)}}
            for pk, row in rows.items()
            if pk in now and any(now[pk][name] != row[name] for name in columns)
        ]
        step = {
            "changed": changed,
            "removed": [row for pk, row in rows.items() if pk not in now],
            "added": [pk for pk in now if pk not in rows],
        }
        if any(step.values()):
            found[table] = step
    return found


def put_back(migration: Migration, undo: dict[str, Any]) -> None:
    """Give the rows of a migration back what ``undo_of`` kept of them.

    Runs of clocks that were started since are void instead of gone: the history tells of them.
    """
    tables = [model._meta.db_table for model in MODELS]
    for table in tables:
        if table != ClockRun._meta.db_table and table in undo:
            _add(table, undo[table]["removed"])
    for table in tables:
        if table in undo:
            _change(migration, table, undo[table]["changed"])
    for table in reversed(tables):
        if table != ClockRun._meta.db_table and table in undo and undo[table]["added"]:
            with connection.cursor() as cursor:
                cursor.execute(
                    f'DELETE FROM "{table}" WHERE id = ANY(%s)',  # noqa: S608  # one of our tables
                    [undo[table]["added"]],
                )


def write_rows(
    migration: Migration, rows: Iterable[models.Model], columns: Sequence[str], before: Rows
) -> None:
    """Save those of these columns that differ from ``before``, in one statement for a table."""
    rows = list(rows)
    if not rows:
        return
    table = rows[0]._meta.db_table
    was = before[table]
    said = {row.pk: {name: _plain(getattr(row, name)) for name in columns} for row in rows}
    differ = [
        name for name in columns if any(new[name] != was[pk][name] for pk, new in said.items())
    ]
    changed = [
        {"id": pk, **{name: new[name] for name in differ}}
        for pk, new in said.items()
        if any(new[name] != was[pk][name] for name in differ)
    ]
    _change(migration, table, changed)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _change(migration: Migration, table: str, rows: list[Row]) -> None:
    """Update rows by id; all of them say the same columns."""
    columns = [name for name in (rows[0] if rows else ()) if name != "id"]
    if not columns:
        return
    said = [f'"{name}" = r."{name}"' for name in columns]
    if table == Task._meta.db_table:
        said.append(f'"{COUNTS_UP}" = t."{COUNTS_UP}" + 1')
    # Told whose they are, the database reads the rows of one migration instead of the table.
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" t SET {", ".join(said)} '  # noqa: S608  # names of our columns
            f'FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb) r '
            f'WHERE t.id = r.id AND t."{_owner(table)}" = %s',
            [json.dumps(rows), migration.pk],
        )


def _add(table: str, rows: list[Row]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{table}" '  # noqa: S608  # one of our tables
                f'SELECT * FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb)',
                [json.dumps(rows)],
            )
