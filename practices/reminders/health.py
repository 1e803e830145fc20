"""Whether reminders are being planned and sent, for whoever watches the site from outside."""

from datetime import datetime, timedelta

from django.db.models import Min, Q

from .models import Heartbeat, Notification

SWEEP_STALE_AFTER = timedelta(minutes=3)  # it runs every minute
LATE_AFTER = timedelta(minutes=5)


def faults(*, now: datetime) -> list[str]:
    """What is wrong at ``now``, one sentence each; empty when all is well."""
    found = []
    swept_at = Heartbeat.objects.values_list("swept_at", flat=True).first()
    if swept_at is None or now - swept_at > SWEEP_STALE_AFTER:
        found.append(f"Reminders are not being planned. The last sweep: {swept_at or 'never'}.")
    if since := late_since(now):
        found.append(f"Reminders are not being sent. The oldest has been due since {since}.")
    return found


def late_since(now: datetime) -> datetime | None:
    """Since when the mail that is due longest waits, if that is too long; by two small indexes.

    A mail that waits for its next attempt is not late. One that nobody takes up when
    its time has come is, and so is one whose worker died and that nobody took over.
    """
    late = now - LATE_AFTER
    waiting = Notification.objects.filter(
        Q(status=Notification.Status.PENDING, next_attempt_at__lt=late)
        | Q(status=Notification.Status.SENDING, lease_until__lt=late)
    )
    since: datetime | None = waiting.aggregate(since=Min("next_attempt_at"))["since"]
    return since
