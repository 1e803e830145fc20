"""Proof that history is what was written: ``manage.py verify_history`` (docs/adr/0009).

Everything here only reads, from one snapshot of the database, and holds no table
in memory. What it finds names a table and a row.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from practices.common.models import Event
from practices.common.privileges import append_only_models, history_models

from .chains import Chains, Root, without_event, without_rows
from .findings import Finding, Progress, is_id, nobody, problems_of
from .rows import altered, changed_files, changed_texts, orphaned, unlike_history, unlike_seal

__all__ = [
    "Chains",
    "Finding",
    "Part",
    "Progress",
    "Root",
    "altered",
    "changed_files",
    "changed_texts",
    "everything",
    "is_id",
    "orphaned",
    "problems_of",
    "snapshot",
    "unlike_history",
    "unlike_seal",
    "verify",
    "without_event",
    "without_rows",
]

# Which rows of a table to look at; None for all of them.
Part = Callable[[type[models.Model]], models.QuerySet[Any] | None]


def everything(model: type[models.Model]) -> None:
    """All of it."""


@contextmanager
def snapshot() -> Iterator[None]:
    """See the database as it is now, whatever is written meanwhile."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL timezone = 'UTC'")
        yield


def verify(chains: Chains, of: Part = everything, progress: Progress = nobody) -> Iterator[Finding]:
    """Everything that every room has: chains, seals, row history and the acts they belong to."""
    yield from chains.broken()
    for model in (*append_only_models(), *history_models()):
        yield from altered(model, of(model), progress)
        if model is not Event:
            yield from without_event(model, of(model), progress)
    yield from without_rows(of(Event), progress)
    for history in history_models():
        tracked = history.pgh_tracked_model
        yield from unlike_history(history, of(tracked), progress)
        yield from unlike_seal(tracked, of(tracked), progress)
        yield from orphaned(history, of(history), progress)
