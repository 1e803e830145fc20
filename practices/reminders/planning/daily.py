"""The mail of the morning: what is overdue, and what waited for it."""

from datetime import datetime

from practices.reminders.models import Heartbeat, Notification
from practices.reminders.queries import people_with_overdue_tasks
from practices.reminders.rules import overdue_day

from .outbox import add, beat, new, page

Kind = Notification.Kind


def daily_mails(now: datetime) -> None:
    """One for everybody who has something to read; what it says is found when it is sent."""
    if (morning := overdue_day(now)) is None:
        return
    day, due_at = morning
    if Heartbeat.objects.filter(overdue_told_on=day).exists():
        return
    late = people_with_overdue_tasks(now)
    waiting = set(Notification.objects.for_digest(now).values_list("person", flat=True))
    rows = [
        new(
            f"overdue:{day}",
            due_at,
            kind=Kind.OVERDUE,
            day=day,
            person_id=person,
            headline="Tasks were overdue this morning" if person in late else "",
            path=page("home"),
        )
        for person in late | waiting
    ]
    add(rows, now)
    beat(overdue_told_on=day)
