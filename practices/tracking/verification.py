"""Whether signatures are what was signed, and which rows belong to one migration."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pghistory.models
from django.db import models

from practices.common.models import Event, StoredFile, Text, sha256
from practices.common.services import canonical
from practices.common.verification import (
    Finding,
    Part,
    Progress,
    everything,
    is_id,
    nobody,
    problems_of,
)
from practices.common.verification.chains import references as references_in

from .models import Evidence, Migration, PatientDataReport, SignOff
from .records import is_intact, is_record, references

_BATCH = 500  # signatures; each snapshot lists every covered task
# How a row comes to its migration, one step at a time.
_STEPS = ("migration", "task", "gate", "bypass")


def of_migration(model: Any, migration: Migration) -> models.QuerySet[Any]:
    """The rows of a table that belong to a migration; none of a table that is not about one."""
    rows = model._default_manager.all()
    if issubclass(model, pghistory.models.Event):
        return rows.filter(pgh_obj__in=of_migration(model.pgh_tracked_model, migration))
    if model is Migration:
        return rows.filter(pk=migration.pk)
    if model is Event:
        return rows.filter(stream=migration.stream)
    if model is StoredFile:
        files = of_migration(Evidence, migration).filter(file__isnull=False)
        return rows.filter(pk__in=files.values("file"))
    if model is Text:
        return rows.filter(pk__in=_texts_of(migration))
    names = {field.name: field for field in model._meta.fields}
    for step in _STEPS:
        if step in names:
            above = of_migration(names[step].related_model, migration)
            return rows.filter(**{f"{step}__in": above})
    return rows.none()


def _texts_of(migration: Migration) -> set[int]:
    """A text says nothing of its migration: events name each, or the signature it belongs to."""
    events = Event.objects.of(migration.stream).values_list("data", flat=True)
    signed = SignOff.objects.filter(gate__migration=migration).values_list("snapshot", flat=True)
    named = (one["text"] for said in (*events, *signed) for one in references_in(said, "text"))
    return {pk for pk in named if is_id(pk)}


def wrong_signatures(
    within: models.QuerySet[SignOff] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Signatures whose record, texts or place in the chain of events are not what was signed."""
    signed = SignOff.objects.all() if within is None else within
    rows = (
        signed.select_related("seat", "gate__migration").order_by("pk").iterator(chunk_size=_BATCH)
    )
    done = 0
    while batch := list(islice(rows, _BATCH)):
        # Whoever forges a signature may leave out what each of them has, or put anything in.
        records = {one for one in batch if is_record(one.snapshot)}
        ids = {ref["text"] for one in records for ref in references(one.snapshot)}
        texts = Text.objects.in_bulk(ids)
        for one in batch:
            if one in records:
                yield from _wrong(one, texts)
            else:
                yield _said(one, "its snapshot is not that of a signature")
        done += len(batch)
        progress(SignOff._meta.db_table, done)


def unlike_reports(of: Part = everything, progress: Progress = nobody) -> Iterator[Finding]:
    """Texts and files that are redacted, hidden or shown otherwise than their reports say."""
    reports = PatientDataReport._meta.db_table
    for model, what, content in ((Text, "text", "t.body"), (StoredFile, "file", "t.content")):
        reported = f"EXISTS (SELECT FROM {reports} r WHERE r.{what}_id = t.id AND r.outcome = %s)"
        yield from problems_of(
            model,
            f"CASE WHEN {reported} THEN CASE "
            "WHEN t.redacted_at IS NULL THEN 'it was redacted, and is not marked as that any more' "
            f"WHEN {content} <> '' THEN 'it was redacted, and has content again' END "
            "WHEN t.redacted_at IS NOT NULL "
            "THEN 'it is marked as redacted, and no report says why' "
            f"WHEN {reported} THEN CASE WHEN t.hidden_at IS NULL "
            "THEN 'it was reported as patient data, and is shown all the same' END "
            "WHEN t.hidden_at IS NOT NULL THEN 'it is hidden, and no report says why' END",
            PatientDataReport.Outcome.REDACTED,
            "",  # waiting
            within=of(model),
            progress=progress,
        )


def _wrong(one: SignOff, texts: dict[int, Text]) -> Iterator[Finding]:
    if one.digest != sha256(canonical(one.snapshot)):
        yield _said(one, "its digest is not that of its snapshot")
    elif not is_intact(one, texts):
        yield _said(one, "its columns or texts are not those of its snapshot")
    else:
        yield from _out_of_chain(one)


def _out_of_chain(one: SignOff) -> Iterator[Finding]:
    """A signature names the newest event before it, and the event of signing names its digest."""
    stream = Event.objects.of(one.gate.migration.stream)
    if one.snapshot["migration"] != one.gate.migration.reference:
        yield _said(one, "it was given for another migration")
    elif one.snapshot["gate"] != one.gate.key:
        yield _said(one, "it was given for another gate")
    head = one.snapshot["events"]
    if head and not stream.filter(seq=head["seq"], hash=head["hash"]).exists():
        yield _said(one, f"event {head['seq']}, up to which it vouches, is not in the chain")
    if not stream.filter(kind="gate.signed", data__digest=one.digest).exists():
        yield _said(one, "no event records that it was given")


def _said(one: SignOff, problem: str) -> Finding:
    return Finding(SignOff._meta.db_table, one.pk, problem)
