"""Whether rows are as they were written: their seals, their history, their texts and files."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.db import connection, models

from practices.common.history import private_digest
from practices.common.models import StoredFile, Text

from .findings import Finding, Progress, nobody, problems_of, quoted

ALTERED = "it does not match its seal: it was altered after it was written"
_CHUNK = 1024 * 1024  # bytes of a file

# A seal says how many columns the row had; columns added since are left out.
_SEALED = """
    CASE WHEN t.seal !~ '^[0-9]{1,4}:[0-9a-f]{64}$' THEN %s
    WHEN t.seal <> split_part(t.seal, ':', 1) || ':' || encode(sha256(convert_to(
        split_part(t.seal, ':', 1) || ':' || (
            to_jsonb(t) - 'seal' - (%s::text[])[split_part(t.seal, ':', 1)::int + 1 :]
        )::text, 'UTF8')), 'hex') THEN %s
    END
"""


def altered(
    model: type[models.Model],
    within: models.QuerySet[Any] | None = None,
    progress: Progress = nobody,
) -> Iterator[Finding]:
    """Rows of an append-only table or of row history that do not match their seal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attname <> 'seal' ORDER BY attnum",
            [model._meta.db_table],
        )
        columns = [name for (name,) in cursor.fetchall()]
    yield from problems_of(
        model, _SEALED, ALTERED, columns, ALTERED, within=within, progress=progress
    )


def unlike_history(
    history: Any, within: models.QuerySet[Any] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Tracked rows that are not what their newest history row says; ``within`` is of those."""
    model = history.pgh_tracked_model
    table = connection.ops.quote_name(history._meta.db_table)
    kept = {field.name for field in history._meta.fields}
    differing = ", ".join(
        f"CASE WHEN t.{quoted(field)} IS DISTINCT FROM h.{quoted(field)} THEN '{field.column}' END"
        for field in model._meta.concrete_fields
        if field.name in kept
    )
    yield from problems_of(
        model,
        "CASE WHEN h.pgh_id IS NULL THEN 'it has no row of history' "
        "WHEN h.pgh_label = 'delete' THEN 'its history says it was deleted' ELSE "
        "'it differs from its newest row of history: ' "
        f"|| nullif(concat_ws(', ', {differing}), '') END",
        # Adding nothing keeps the planner from walking all of history backwards.
        joins=f"LEFT JOIN LATERAL (SELECT * FROM {table} h "  # noqa: S608
        f"WHERE h.pgh_obj_id = t.{quoted(model._meta.pk)} ORDER BY h.pgh_id + 0 DESC LIMIT 1"
        ") h ON TRUE",
        within=within,
        progress=progress,
    )


def unlike_seal(
    model: Any, within: models.QuerySet[Any] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Tracked rows whose names, addresses or passwords are not those that were sealed."""
    if model.private_columns:
        yield from problems_of(
            model,
            f"CASE WHEN t.private_seal <> {private_digest(model.private_columns, 't')} "
            "THEN 'its private columns do not match their seal' END",
            within=within,
            progress=progress,
        )


def orphaned(
    history: Any, within: models.QuerySet[Any] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """History rows whose row is gone although history does not say it was deleted."""
    model = history.pgh_tracked_model
    kept, of = (connection.ops.quote_name(m._meta.db_table) for m in (history, model))
    yield from problems_of(
        history,
        f"CASE WHEN t.pgh_label <> 'delete' "  # noqa: S608
        f"AND NOT EXISTS (SELECT FROM {of} m WHERE m.{quoted(model._meta.pk)} = t.pgh_obj_id) "
        f"AND NOT EXISTS (SELECT FROM {kept} n "
        "WHERE n.pgh_obj_id = t.pgh_obj_id AND n.pgh_id > t.pgh_id) "
        f"THEN 'row ' || t.pgh_obj_id || ' of {model._meta.db_table} is gone, "
        "and history does not say it was deleted' END",
        within=within,
        progress=progress,
    )


def changed_texts(
    within: models.QuerySet[Text] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Texts that do not match their digest; one that was redacted has lost its words on purpose."""
    yield from problems_of(
        Text,
        "CASE WHEN t.redacted_at IS NULL "
        "AND t.sha256 <> encode(sha256(convert_to(t.body, 'UTF8')), 'hex') "
        "THEN 'its words do not match its digest' END",
        within=within,
        progress=progress,
    )


def changed_files(
    within: models.QuerySet[StoredFile] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Files that do not match their digest, or are not there; redacted ones are left out."""
    files = StoredFile.objects.all() if within is None else within
    table = StoredFile._meta.db_table
    kept = files.filter(redacted_at=None).order_by("pk")
    for done, stored in enumerate(kept.iterator(chunk_size=500), 1):
        try:
            with stored.content.open("rb") as content:
                digest, size = hashlib.sha256(), 0
                for chunk in content.chunks(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except (OSError, ValueError, SuspiciousFileOperation):  # no name, or one outside
            yield Finding(table, stored.pk, "its file is missing")
        else:
            if digest.hexdigest() != stored.sha256:
                yield Finding(table, stored.pk, "its file does not match its digest")
            elif size != stored.size:
                yield Finding(table, stored.pk, "its file has another size than it says")
        progress(table, done)
