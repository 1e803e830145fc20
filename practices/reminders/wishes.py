"""Which mails a person wants: at once, with the daily mail, or none beside the inbox.

Asked when a row is planned and again right before its mail is sent.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import CharField, Value
from django.db.models.functions import Cast

from practices.common.time import london_date
from practices.tracking.models import ClockRun

from .models import Mute, Notification, NotificationPreference

Kind = Notification.Kind
Status = Notification.Status
How = NotificationPreference.How

# What people choose about, in the order they read it, with how it is told when they chose nothing.
USUALLY: dict[str, str] = {
    Kind.CLOCK: How.AT_ONCE,
    Kind.ACCESS: How.AT_ONCE,
    Kind.REMINDER: How.AT_ONCE,
    Kind.OVERDUE: How.DAILY,
    Kind.ASSIGNED: How.AT_ONCE,
    Kind.BLOCKED: How.AT_ONCE,
    Kind.MOVED: How.AT_ONCE,
    Kind.SIGNED: How.AT_ONCE,
    Kind.WITHDRAWN: How.AT_ONCE,
}
_STATUS: dict[str, Status] = {
    How.AT_ONCE: Status.PENDING,
    How.DAILY: Status.IN_DIGEST,
    How.IN_APP: Status.IN_APP,
}
_MUTED = "muted"
LATE = timedelta(days=1)  # said this late, after an outage, it is news for the daily mail


class Told(Protocol):
    """A row of the outbox, or one that is to become one."""

    @property
    def kind(self) -> str: ...
    @property
    def person_id(self) -> int | None: ...
    @property
    def migration_id(self) -> int | None: ...
    @property
    def clock_run(self) -> ClockRun | None: ...
    @property
    def due_at(self) -> datetime: ...


def is_breach(row: Told, now: datetime) -> bool:
    """Whether it tells of a clock that has passed its end: nobody can do without that mail."""
    return row.kind == Kind.CLOCK and row.clock_run is not None and row.clock_run.is_over(now)


class Wishes:
    """What some people chose, as it holds at ``now``; one query."""

    def __init__(self, people: Iterable[int], now: datetime) -> None:
        people = set(people)
        chosen = NotificationPreference.objects.filter(person__in=people)
        mutes = Mute.objects.on(london_date(now)).filter(person__in=people)
        rows = chosen.values_list("person", "kind", "how").union(
            mutes.values_list(
                "person",
                Value(_MUTED, output_field=CharField()),
                Cast("migration", CharField()),
            ),
            all=True,
        )
        self.now = now
        self.how: dict[tuple[int, str], str] = {}
        self.muted: set[tuple[int, int]] = set()
        for person, kind, value in rows if people else ():
            if kind == _MUTED:
                self.muted.add((person, int(value)))
            else:
                self.how[person, kind] = value

    def status(self, row: Told) -> Status:
        """Where a row waits: to be mailed, for the daily mail, or in the inbox only.

        The daily mail itself is a mail; what it leaves out is decided when it is written.
        """
        if row.person_id is None or row.kind == Kind.OVERDUE or is_breach(row, self.now):
            return Status.PENDING
        if row.kind not in USUALLY or self.is_muted(row.person_id, row.migration_id):
            return Status.IN_APP
        how = self.of(row.person_id, row.kind)
        if how == How.AT_ONCE and row.kind != Kind.CLOCK and self.now - row.due_at >= LATE:
            how = How.DAILY
        return _STATUS[how]

    def of(self, person: int, kind: str) -> str:
        return self.how.get((person, kind), USUALLY[kind])

    def is_muted(self, person: int, migration: int | None) -> bool:
        return (person, migration) in self.muted
