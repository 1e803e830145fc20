"""The outbox: every mail that is due, with how far its delivery has come."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from practices.accounts.models import Invitation, User
from practices.common.history import tracked
from practices.plans.models import PlanReminder
from practices.tracking.models import ClockRun, Contact, Gate, Migration

MOST_ATTEMPTS = 50  # 24 hours of retries are about 30; the rest is for workers that died


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self, now: datetime) -> "NotificationQuerySet":
        """Due for an attempt, longest due first."""
        return self.filter(status=Notification.Status.PENDING, next_attempt_at__lte=now).order_by(
            "next_attempt_at"
        )

    def abandoned(self) -> "NotificationQuerySet":
        """Taken by a worker that died or stalled. The database's clock decides, no worker's."""
        return self.filter(status=Notification.Status.SENDING, lease_until__lt=Now()).order_by(
            "lease_until"
        )

    def perhaps_received(self) -> "NotificationQuerySet":
        """Handed to the mail server, or interrupted so that nobody knows; not refused by it."""
        status = Notification.Status
        return self.filter(
            status__in=(status.SENT, status.CANCELLED, status.SUPERSEDED), content__isnull=False
        )


class Notification(models.Model):
    """One mail to one person, contact or invited address, at most one for each ``dedupe_key``.

    What it is about is kept as references, so that the sender can check again
    right before sending. Its words are written once, before the first attempt:
    ``content`` holds the frozen bytes with Message-ID and Date, so that a second
    copy, which a crash between sending and recording can cause, is the same mail
    (reliability.md 1.3). They are dropped once no attempt is left: they can hold the secret
    of an invitation's link, or the title of a task that turns out to be patient data.
    """

    class Kind(models.TextChoices):
        CLOCK = "clock", "Warning of a clock"
        REMINDER = "reminder", "Reminder of the plan"
        OVERDUE = "overdue", "Overdue tasks of the day"
        SIGNED = "signed", "Sign-off given"
        WITHDRAWN = "withdrawn", "Sign-off withdrawn"
        INVITATION = "invitation", "Invitation"

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        DEAD = "dead", "Could not be delivered"
        CANCELLED = "cancelled", "No longer needed"
        SUPERSEDED = "superseded", "Replaced by a newer one"

    dedupe_key = models.CharField(max_length=120, unique=True)
    message_id = models.CharField(max_length=320, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    invitation = models.ForeignKey(
        Invitation, null=True, on_delete=models.PROTECT, related_name="notifications"
    )
    migration = models.ForeignKey(
        Migration, null=True, on_delete=models.PROTECT, related_name="notifications"
    )
    clock_run = models.ForeignKey(
        ClockRun, null=True, on_delete=models.PROTECT, related_name="notifications"
    )
    plan_reminder = models.ForeignKey(
        PlanReminder, null=True, on_delete=models.PROTECT, related_name="notifications"
    )
    gate = models.ForeignKey(
        Gate, null=True, on_delete=models.PROTECT, related_name="notifications", db_index=False
    )
    round = models.PositiveSmallIntegerField(null=True, help_text="of the gate")
    day = models.DateField(null=True, help_text="the London day a daily mail is for")
    due_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, help_text="by the database's clock")
    lease_token = models.UUIDField(null=True)
    address = models.EmailField(blank=True, help_text="where it goes, frozen with the content")
    content = models.BinaryField(null=True, help_text="the mail as bytes, frozen")
    reports_known = models.PositiveIntegerField(
        default=0, help_text="reports of patient data when it was frozen"
    )
    first_failed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    smtp_reply = models.CharField(max_length=500, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, contact=None, invitation=None)
                | Q(person=None, contact__isnull=False, invitation=None)
                | Q(person=None, contact=None, invitation__isnull=False),
                name="notification_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="clock",
                    migration__isnull=False,
                    clock_run__isnull=False,
                    gate=None,
                    round=None,
                    day=None,
                )
                | Q(
                    kind="reminder",
                    migration__isnull=False,
                    plan_reminder__isnull=False,
                    clock_run=None,
                    round=None,
                    day=None,
                )
                | Q(
                    kind="overdue",
                    migration=None,
                    clock_run=None,
                    gate=None,
                    round=None,
                    day__isnull=False,
                )
                | Q(
                    kind__in=("signed", "withdrawn"),
                    migration__isnull=False,
                    clock_run=None,
                    gate__isnull=False,
                    round__isnull=False,
                    day=None,
                )
                | Q(
                    kind="invitation",
                    invitation__isnull=False,
                    migration=None,
                    clock_run=None,
                    gate=None,
                    round=None,
                    day=None,
                ),
                name="notification_names_its_subject",
            ),
            models.CheckConstraint(
                condition=Q(status="sending", lease_until__isnull=False, lease_token__isnull=False)
                | (~Q(status="sending") & Q(lease_until=None, lease_token=None)),
                name="notification_leased_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False, content__isnull=False)
                | (~Q(status="sent") & Q(sent_at=None)),
                name="notification_sent_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(content=None, address="") | (Q(content__isnull=False) & ~Q(address="")),
                name="notification_frozen_whole",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=MOST_ATTEMPTS), name="notification_attempts_end"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["next_attempt_at"],
                name="notification_waiting",
                condition=Q(status="pending"),
            ),
            models.Index(
                fields=["lease_until"], name="notification_leased", condition=Q(status="sending")
            ),
            models.Index(
                fields=["migration"], name="notification_dead", condition=Q(status="dead")
            ),
            models.Index(fields=["sent_at"], name="notification_sent", condition=Q(status="sent")),
            models.Index(
                fields=["migration", "plan_reminder", "due_at"],
                name="notification_of_reminder",
                condition=Q(plan_reminder__isnull=False),
            ),
            models.Index(
                fields=["gate", "round"],
                name="notification_of_gate",
                condition=Q(gate__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dedupe_key}: {self.get_status_display()}"


class Heartbeat(models.Model):
    """The one row that says when the planner last ran, and the last day of overdue tasks."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    swept_at = models.DateTimeField(null=True)
    overdue_told_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(id=1), name="one_heartbeat")
        ]

    def __str__(self) -> str:
        return f"last sweep {self.swept_at}"


@tracked(exclude=("used_at",))
class CalendarLink(models.Model):
    """A secret address from which calendar programs read dates: a person's, or a migration's.

    Only the digest of its token is kept, so a copy of the database opens no calendar
    (docs/adr/0010). What it shows is decided anew each time by what its person may see then.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calendar_links")
    migration = models.ForeignKey(
        Migration,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="none: all that the person sees, and their own tasks",
    )
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True, help_text="last read, to the hour")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(migration=None, revoked_at=None),
                name="one_calendar_link_of_a_person",
            ),
            models.UniqueConstraint(
                fields=["person", "migration"],
                condition=Q(migration__isnull=False, revoked_at=None),
                name="one_calendar_link_for_a_migration",
            ),
        ]

    def __str__(self) -> str:
        return f"calendar link {self.pk}"
