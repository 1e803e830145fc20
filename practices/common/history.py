"""Row history and append-only tables, declared in one way for every room.

``tracked`` keeps a history row for every insert, update and delete, written by
database triggers, so also for bulk updates and raw SQL. Free text, names and
counters are left out: texts live in :class:`~practices.common.models.Text`, and
a counter is derived (house.md decision 2; reliability.md 3.4).
"""

from typing import Any

import pghistory
import pgtrigger
from django.db import models


def no_truncate() -> pgtrigger.Trigger:
    """Row triggers do not see TRUNCATE, so a statement trigger refuses it."""
    return pgtrigger.Trigger(
        name="no_truncate",
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'table % only grows: it cannot be emptied', TG_TABLE_NAME;",
    )


def tracked(*, exclude: tuple[str, ...] = ()) -> Any:
    """Class decorator: keep row history of a model, without the named fields."""
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        exclude=list(exclude),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,
        obj_field=pghistory.ObjForeignKey(on_delete=models.DO_NOTHING),
        append_only=True,
        meta={"triggers": [no_truncate()]},
    )


class AppendOnly(models.Model):
    """A table that only grows.

    The app role has no UPDATE, DELETE or TRUNCATE on it (see privileges.py);
    the triggers say the same to everybody else, in words.
    """

    append_only = True

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            no_truncate(),
        ]
