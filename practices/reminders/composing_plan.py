"""Whether a reminder of the plan is still wanted, and what it says."""

from dataclasses import dataclass
from datetime import datetime

from practices.common.calendar import working_calendar
from practices.plans.models import PlanReminder
from practices.plans.rules import TASK_PREFIX, Moment
from practices.tracking.models import Gate, KeyDate, Migration, Task

from .models import Notification
from .occasions import Anchor, newest_occasion


@dataclass(frozen=True)
class Reminded:
    """What a reminder is about, as things stand: what it counts from and what it waits for."""

    reminder: PlanReminder
    migration: Migration
    anchor: Anchor
    task: Task | None = None
    key_date: KeyDate | None = None
    gate: Gate | None = None

    def is_newest(self, due_at: datetime, now: datetime) -> bool:
        """Whether this occasion is the newest: dates may have been moved since it was planned."""
        is_working = working_calendar().is_working
        return newest_occasion(self.reminder, self.anchor, now, is_working) == due_at


def reminded(row: Notification) -> Reminded | None:
    """What the row is about; None once that is settled, or its migration is over."""
    reminder, migration = row.plan_reminder, row.migration
    if reminder is None or migration is None or not migration.is_active:
        return None
    if row.gate_id:
        return _at_gate(row.gate_id, reminder, migration)
    return _around_date(reminder, migration)


def _at_gate(gate_id: int, reminder: PlanReminder, migration: Migration) -> Reminded | None:
    gate = Gate.objects.ready_to_sign().select_related("plan_gate").filter(pk=gate_id).first()
    if gate is None:
        return None
    anchor = Anchor(Moment.of_instant(gate.ready_at), happened=True)
    return Reminded(reminder, migration, anchor, gate=gate)


def _around_date(reminder: PlanReminder, migration: Migration) -> Reminded | None:
    dates = {date.key: date for date in migration.key_dates.select_related("plan_key_date")}
    task = None
    if reminder.until.startswith(TASK_PREFIX):
        code = reminder.until.removeprefix(TASK_PREFIX)
        task = migration.tasks.open().with_people().filter(code=code).first()
        if task is None:
            return None
    elif reminder.until and dates[reminder.until].actual:
        return None
    date = dates[reminder.anchor]
    anchor = Anchor(date.moment, happened=date.actual is not None)
    return Reminded(reminder, migration, anchor, task=task, key_date=date)
