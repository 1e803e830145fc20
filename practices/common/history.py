"""Row history and append-only tables, declared in one way for every room.

``tracked`` keeps a history row for every insert, update and delete, written by
database triggers, so also for bulk updates and raw SQL. Words and counters are
left out: a text has its own digest, a counter is derived (house.md decision 2;
reliability.md 3.4). Names, addresses and passwords are left out too, and proved
all the same: history holds a salted digest of them, their private seal.

Every row of history and of an append-only table carries the transaction it was
written in (``xid``), which ties it to the event of its act, and a digest of its
own content (``seal``). A trigger writes both, whatever the statement says
(docs/adr/0009). ``manage.py verify_history`` reads them.
"""

from typing import Any

import pghistory
import pgtrigger
from django.contrib.postgres.functions import RandomUUID
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


def private_digest(columns: tuple[str, ...], row: str) -> str:
    """SQL for the digest of a row's private columns, which are text, under its salt.

    ``row`` is the row's alias, or ``NEW`` in a trigger.
    """
    content = ", ".join(f"'{column}', {row}.\"{column}\"" for column in columns)
    return (
        f"encode(sha256(convert_to({row}.salt::text || jsonb_build_object({content})::text, "
        "'UTF8')), 'hex')"
    )


def seal_private(columns: tuple[str, ...]) -> pgtrigger.Trigger:
    """Write the salt and the private seal, whatever the statement says.

    Other content gets another salt. So a digest in history tells nothing of what a person
    was called before, not even to somebody who guesses.
    """
    new, old = (", ".join(f'{row}."{column}"' for column in columns) for row in ("NEW", "OLD"))
    return pgtrigger.Trigger(
        name="seal_private",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF TG_OP = 'INSERT' THEN
                NEW.salt := gen_random_uuid();
            ELSIF ROW({new}) IS DISTINCT FROM ROW({old}) THEN
                NEW.salt := gen_random_uuid();
            ELSE
                NEW.salt := OLD.salt;
            END IF;
            NEW.private_seal := {private_digest(columns, "NEW")};
            RETURN NEW;
        """,
    )


def _salt() -> "models.UUIDField[Any, Any]":
    return models.UUIDField(
        db_default=RandomUUID(), editable=False, help_text="set by a trigger; not in history"
    )


def _private_seal() -> "models.CharField[str, str]":
    return models.CharField(
        max_length=64, db_default="", editable=False, help_text="set by a trigger"
    )


def _xid() -> "models.BigIntegerField[int, int]":
    return models.BigIntegerField(db_default=0, editable=False, help_text="set by a trigger")


def _seal() -> "models.CharField[str, str]":
    return models.CharField(
        max_length=70, db_default="", editable=False, help_text="set by a trigger"
    )


def tracked(*, exclude: tuple[str, ...] = (), private: tuple[str, ...] = ()) -> Any:
    """Class decorator: keep row history of a model.

    Fields in ``exclude`` are left out. Those in ``private``, columns of text, are left out as
    well, but a change of them is a row of history, and they are proved by their seal.
    """

    def decorate(model: Any) -> Any:
        model.private_columns = private
        left_out = [*exclude, *private]
        if private:
            model.add_to_class("salt", _salt())
            model.add_to_class("private_seal", _private_seal())
            pgtrigger.register(seal_private(private))(model)
            left_out.append("salt")
        return pghistory.track(
            pghistory.InsertEvent(),
            pghistory.UpdateEvent(),
            pghistory.DeleteEvent(),
            exclude=left_out,
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,
            obj_field=pghistory.ObjForeignKey(on_delete=models.DO_NOTHING, db_index=True),
            append_only=True,
            attrs={"xid": _xid(), "seal": _seal()},
            meta={"triggers": [no_truncate(), seal()]},
        )(model)

    return decorate


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
