"""What verification says, and how it goes through a table without holding it in memory."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

BATCH = 5000  # rows

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written: the table, the row, and what is wrong with it."""

    table: str
    row: object
    problem: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.problem}"


def is_id(value: Any) -> bool:
    """Whether plain JSON, which anybody may have forged, can be the id of a row."""
    return type(value) is int and 0 < value < 2**63


def nobody(what: str, done: int) -> None:
    """Nobody listens to the progress."""


def restricted(model: type[models.Model], within: models.QuerySet[Any] | None) -> tuple[str, tuple]:
    """A condition on the alias ``t`` that holds for the rows of ``within``, with its values."""
    if within is None:
        return "TRUE", ()
    try:
        statement, values = within.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "FALSE", ()
    return f"t.{quoted(model._meta.pk)} IN ({statement})", values


def quoted(field: Any) -> str:
    """The column of a field, as SQL."""
    return connection.ops.quote_name(field.column)


def problems_of(
    model: type[models.Model],
    problem: str,
    *values: Any,
    joins: str = "",
    within: models.QuerySet[Any] | None = None,
    progress: Progress = nobody,
) -> Iterator[Finding]:
    """The rows of a table for which the SQL expression ``problem`` is not null.

    ``problem`` gives the words and reads the row as ``t``. The database looks at
    ``BATCH`` rows at a time, in the order of the primary key, and hands over the bad
    ones only, so neither side ever holds the table.
    """
    table, key = connection.ops.quote_name(model._meta.db_table), quoted(model._meta.pk)
    condition, restriction = restricted(model, within)
    statement = (
        f"WITH found AS (SELECT t.{key} AS row, {problem} AS problem FROM "  # noqa: S608
        f"(SELECT * FROM {table} t WHERE t.{key} > %s AND {condition} ORDER BY t.{key} LIMIT %s) t "
        f"{joins}) SELECT max(row), count(*), "
        "jsonb_agg(jsonb_build_array(row, problem) ORDER BY row) FILTER (WHERE problem IS NOT NULL)"
        "::text FROM found"
    )
    last, done = -(2**63), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*values, last, *restriction, BATCH])
            newest, count, found = cursor.fetchone()
        for row, words in json.loads(found or "[]"):
            yield Finding(model._meta.db_table, row, words)
        done += count
        progress(model._meta.db_table, done)
        if count < BATCH:
            return
        last = newest
