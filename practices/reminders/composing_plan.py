"""Whether a reminder of the plan is still wanted, and what it says."""

from dataclasses import dataclass
from datetime import datetime

from practices.plans.models import PlanReminder
from practices.plans.rules import Moment
from practices.tracking.models import Gate, KeyDate, Migration, Task

from .models import Notification
from .occasions import Anchor, newest_occasion
from .standing import Standing, task_waited_for


@dataclass(frozen=True)
class Reminded:
    """What a reminder is about, as things stand: what it counts from and what it waits for."""

    reminder: PlanReminder
    migration: Migration
    anchor: Anchor
    task: Task | None = None
    key_date: KeyDate | None = None
    gate: Gate | None = None

    def is_newest(self, due_at: datetime, standing: Standing) -> bool:
        """Whether this occasion is the newest: dates may have been moved since it was planned."""
        is_working = standing.calendar.is_working
        return newest_occasion(self.reminder, self.anchor, standing.now, is_working) == due_at


def reminded(row: Notification, standing: Standing) -> Reminded | None:
    """What the row is about; None once that is settled, or its migration is over."""
    reminder, migration = standing.reminder_of(row), row.migration
    if reminder is None or migration is None or not migration.is_active:
        return None
    if row.gate_id:
        return _at_gate(standing.gates_ready.get(row.gate_id), reminder, migration)
    return _around_date(reminder, migration, standing)


def _at_gate(gate: Gate | None, reminder: PlanReminder, migration: Migration) -> Reminded | None:
    if gate is None:
        return None
    anchor = Anchor(Moment.of_instant(gate.ready_at), happened=True)
    return Reminded(reminder, migration, anchor, gate=gate)


def _around_date(
    reminder: PlanReminder, migration: Migration, standing: Standing
) -> Reminded | None:
    dates = standing.key_dates[migration.pk]
    task = None
    if code := task_waited_for(reminder):
        task = standing.tasks_open.get((migration.pk, code))
        if task is None:
            return None
    elif reminder.until and dates[reminder.until].actual:
        return None
    date = dates[reminder.anchor]
    anchor = Anchor(date.moment, happened=date.actual is not None)
    return Reminded(reminder, migration, anchor, task=task, key_date=date)
