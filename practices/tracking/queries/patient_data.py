"""What was reported as patient data, for those who decide about it."""

from dataclasses import dataclass
from datetime import datetime

from practices.common.models import Event
from practices.common.verification import is_id
from practices.tracking import sentences
from practices.tracking.models import Migration, PatientDataReport
from practices.tracking.records import UNREADABLE
from practices.tracking.rules import in_words

from .tasks import Viewer


@dataclass(frozen=True)
class ReportLine:
    """A report with the sentence of history that says where the text or file stands."""

    report: PatientDataReport
    said: str
    waited: str

    @property
    def hidden(self) -> str:
        """The words that are hidden: only for the page of those who decide."""
        return self.report.text.body if self.report.text else self.report.file.name  # type: ignore[union-attr]


def report_lines(migration: Migration, now: datetime) -> list[ReportLine]:
    """Every report, longest ago first, in a fixed number of statements."""
    reported = Event.objects.of(migration.stream).filter(kind="patient_data.reported")
    events = list(reported.newest_first())
    said = {
        event.data["report"]: line.said
        for event, line in zip(events, sentences.lines(migration, events), strict=True)
        if isinstance(event.data, dict) and is_id(event.data.get("report"))
    }
    reports = migration.patient_data_reports.select_related(
        "text", "file", "reported_by", "resolved_by"
    )
    return [
        ReportLine(report, said.get(report.pk, UNREADABLE), in_words(report.waited(now)))
        for report in reports
    ]


def hidden_count(viewer: Viewer) -> int:
    """How many texts and files that this person would see are hidden while they are checked."""
    waiting = viewer.migration.patient_data_reports.waiting()
    return waiting.readable_by(viewer.user, viewer.migration).count()
