"""Whether signatures are what was signed, and which rows belong to one migration."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pghistory.models
from django.db import models

from practices.common.models import Event, StoredFile, Text, sha256
from practices.common.services import canonical
from practices.common.verification import Finding, Progress, nobody, text_references

from .models import Evidence, Migration, PatientDataReport, SignOff
from .records import is_intact

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
    names = {field.name: field for field in model._meta.fields}
    for step in _STEPS:
        if step in names:
            above = of_migration(names[step].related_model, migration)
            return rows.filter(**{f"{step}__in": above})
    return rows.none()


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
        ids = {ref["text"] for one in batch for ref in text_references(one.snapshot)}
        texts = Text.objects.in_bulk(ids)
        for one in batch:
            try:
                yield from _wrong(one, texts)
            except (KeyError, TypeError, ValueError):
                # Whoever forges a signature may leave out what each of them has.
                yield _said(one, "its snapshot is not that of a signature")
        done += len(batch)
        progress(SignOff._meta.db_table, done)


def silent_redactions() -> Iterator[Finding]:
    """Texts and files that are marked as redacted though nobody reported patient data."""
    for model, what in ((Text, "text"), (StoredFile, "file")):
        said = PatientDataReport.objects.filter(
            **{what: models.OuterRef("pk")}, outcome=PatientDataReport.Outcome.REDACTED
        )
        redacted = model._default_manager.filter(redacted_at__isnull=False)
        for pk in redacted.exclude(models.Exists(said)).order_by("pk").values_list("pk", flat=True):
            yield Finding(
                model._meta.db_table, pk, "it is marked as redacted, and no report says why"
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
    if head and not stream.filter(**head).exists():
        yield _said(one, f"event {head['seq']}, up to which it vouches, is not in the chain")
    if not stream.filter(kind="gate.signed", data__digest=one.digest).exists():
        yield _said(one, "no event records that it was given")


def _said(one: SignOff, problem: str) -> Finding:
    return Finding(SignOff._meta.db_table, one.pk, problem)
