"""How mail is delivered, for those who look after it: counts, the list, and sending again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Conflict, Refused
from practices.common.services import SITE_STREAM, record_event

from .checking import dropped
from .models import Notification, NotificationQuerySet
from .services import nudge
from .standing import Standing

Status = Notification.Status
NOT_MAILED = (Status.IN_APP, Status.IN_DIGEST)  # entries of an inbox: nobody else's to read
ONE_DAY = timedelta(days=1)
STILL_NEWS = timedelta(days=14)

# What the page counts and lists, and how each is called.
STATES = {
    "due": "Due now",
    "retried": "Waiting for another attempt",
    "sent": "Sent in the last 24 hours",
    "dead": "Could not be delivered",
}


def in_state(state: str, now: datetime) -> Q:
    """Which rows one of ``STATES`` means."""
    return {
        "due": Q(status=Status.SENDING) | Q(status=Status.PENDING, next_attempt_at__lte=now),
        "retried": Q(status=Status.PENDING, first_failed_at__isnull=False),
        "sent": Q(status=Status.SENT, sent_at__gt=now - ONE_DAY),
        "dead": Q(status=Status.DEAD),
    }[state]


def deliveries_for(user: User) -> NotificationQuerySet:
    """All mail for whoever may see how it is delivered.

    For others what could not be delivered of the migrations that their organisation runs.
    """
    if user.may(Permission.VIEW_DELIVERY):
        return Notification.objects.exclude(status__in=NOT_MAILED)
    runs = [
        membership.organisation_id
        for membership in user.current_memberships
        if Permission.RESEND_MAIL in membership.permissions
    ]
    return Notification.objects.filter(status=Status.DEAD, migration__run_by__in=runs)


def counts(rows: NotificationQuerySet, now: datetime) -> dict[str, int]:
    """How many rows are in each of ``STATES``; each is a small index, none the whole table."""
    return {state: rows.filter(in_state(state, now)).count() for state in STATES}


def undelivered(user: User, now: datetime) -> int:
    """How many mails of the last days could not be delivered, for the person who sees to them."""
    recent = deliveries_for(user).filter(status=Status.DEAD, due_at__gt=now - STILL_NEWS)
    return recent.count()


@dataclass(frozen=True)
class Delivery:
    """A row of the list."""

    row: Notification

    @property
    def recipient(self) -> str:
        to = self.row.person or self.row.contact or self.row.invitation
        return to.name if to else ""

    @property
    def address(self) -> str:
        """Where it goes; before the first attempt, where it would go now."""
        to = self.row.person or self.row.contact or self.row.invitation
        return self.row.address or (to.email if to else "")

    @property
    def colour(self) -> str:
        return {Status.DEAD: "red", Status.SENT: "green", Status.PENDING: "blue"}.get(
            Status(self.row.status), "grey"
        )

    @property
    def answer(self) -> str:
        """What the mail server said last, or why it is not sent."""
        return self.row.smtp_reply if self.row.status == Status.SENT else self.row.last_error


def listed(rows: NotificationQuerySet) -> NotificationQuerySet:
    """Newest first, with what a row of the list names."""
    return rows.select_related(
        "person", "contact", "invitation", "migration__practice__organisation"
    ).order_by("-pk")


@transaction.atomic
def resend(*, notification: Notification, by: User, at: datetime) -> None:
    """Try again to deliver a mail that was given up: written anew, with the same Message-ID.

    Raises :class:`Conflict` when it is not given up any more, and :class:`Refused` when what it
    says does not hold any more. That is asked once more right before it is sent.
    """
    row = Notification.objects.select_for_update(of=("self",)).get(pk=notification.pk)
    if row.status != Status.DEAD:
        raise Conflict(f"This mail is not given up any more: {row.get_status_display().lower()}.")
    if reason := dropped(row, Standing([row], at)):
        raise Refused(f"This mail is not needed any more. {reason.why}")
    row.status, row.next_attempt_at, row.attempts = Status.PENDING, at, 0
    # The frozen bytes went when it was given up. Without an address it is written again.
    row.first_failed_at, row.content, row.address = None, None, ""
    row.save(
        update_fields=[
            "status",
            "next_attempt_at",
            "attempts",
            "first_failed_at",
            "content",
            "address",
        ]
    )
    record_event(
        stream=SITE_STREAM,
        kind="mail.sent_again",
        by=by,
        at=at,
        subject=f"notification:{row.pk}",
        data={"migration": row.migration_id} if row.migration_id else {},
    )
    nudge()
