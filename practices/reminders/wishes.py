"""Which mails a person wants: at once, with the daily mail, or none beside the inbox.

Asked when a row is planned and again right before its mail is sent.
"""

from collections.abc import Iterable, Sequence
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
    """A row of the outbox, or what is to become some."""

    @property
    def kind(self) -> str: ...
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
        chosen = NotificationPreference.objects.filter(person__among=people)
        mutes = Mute.objects.on(london_date(now)).filter(person__among=people)
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

    def statuses(self, told: Told, people: Sequence[int | None]) -> list[Status]:
        """Where a row waits for each: to be mailed, for the daily mail, or in the inbox only.

        Who is no person has no inbox. The daily mail itself is a mail; what it leaves out is
        decided when it is written.
        """
        if told.kind == Kind.OVERDUE or is_breach(told, self.now):
            return [Status.PENDING] * len(people)
        return [
            Status.PENDING if person is None else self._status(told, person) for person in people
        ]

    def _status(self, told: Told, person: int) -> Status:
        if told.kind not in USUALLY or self.is_muted(person, told.migration_id):
            return Status.IN_APP
        how = self.of(person, told.kind)
        if how == How.AT_ONCE and told.kind != Kind.CLOCK and self.now - told.due_at >= LATE:
            how = How.DAILY
        return _STATUS[how]

    def of(self, person: int, kind: str) -> str:
        return self.how.get((person, kind), USUALLY[kind])

    def is_muted(self, person: int, migration: int | None) -> bool:
        return (person, migration) in self.muted
