"""What people are told, in the app and by mail, with how far each mail's delivery has come."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from practices.accounts.models import Invitation, User
from practices.common.models import Event
from practices.common.time import london_date
from practices.plans.models import PlanReminder
from practices.tracking.models import ClockRun, Contact, Gate, Migration, Task

DIGEST_LOOKS_BACK = timedelta(days=14)  # what is older is in the inbox, and no news any more
MOST_ATTEMPTS = 50  # 24 hours of retries are about 30; the rest is for workers that died


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self, now: datetime) -> "NotificationQuerySet":
        """Due for an attempt, longest due first, and what was planned together in one piece."""
        return self.filter(status=Notification.Status.PENDING, next_attempt_at__lte=now).order_by(
            "next_attempt_at", "pk"
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

    def inbox_of(self, person: User, now: datetime) -> "NotificationQuerySet":
        """What one person has been told by ``now``, of migrations they may see today.

        Whatever became of the mail, but not what was settled before it was said.
        """
        status = Notification.Status
        visible = Migration.objects.visible_to(person)
        return (
            self.filter(Q(migration=None) | Q(migration__in=visible), person=person)
            .filter(due_at__lte=now)
            .exclude(headline="")
            .exclude(status__in=(status.CANCELLED, status.SUPERSEDED))
        )

    def unread(self) -> "NotificationQuerySet":
        return self.filter(read_at=None)

    def for_digest(self, now: datetime) -> "NotificationQuerySet":
        """What waits for a daily mail: in none yet, or in one that will never be sent."""
        status = Notification.Status
        given_up = Q(digest__status__in=(status.CANCELLED, status.DEAD, status.IN_APP))
        missed = Q(digest__day__lt=london_date(now)) & ~Q(digest__status=status.SENT)
        return self.filter(
            Q(digest=None) | given_up | missed,
            status=status.IN_DIGEST,
            due_at__gt=now - DIGEST_LOOKS_BACK,
            due_at__lte=now,
        )


class Notification(models.Model):
    """Something one person, contact or invited address is told, once for each ``dedupe_key``.

    One row, two channels. It is in its person's inbox from its due time on, whatever
    becomes of the mail, when it has a ``headline``: one sentence without anything that
    somebody typed, which the page completes with what ``task`` or ``about`` show today. And it is
    a mail, unless its status says that it stays in the app or goes with the next daily mail.

    What it is about is kept as references, so that the sender can check again
    right before sending. Its words are written once, before the first attempt:
    ``content`` holds the frozen bytes with Message-ID and Date, so that a second
    copy, which a crash between sending and recording can cause, is the same mail
    (reliability.md 1.3). They are dropped once no attempt is left: they can hold the secret
    of an invitation's link, or the title of a task that turns out to be patient data.
    """

    class Kind(models.TextChoices):
        CLOCK = "clock", "Warning of a clock"
        ACCESS = "access", "Look at the old system"
        REMINDER = "reminder", "Reminder of the plan"
        OVERDUE = "overdue", "Overdue tasks of the day"
        SIGNED = "signed", "Sign-off given"
        WITHDRAWN = "withdrawn", "Sign-off withdrawn"
        INVITATION = "invitation", "Invitation"
        ASSIGNED = "assigned", "Task given to you"
        BLOCKED = "blocked", "Task blocked"
        MOVED = "moved", "Go-live moved"
        UNDELIVERED = "undelivered", "Mail not delivered"

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        DEAD = "dead", "Could not be delivered"
        CANCELLED = "cancelled", "No longer needed"
        SUPERSEDED = "superseded", "Replaced by a newer one"
        IN_APP = "in_app", "In the app only"
        IN_DIGEST = "in_digest", "With the daily mail"

    # Every attempt changes the row's status, and with it each index that holds the row: so unique
    # without what `unique=True` adds for LIKE, and references indexed only where they are given.
    dedupe_key = models.CharField(max_length=120)
    message_id = models.CharField(max_length=320)
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    person = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    invitation = models.ForeignKey(
        Invitation,
        null=True,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    migration = models.ForeignKey(
        Migration, null=True, on_delete=models.PROTECT, related_name="notifications"
    )
    clock_run = models.ForeignKey(
        ClockRun, null=True, on_delete=models.PROTECT, related_name="notifications", db_index=False
    )
    plan_reminder = models.ForeignKey(
        PlanReminder,
        null=True,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    gate = models.ForeignKey(
        Gate, null=True, on_delete=models.PROTECT, related_name="notifications", db_index=False
    )
    round = models.PositiveSmallIntegerField(null=True, help_text="of the gate")
    task = models.ForeignKey(
        Task, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    event = models.ForeignKey(
        Event,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="the newest of them",
    )
    events = ArrayField(
        models.BigIntegerField(), default=list, help_text="the acts it tells of, several in one"
    )
    about = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="told_of",
        db_index=False,
        help_text="the mail that was not delivered",
    )
    digest = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="carried",
        db_index=False,
        help_text="the daily mail it went with",
    )
    basis = models.CharField(
        max_length=100,
        blank=True,
        help_text="the date it was planned for; when that is another one now, it is not sent",
    )
    headline = models.CharField(max_length=200, blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="the page it leads to")
    read_at = models.DateTimeField(null=True)
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
            models.UniqueConstraint(fields=["dedupe_key"], name="notification_said_once"),
            models.UniqueConstraint(fields=["message_id"], name="notification_message_id"),
            models.CheckConstraint(
                condition=Q(person__isnull=False, contact=None, invitation=None)
                | Q(person=None, contact__isnull=False, invitation=None)
                | Q(person=None, contact=None, invitation__isnull=False),
                name="notification_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=("clock", "access"),
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
                )
                | Q(
                    kind__in=("assigned", "blocked", "moved"),
                    person__isnull=False,
                    migration__isnull=False,
                    event__isnull=False,
                    clock_run=None,
                    gate=None,
                    round=None,
                    day=None,
                )
                | Q(
                    kind="undelivered",
                    person__isnull=False,
                    migration__isnull=False,
                    about__isnull=False,
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
            *(
                models.Index(
                    fields=[reference],
                    name=f"notification_{reference}",
                    condition=Q(**{f"{reference}__isnull": False}),
                )
                for reference in (
                    "contact",
                    "invitation",
                    "clock_run",
                    "plan_reminder",
                    "task",
                    "event",
                    "about",
                    "digest",
                )
            ),
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
            models.Index(fields=["person", "-due_at"], name="notification_inbox"),
            models.Index(
                fields=["person"],
                name="notification_unread",
                condition=Q(read_at=None) & ~Q(headline=""),
            ),
            models.Index(
                fields=["due_at"],
                name="notification_for_digest",
                condition=Q(status="in_digest"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dedupe_key}: {self.get_status_display()}"


class Acceptance(models.Model):
    """The mail server has taken a mail, and its row in the outbox does not say so yet.

    Written for each mail at once, so that a worker that dies cannot cause more than one copy,
    and entered into the rows of a batch together: to change a row of the outbox takes five times
    as long. Without constraints for the same reason; ``token`` says whose attempt it was.
    """

    notification = models.ForeignKey(
        Notification,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    token = models.UUIDField()
    at = models.DateTimeField()
    reply = models.CharField(max_length=500)

    def __str__(self) -> str:
        return f"{self.notification_id}: {self.reply}"


class Heartbeat(models.Model):
    """The one row that says how far the planner has come.

    When it last ran, the last day whose daily mails were planned, and the newest event it read.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    swept_at = models.DateTimeField(null=True)
    overdue_told_on = models.DateField(null=True)
    events_read = models.BigIntegerField(null=True, help_text="id of the newest event read")
    events_seen = ArrayField(
        models.BigIntegerField(), default=list, help_text="ids of those read not far behind it"
    )

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(id=1), name="one_heartbeat")
        ]

    def __str__(self) -> str:
        return f"last sweep {self.swept_at}"
