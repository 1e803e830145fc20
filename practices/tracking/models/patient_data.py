"""Reports of patient data: what was hidden, for how long, and what became of it."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from practices.accounts.models import User
from practices.common.history import tracked
from practices.common.models import StoredFile, Text

from .migration import Migration
from .separation import OneSided, OneSidedQuerySet


class PatientDataReportQuerySet(OneSidedQuerySet["PatientDataReport"]):
    def waiting(self) -> "PatientDataReportQuerySet":
        """Hidden, and nobody has decided yet."""
        return self.filter(resolved_at=None)


@tracked()
class PatientDataReport(OneSided):
    """Somebody said that a text or a file holds patient data, and it was hidden at once.

    The time from the report to its end is what an incident record asks for
    (reliability.md 7.2). The words themselves stand only in the text.
    """

    class Outcome(models.TextChoices):
        REDACTED = "redacted", "Removed for good"
        RESTORED = "restored", "Shown again"

    migration = models.ForeignKey(
        Migration, on_delete=models.CASCADE, related_name="patient_data_reports"
    )
    text = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    objects = PatientDataReportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["reported_at", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(text__isnull=False, file=None) | Q(text=None, file__isnull=False),
                name="patient_data_in_text_or_file",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None, outcome="")
                | Q(
                    resolved_at__isnull=False,
                    resolved_by__isnull=False,
                    outcome__in=("redacted", "restored"),
                ),
                name="patient_data_resolved_whole",
            ),
            models.UniqueConstraint(
                fields=["text"], condition=Q(resolved_at=None), name="text_reported_once"
            ),
            models.UniqueConstraint(
                fields=["file"], condition=Q(resolved_at=None), name="file_reported_once"
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk} of patient data"

    @property
    def about(self) -> Text | StoredFile:
        """The text or the file."""
        found = self.text or self.file
        assert found is not None  # noqa: S101 - the database holds that there is one
        return found

    def waited(self, now: datetime) -> timedelta:
        """How long it took, or has taken by now."""
        return (self.resolved_at or now) - self.reported_at
