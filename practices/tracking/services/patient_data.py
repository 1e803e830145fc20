"""Patient data somebody typed: hidden at once for all, then redacted or shown again.

Unlike every other act these are possible in a migration that is over, too.
"""

from datetime import datetime, timedelta

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.files import redact_file
from practices.common.models import StoredFile, Text
from practices.common.templatetags.uk import uk_datetime
from practices.tracking.models import Migration, PatientDataReport
from practices.tracking.places import place_of

from ._base import lock_ended_too, note_event

Outcome = PatientDataReport.Outcome
MINUTE = timedelta(minutes=1)


@transaction.atomic
def report_patient_data(
    *,
    migration: Migration,
    text: Text | None = None,
    file: StoredFile | None = None,
    by: User,
    at: datetime,
) -> PatientDataReport:
    """Hide a text, or a file with its name, for everybody. Of many reports the first counts.

    Raises :class:`Refused` when it is no part of the migration, or removed already.
    """
    migration = lock_ended_too(migration)
    # As it is under the lock.
    what: Text | StoredFile = (
        Text.objects.get(pk=text.pk) if text else StoredFile.objects.get(pk=file.pk)  # type: ignore[union-attr]
    )
    place = place_of(migration, what)
    if place is None:
        raise Refused("This is no part of the migration.")
    if what.redacted_at:
        raise Refused("This is removed already.")
    held = {"text": what} if isinstance(what, Text) else {"file": what}
    there = migration.patient_data_reports.waiting().filter(**held).first()
    if there:
        return there
    what.hidden_at = at
    what.save(update_fields=["hidden_at"])
    report = PatientDataReport.objects.create(
        migration=migration,
        written_as=place.written_as,
        reported_by=by,
        reported_at=at,
        **held,
    )
    _note(report, "patient_data.reported", place.subject, by=by, at=at)
    return report


@transaction.atomic
def redact(*, report: PatientDataReport, by: User, at: datetime) -> PatientDataReport:
    """Take the words, or the file's name and content, away for good; their digest stays.

    So no chain of events and no signature breaks. Doing it again changes nothing.
    Raises :class:`Conflict` when it was shown again meanwhile.
    """
    report = _fresh(report)
    if _is_resolved(report, Outcome.REDACTED):
        return report
    if report.text:
        report.text.body, report.text.redacted_at = "", at
        report.text.save(update_fields=["body", "redacted_at"])
    elif report.file:
        redact_file(report.file, at=at)
    return _resolve(report, Outcome.REDACTED, by=by, at=at)


@transaction.atomic
def restore(*, report: PatientDataReport, by: User, at: datetime) -> PatientDataReport:
    """Show it again: it is no patient data. Doing it again changes nothing.

    Raises :class:`Conflict` when it was removed meanwhile.
    """
    report = _fresh(report)
    if _is_resolved(report, Outcome.RESTORED):
        return report
    report.about.hidden_at = None
    report.about.save(update_fields=["hidden_at"])
    return _resolve(report, Outcome.RESTORED, by=by, at=at)


def _fresh(report: PatientDataReport) -> PatientDataReport:
    """The report as it is under its migration's lock."""
    migration = lock_ended_too(report.migration)
    fresh = PatientDataReport.objects.select_related("text", "file", "resolved_by").get(
        pk=report.pk
    )
    fresh.migration = migration
    return fresh


def _is_resolved(report: PatientDataReport, outcome: str) -> bool:
    if report.outcome in ("", outcome):
        return report.outcome == outcome
    raise Conflict(
        f"{report.resolved_by} decided on {uk_datetime(report.resolved_at)}: "
        f"{report.get_outcome_display().lower()}. Nothing was changed."
    )


def _resolve(
    report: PatientDataReport, outcome: str, *, by: User, at: datetime
) -> PatientDataReport:
    report.resolved_by, report.resolved_at, report.outcome = by, at, outcome
    report.save(update_fields=["resolved_by", "resolved_at", "outcome"])
    place = place_of(report.migration, report.about)
    subject = place.subject if place else ""
    _note(report, f"patient_data.{outcome}", subject, by=by, at=at)
    return report


def _note(report: PatientDataReport, kind: str, subject: str, *, by: User, at: datetime) -> None:
    """The event, with ids and digests and, at the end, the minutes it took."""
    file = report.file
    note_event(
        report.migration,
        kind,
        by=by,
        at=at,
        subject=subject,
        report=report.pk,
        text=report.text,
        file=file.pk if file else None,
        sha256=file.sha256 if file else None,
        minutes=report.waited(at) // MINUTE if report.resolved_at else None,
        written_as=report.written_as or None,
    )
