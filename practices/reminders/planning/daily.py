"""What is said once a day."""

from datetime import datetime

from practices.reminders.models import Heartbeat, Notification
from practices.reminders.queries import people_with_overdue_tasks
from practices.reminders.rules import overdue_day

from .outbox import add, beat, new


def overdue_tasks(now: datetime) -> None:
    """One mail a day for everybody with overdue tasks; what it says is found when it is sent."""
    if (morning := overdue_day(now)) is None:
        return
    day, due_at = morning
    if Heartbeat.objects.filter(overdue_told_on=day).exists():
        return
    add(
        new(f"overdue:{day}", due_at, kind=Notification.Kind.OVERDUE, day=day, person_id=person)
        for person in people_with_overdue_tasks(now)
    )
    beat(overdue_told_on=day)
