"""Row history and append-only tables, declared in one way for every room.

``tracked`` keeps a history row for every insert, update and delete, written by
database triggers, so also for bulk updates and raw SQL. Free text, names and
counters are left out: texts live in :class:`~practices.common.models.Text`, and
a counter is derived (house.md decision 2; reliability.md 3.4).

Every row of history and of an append-only table carries the transaction it was
written in (``xid``), which ties it to the event of its act, and a digest of its
own content (``seal``). A trigger writes both, whatever the statement says
(docs/adr/0009). ``manage.py verify_history`` reads them.
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


SEAL_FUNCTION = "history_seal"
# A row's content as JSON is the same text in every session once the time zone is fixed. The
# number of columns goes in front, so that a column added later breaks no older seal.
SEAL_BODY = """
DECLARE
    content jsonb := to_jsonb(sealed) - 'seal';
    columns int := (SELECT count(*) FROM jsonb_object_keys(content));
BEGIN
    RETURN columns || ':'
        || encode(sha256(convert_to(columns || ':' || content::text, 'UTF8')), 'hex');
END;
"""
SEAL_SETTINGS = {"search_path": "pg_catalog, pg_temp", "timezone": "UTC"}
CREATE_SEAL = (
    f"CREATE OR REPLACE FUNCTION public.{SEAL_FUNCTION}(sealed anyelement) RETURNS text "
    f"LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' "
    f"AS $${SEAL_BODY}$$"
)


def seal() -> pgtrigger.Trigger:
    """Write the transaction and the digest of a row's content as it is inserted."""
    return pgtrigger.Trigger(
        name="seal",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            NEW.xid := pg_current_xact_id()::text::bigint;
            NEW.seal := public.{SEAL_FUNCTION}(NEW);
            RETURN NEW;
        """,
    )


def _xid() -> "models.BigIntegerField[int, int]":
    return models.BigIntegerField(db_default=0, editable=False, help_text="set by a trigger")


def _seal() -> "models.CharField[str, str]":
    return models.CharField(
        max_length=70, db_default="", editable=False, help_text="set by a trigger"
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
        attrs={"xid": _xid(), "seal": _seal()},
        meta={"triggers": [no_truncate(), seal()]},
    )


class AppendOnly(models.Model):
    """A table that only grows.

    The app role has no UPDATE, DELETE or TRUNCATE on it (see privileges.py);
    the triggers say the same to everybody else, in words.
    """

    append_only = True

    xid = _xid()
    seal = _seal()

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            no_truncate(),
            seal(),
        ]
