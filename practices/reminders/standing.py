"""How things stand for some notifications: what their check asks the database, read at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.functional import cached_property

from practices.accounts.models import Invitation, Membership, User
from practices.common import clock
from practices.common.calendar import WorkingCalendar, working_calendar
from practices.common.time import london_date
from practices.directory.models import CommissionerLink
from practices.plans.models import PlanKeyDate, PlanReminder, PlanTask
from practices.plans.rules import TASK_PREFIX
from practices.tracking.models import ClockRun, Contact, Gate, KeyDate, Migration, Task

from .models import Notification
from .rules import Warn, newest_due
from .wishes import Wishes


class Standing:
    """How things stand at ``now`` for ``rows``, which are given what they are about.

    The number of queries does not grow with the rows. What is asked once more for one
    row only is asked of rare kinds.
    """

    def __init__(self, rows: Sequence[Notification], now: datetime) -> None:
        self.rows, self.now = rows, now
        self.said_of_clocks: dict[tuple[int, str, bool], Any] = {}  # words, by composing.py
        self._newest_due: dict[int, Warn | None] = {}
        migrations = Migration.objects.select_related(
            "practice__organisation", "source_system", "target_system"
        )
        invitations = Invitation.objects.select_related("organisation", "invited_by")
        self._give("person", User.objects.only("email", "name", "is_active"))
        self._give("contact", Contact.objects.all())
        self._give("invitation", invitations)
        self._give("migration", migrations)
        self._give("plan_reminder", PlanReminder.objects.all())
        self._give("clock_run", ClockRun.objects.select_related("plan_clock"))
        self._give("gate", Gate.objects.select_related("plan_gate"))
        for row in rows:
            for about in (row.clock_run, row.gate):
                if about and row.migration:
                    about.migration = row.migration
        self._know_memberships()
        self._know_commissioners()
        self.wishes = Wishes({row.person_id for row in rows if row.person_id}, now)

    def _give(self, name: str, those: models.QuerySet[Any]) -> None:
        """Give each row what it refers to. To have it prefetched takes three times as long."""
        keys = [getattr(row, f"{name}_id") for row in self.rows]
        wanted = set(keys) - {None}
        found = {one.pk: one for one in those.filter(pk__among=wanted)} if wanted else {}
        for row, key in zip(self.rows, keys, strict=True):
            if key is not None:
                setattr(row, name, found[key])

    def _know_memberships(self) -> None:
        people = {row.person for row in self.rows if row.person}
        for person in people:
            person.current_memberships = []
        whose = {person.pk: person for person in people if person.is_active}
        held = Membership.objects.held_on(london_date(clock.now()))
        for membership in held.filter(person__among=whose):
            whose[membership.person_id].current_memberships.append(membership)

    def _know_commissioners(self) -> None:
        found = {row.migration for row in self.rows if row.migration}
        practices = {migration.practice_id for migration in found}
        links = CommissionerLink.objects.filter(practice__among=practices, valid_to=None)
        commissioners = dict(links.values_list("practice", "commissioner"))
        for migration in found:
            by = commissioners.get(migration.practice_id)
            migration.commissioner_ids = {by} if by else set()

    @cached_property
    def calendar(self) -> WorkingCalendar:
        return working_calendar()

    def newest_due(self, run: ClockRun) -> Warn | None:
        """The warning of ``run`` that should have been given last; many are told of one run."""
        if run.pk not in self._newest_due:
            self._newest_due[run.pk] = newest_due(run, self.now, self.calendar.is_working)
        return self._newest_due[run.pk]

    @cached_property
    def unlooked_at(self) -> set[int]:
        """Runs of old-system access that it is still time to look at."""
        runs = [row.clock_run_id for row in self.rows if row.clock_run_id]
        due = ClockRun.objects.access_check_due(self.now).filter(pk__in=runs)
        return set(due.values_list("pk", flat=True))

    @cached_property
    def gates_ready(self) -> dict[int, Gate]:
        """Those that reminders of the plan are about, while they can be signed."""
        gates = {row.gate_id for row in self._reminding() if row.gate_id}
        return Gate.objects.ready_to_sign().select_related("plan_gate").in_bulk(gates)

    @cached_property
    def key_dates(self) -> dict[int, dict[str, KeyDate]]:
        """Those of the migrations that reminders of the plan are about, by migration and key."""
        found: dict[int, dict[str, KeyDate]] = {}
        migrations = {row.migration_id for row in self._reminding()}
        dates = KeyDate.objects.filter(migration__in=migrations).select_related("plan_key_date")
        for date in dates:
            found.setdefault(date.migration_id, {})[date.key] = date
        return found

    @cached_property
    def tasks_open(self) -> dict[tuple[int, str], Task]:
        """Those that reminders of the plan wait for, by migration and code, while still to do."""
        waited = {
            (row.migration_id, task_waited_for(reminder))
            for row in self._reminding()
            if (reminder := self.reminder_of(row))
        }
        tasks = Task.objects.asked_for().with_people()
        found = tasks.filter(
            migration__in={migration for migration, _ in waited},
            code__in={code for _, code in waited},
        )
        return {(task.migration_id, task.code): task for task in found}

    def reminder_of(self, row: Notification) -> PlanReminder | None:
        """The reminder a row is about, as its migration's version of the plan has it now.

        None where a later version, which the migration was moved to, does not give it.
        """
        planned, migration = row.plan_reminder, row.migration
        if planned is None or migration is None:
            return None
        if planned.version_id == migration.plan_version_id:
            return planned
        return self._given.get((migration.plan_version_id, planned.key))

    @cached_property
    def _given(self) -> dict[tuple[int, str], PlanReminder]:
        versions = {row.migration.plan_version_id for row in self._reminding() if row.migration}
        keys = {row.plan_reminder.key for row in self._reminding() if row.plan_reminder}
        given = PlanReminder.objects.filter(version__in=versions, key__in=keys, enabled=True)
        return {(reminder.version_id, reminder.key): reminder for reminder in given}

    @cached_property
    def stops(self) -> dict[tuple[int, str], str]:
        """The titles of what stops clocks, by plan version and name of a key date or task."""
        runs = {row.clock_run_id: row.clock_run for row in self.rows if row.clock_run}
        clocks = [run.plan_clock for run in runs.values()]
        versions = {clock.version_id for clock in clocks}
        names = {clock.stops for clock in clocks}
        codes = {name.removeprefix(TASK_PREFIX) for name in names if name.startswith(TASK_PREFIX)}
        dates = PlanKeyDate.objects.filter(version__in=versions, key__in=names)
        tasks = PlanTask.objects.filter(version__in=versions, code__in=codes)
        return {(date.version_id, date.key): date.title for date in dates} | {
            (task.version_id, f"{TASK_PREFIX}{task.code}"): task.title for task in tasks
        }

    def _reminding(self) -> Iterable[Notification]:
        return [row for row in self.rows if row.plan_reminder_id]


def task_waited_for(reminder: PlanReminder) -> str:
    """The code of the task that a reminder is given until it is done; empty for none."""
    until = reminder.until
    return until.removeprefix(TASK_PREFIX) if until.startswith(TASK_PREFIX) else ""
