"""Tables that every room needs. No migration rule lives here."""

import hashlib
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .history import AppendOnly, tracked


class Hideable(models.Model):
    """Something a person handed in that can turn out to hold patient data.

    Hidden while a project manager looks at it, then shown again or redacted: its
    words are gone for good, its digest stays (reliability.md 7.2). What is shown of it
    is always ``str()``, so that hiding holds on every page.
    """

    hidden_at = models.DateTimeField(null=True, blank=True)
    redacted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_shown(self) -> bool:
        return self.hidden_at is None and self.redacted_at is None

    def instead(self) -> str:
        """What stands in place of words that are not shown; nothing when they are."""
        if self.redacted_at:
            return "(removed)"
        return "(hidden while it is checked)" if self.hidden_at else ""


@tracked(exclude=("body",))
class Text(Hideable):
    """A text a person typed.

    Other rows and events hold its id and digest, never the words, so that
    hiding or redacting a text breaks no chain (house.md decision 2).
    """

    body = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, editable=False)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.instead() or self.body


def stored_name(instance: "StoredFile", filename: str) -> str:
    """A random name on disk; the person's own name is only ever shown, never used as a path."""
    return f"files/{uuid.uuid4().hex[:2]}/{uuid.uuid4().hex}"


@tracked(private=("name",))
class StoredFile(Hideable):
    """A file somebody handed in, kept outside any web root and served as an attachment."""

    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)
    content = models.FileField(upload_to=stored_name, max_length=255)
    stored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.instead() or self.name


class Job(models.Model):
    """Long work with progress: a row that a sweep restarts when its worker died."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to start"
        RUNNING = "running", "Running"
        DONE = "done", "Finished"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    arguments = models.JSONField(default=dict)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    result = models.JSONField(default=dict)
    output = models.ForeignKey(
        StoredFile,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="a file it made, for download",
    )
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True, help_text="one sentence for the person who asked")
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(
        db_default=Now(), help_text="asked for, or its worker's last sign of life; database clock"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["seen_at"],
                name="job_unfinished",
                condition=Q(state__in=("waiting", "running")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {self.get_state_display()}"


@tracked()
class BankHolidayOverride(models.Model):
    """A one-off day: a proclaimed bank holiday, or a holiday that is worked after all."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=100)
    is_working = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%d %B %Y}: {self.name}"


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, stream: str) -> "EventQuerySet":
        return self.filter(stream=stream)

    def newest_first(self) -> "EventQuerySet":
        return self.order_by("-seq").select_related("by")


class Event(AppendOnly):
    """One act of one person, in the words of the domain.

    Each stream (one per migration, and one for the site) numbers its events
    and chains them: ``hash = HMAC-SHA256(HISTORY_KEY, prev_hash + canonical JSON)``.
    Events hold ids and digests, never names or free text (decisions 2 and 9).
    """

    stream = models.CharField(max_length=60)
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=60)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()
    subject = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["stream", "seq"], name="event_once_per_seq")
        ]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq} {self.kind}"


def sha256(body: str | bytes) -> str:
    """Hex digest of a text (as UTF-8) or of bytes."""
    return hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest()
