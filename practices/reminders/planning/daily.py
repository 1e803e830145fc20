"""The mail of the morning: what is overdue, and what waited for it."""

from datetime import datetime

from practices.reminders.models import Heartbeat, Notification
from practices.reminders.queries import people_with_overdue_tasks
from practices.reminders.rules import overdue_day

from .outbox import Draft, To, add, beat, page

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
    drafts = [
        Draft(
            subject=f"overdue:{day}",
            to=[To(person) for person in people],
            due_at=due_at,
            kind=Kind.OVERDUE,
            day=day,
            headline=headline,
            path=page("home"),
        )
        for people, headline in ((late, "Tasks were overdue this morning"), (waiting - late, ""))
    ]
    add(drafts, now)
    beat(overdue_told_on=day)
