"""Rows of a migration as the database holds them: what changed, and putting it back."""

import json
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
    found: Rows = {}
    with connection.cursor() as cursor:
        for model in MODELS:
            table = model._meta.db_table
            column = "id" if model is Migration else "migration_id"
            cursor.execute(
                f"SELECT coalesce(jsonb_object_agg(t.id, to_jsonb(t)), '{{}}')::text "  # noqa: S608  # names of our tables
                f'FROM "{table}" t WHERE t."{column}" = %s',
                [migration.pk],
            )
            (said,) = cursor.fetchone()
            found[table] = {int(pk): row for pk, row in json.loads(said).items()}
    return found


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


def put_back(undo: dict[str, Any]) -> None:
    """Give the rows of a migration back what ``undo_of`` kept of them.

    Runs of clocks that were started since are void instead of gone: the history tells of them.
    """
    tables = [model._meta.db_table for model in MODELS]
    for table in tables:
        if table != ClockRun._meta.db_table and table in undo:
            _add(table, undo[table]["removed"])
    for table in tables:
        if table in undo:
            _change(table, undo[table]["changed"])
    for table in reversed(tables):
        if table != ClockRun._meta.db_table and table in undo and undo[table]["added"]:
            with connection.cursor() as cursor:
                cursor.execute(
                    f'DELETE FROM "{table}" WHERE id = ANY(%s)',  # noqa: S608  # one of our tables
                    [undo[table]["added"]],
                )


def write_tasks(tasks: list[Task], phase_of: dict[str, int]) -> None:
    """Save what another version of the plan changes of tasks, in one statement."""
    _change(
        Task._meta.db_table,
        [
            {
                "id": task.pk,
                "plan_task_id": task.plan_task_id,
                "phase_id": phase_of[task.code],
                "position": task.position,
                "owner": task.owner,
                "mandatory": task.mandatory,
                "anchor": task.anchor,
                "offset": task.offset,
                "unit": task.unit,
                "due_on": task.due_on.isoformat(),
                "due_at": task.due_at.isoformat(),
                "left_plan": task.left_plan,
            }
            for task in tasks
        ],
    )


def _change(table: str, rows: list[Row]) -> None:
    """Update rows by id; all of them say the same columns."""
    columns = [name for name in (rows[0] if rows else ()) if name != "id"]
    if not columns:
        return
    said = [f'"{name}" = r."{name}"' for name in columns]
    if table == Task._meta.db_table:
        said.append(f'"{COUNTS_UP}" = t."{COUNTS_UP}" + 1')
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" t SET {", ".join(said)} '  # noqa: S608  # names of our columns
            f'FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb) r WHERE t.id = r.id',
            [json.dumps(rows)],
        )


def _add(table: str, rows: list[Row]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{table}" '  # noqa: S608  # one of our tables
                f'SELECT * FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb)',
                [json.dumps(rows)],
            )
