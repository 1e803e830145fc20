"""What has a history in a migration: events about it, or rows of any room that point at it."""

from collections.abc import Collection
from typing import Any

from django.db.models import DO_NOTHING

from practices.common.models import Event
from practices.tracking.models import Migration


def with_history(migration: Migration, kind: str, rows: dict[str, Any]) -> set[str]:
    """The names, of ``rows`` by name, that somebody has worked on, written at or been told of.

    ``kind`` is how events name such a row: ``task`` or ``gate``.
    """
    if not rows:
        return set()
    told = Event.objects.of(migration.stream).filter(
        subject__in=[f"{kind}:{name}" for name in rows]
    )
    named = {subject.partition(":")[2] for subject in told.values_list("subject", flat=True)}
    first = next(iter(rows.values()))
    pointed = _pointed_at(type(first), {row.pk for row in rows.values()})
    return named | {name for name, row in rows.items() if row.pk in pointed}


def _pointed_at(model: Any, ids: Collection[int]) -> set[int]:
    """Of these rows, those that other rows refer to, whichever room these belong to."""
    found: set[int] = set()
    for relation in model._meta.related_objects:
        # Row history points at everything and holds nothing.
        if relation.on_delete is not DO_NOTHING:
            name = relation.field.name
            there = relation.related_model._base_manager.filter(**{f"{name}__in": ids})
            found.update(there.values_list(name, flat=True))
    return found
