"""Questions that are asked every minute, worded once.

To word a statement of nested conditions takes the ORM several times as long as PostgreSQL needs
to answer it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from inspect import signature
from typing import Any

import psycopg
from django.db import connection
from django.db.models import DateTimeField, Expression, QuerySet


class Given(Expression):
    """An instant that is known when the question is asked; part of expressions until then."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=DateTimeField())
        self.name = name

    def as_sql(self, *_: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s::timestamptz", (self,)


Instant = datetime | Given


def prepared(query: Callable[..., QuerySet[Any, Any]]) -> Callable[..., list[int]]:
    """Decorate what gives a queryset for instants: calls ask for the ids it finds.

    The queryset is made once, with ``Given`` for each of its arguments.
    """

    @cache
    def statement() -> tuple[str, tuple[Any, ...]]:
        found = query(**{name: Given(name) for name in signature(query).parameters})
        return found.order_by().values_list("pk").query.sql_with_params()

    def ask(**instants: datetime) -> list[int]:
        sql, parameters = statement()
        with kept_ready() as cursor:
            cursor.execute(
                sql, [instants[p.name] if isinstance(p, Given) else p for p in parameters]
            )
            return [pk for (pk,) in cursor]

    return ask


@contextmanager
def kept_ready() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor that sends values as they are, and whose statements the server keeps ready.

    That is those that are asked often on one connection. Django's own cursor spells every value
    out in the statement's text.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
