"""What the pages of a migration show, read in a fixed number of statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Prefetch, Q

from practices.accounts.models import User
from practices.accounts.roles import PRACTICE_ROLES, Permission
from practices.common.templatetags.uk import uk_datetime
from practices.common.time import london_date
from practices.plans.models import Unit
from practices.tracking.models import (
    Bypass,
    ClockRun,
    Gate,
    KeyDate,
    Migration,
    Phase,
    SignOff,
    Task,
)
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import GL, in_words
from practices.tracking.team import team

NEXT_TASKS = 5
MOST_PEOPLE = 50  # of one role in a select box


@dataclass(frozen=True)
class Viewer:
    """One person in one migration: what they are and may do there now, looked up once."""

    user: User
    migration: Migration
    now: datetime

    @cached_property
    def roles(self) -> frozenset[str]:
        return self.migration.roles_of(self.user)

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        return self.migration.permissions_of(self.user)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @cached_property
    def _departed(self) -> frozenset[int]:
        left_behind = self.migration.tasks.left_behind(self.now)
        return frozenset(left_behind.values_list("assignee", flat=True))

    def has_left(self, task: Task) -> bool:
        """Whether the task is assigned to somebody who has no part in the migration any more."""
        return task.assignee_id not in (None, self.user.pk) and task.assignee_id in self._departed

    def is_mine(self, task: Task) -> bool:
        """The rule of ``TaskQuerySet.belonging_to``, for a task in hand."""
        if task.assignee_id is None or self.has_left(task):
            return task.is_owned_by(self.roles)
        return task.assignee_id == self.user.pk

    def may_work(self, task: Task) -> bool:
        """Whether they may tick the task: any with the right to all, else their own."""
        if self.may(Permission.WORK_ALL_TASKS):
            return True
        return self.may(Permission.WORK_OWN_TASKS) and self.is_mine(task)

    @property
    def has_tasks(self) -> bool:
        """Whether tasks can be theirs at all."""
        return self.may(Permission.WORK_OWN_TASKS)

    @property
    def is_of_practice(self) -> bool:
        return bool(self.roles & PRACTICE_ROLES)


@dataclass(frozen=True)
class TaskRow:
    """A task as one person sees it in a list: what it is, and which buttons it gets."""

    task: Task
    viewer: Viewer

    @property
    def is_late(self) -> bool:
        return self.task.is_overdue(self.viewer.now)

    @property
    def is_timed(self) -> bool:
        """Whether it is due at a minute, not on a day."""
        return self.task.unit == Unit.HOURS and not self.task.pinned

    @property
    def is_mine(self) -> bool:
        return self.viewer.is_mine(self.task)

    @property
    def assignee(self) -> User | None:
        """Who is to do it, when that is one person who is still there."""
        return None if self.viewer.has_left(self.task) else self.task.assignee

    @property
    def can_work(self) -> bool:
        return self.task.migration.is_active and self.viewer.may_work(self.task)

    @property
    def leads_elsewhere(self) -> bool:
        """Whether doing it is another act, on another page: recording a date or signing."""
        return bool(self.task.records or self.task.seat)

    @property
    def can_tick(self) -> bool:
        return self.task.is_unfinished and self.can_work and not self.leads_elsewhere

    @property
    def can_reopen(self) -> bool:
        if self.task.state == Task.State.OPEN or not self.can_work:
            return False
        return not (self.leads_elsewhere and self.task.state == Task.State.DONE)

    @property
    def can_record(self) -> bool:
        return bool(
            self.task.is_unfinished
            and self.task.records
            and self.task.migration.is_active
            and self.viewer.may(Permission.RECORD_DATES)
        )

    @property
    def can_sign(self) -> bool:
        seat = self.task.seat
        return bool(
            self.task.is_unfinished
            and seat
            and self.task.migration.is_active
            and self.viewer.may(Permission.SIGN)
            and self.viewer.roles & set(seat.roles)
        )


def rows(tasks: Iterable[Task], viewer: Viewer) -> list[TaskRow]:
    """Tasks of the viewer's migration as rows; they share its one migration object."""
    found = []
    for task in tasks:
        task.migration = viewer.migration
        found.append(TaskRow(task, viewer))
    return found


@dataclass(frozen=True)
class ClockNow:
    """A clock run at an instant, in words and with the tag it gets."""

    run: ClockRun
    now: datetime

    @property
    def _hours(self) -> bool:
        return self.run.counts_hours

    @property
    def limit(self) -> str:
        """``72 hours``, ``45 days``."""
        unit = {Unit.HOURS: "hour", Unit.DAYS: "day", Unit.WORKING_DAYS: "working day"}
        return f"{self.run.limit} {unit[Unit(self.run.unit)]}{'' if self.run.limit == 1 else 's'}"

    @property
    def headline(self) -> str:
        """``41 hours left of 72``, ``5 hours over the limit of 72``, or what it came to."""
        run = self.run
        if not run.is_running:
            return f"Took {self._taken} of {self.limit}"
        if self._hours:
            span = in_words(run.left(self.now))
            return f"{span} over {self.limit}" if self.is_over else f"{span} left of {run.limit}"
        if self.is_over:
            return f"{_days((london_date(self.now) - run.ends_on).days)} over {self.limit}"
        left = run.days_left(self.now)
        return f"{_days(left)} left of {run.limit}" if left else f"Last day of {run.limit}"

    @property
    def _taken(self) -> str:
        run = self.run
        if self._hours:
            return in_words(run.used(self.now))
        return _days(((run.stopped_on or london_date(self.now)) - london_date(run.started_at)).days)

    @property
    def is_over(self) -> bool:
        return self.run.is_over(self.now)

    @property
    def tag(self) -> tuple[str, str]:
        """Status in words and its colour."""
        run = self.run
        if run.is_running:
            if self.is_over:
                return "Over the limit", "red"
            warned = [hours for hours in run.plan_clock.warn_after if hours < run.limit]
            due = run.plan_clock.warn_before
            hours_used = run.used(self.now).total_seconds() / 3600
            close = (self._hours and len(warned) > 1 and hours_used >= warned[-2]) or (
                bool(due) and not self._hours and run.days_left(self.now) <= max(due)
            )
            return ("Ending soon", "orange") if close else ("Running", "blue")
        return ("Within the limit", "green") if run.state == run.State.MET else ("Over", "red")


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def clocks_now(migration: Migration, now: datetime) -> list[ClockNow]:
    """The clocks that count, running ones first."""
    runs = [ClockNow(run, now) for run in migration.clock_runs.counting()]
    return sorted(runs, key=lambda clock: not clock.run.is_running)


@dataclass(frozen=True)
class PhaseLine:
    """A phase with its progress. ``late`` and ``signing`` count unfinished tasks."""

    phase: Phase
    late: int
    signing: int

    @property
    def unfinished(self) -> int:
        return self.phase.open_count + self.phase.blocked_count

    @property
    def status(self) -> str:
        if not self.unfinished:
            return "Complete"
        if self.unfinished == self.signing:
            return "Waiting for sign-off"
        if self.phase.done_count + self.phase.not_applicable_count + self.phase.blocked_count:
            return "In progress"
        return "Not started"

    @property
    def colour(self) -> str:
        """The tag's colour; complete is plain text, as task lists have it."""
        return {"Not started": "grey", "In progress": "blue", "Waiting for sign-off": "purple"}.get(
            self.status, ""
        )

    @property
    def hint(self) -> str:
        """``3 of 12 done, 1 blocked, 1 late``."""
        said = [f"{self.phase.done_count} of {self.phase.needed_count} done"]
        if self.phase.blocked_count:
            said.append(f"{self.phase.blocked_count} blocked")
        if self.late:
            said.append(f"{self.late} late")
        return ", ".join(said)


def phase_lines(migration: Migration, now: datetime) -> list[PhaseLine]:
    """Every phase of a migration in order, in two statements."""
    return _lines(migration.phases.select_related("plan_phase"), migration.tasks.open(), now)


def phase_line(phase: Phase, now: datetime) -> PhaseLine:
    """One phase; its counters are those it was read with."""
    return _lines([phase], phase.tasks.open(), now)[0]


def _lines(phases: Iterable[Phase], unfinished: TaskQuerySet, now: datetime) -> list[PhaseLine]:
    counts = {
        phase: (late, signing)
        for phase, late, signing in unfinished.order_by()
        .values("phase")
        .annotate(
            late=Count("pk", filter=Q(due_at__lte=now)),
            signing=Count("pk", filter=Q(plan_task__signs__isnull=False)),
        )
        .values_list("phase", "late", "signing")
    }
    return [PhaseLine(phase, *counts.get(phase.pk, (0, 0))) for phase in phases]


@dataclass(frozen=True)
class GateLine:
    """A gate with the signatures of its present round and every time it was passed without."""

    gate: Gate
    signatures: list[SignOff]
    bypasses: list[Bypass]
    needed: bool

    @property
    def status(self) -> tuple[str, str]:
        if not self.needed:
            return "Not needed here", ""
        state = self.gate.state
        colour = {Gate.State.SIGNED: "green", Gate.State.BYPASSED: "red"}.get(
            Gate.State(state), "grey"
        )
        return self.gate.get_state_display(), colour

    @property
    def hint(self) -> str:
        """Who signed, and when."""
        return ", ".join(
            f"{signature.seat}: {signature.by}, {uk_datetime(signature.at)}"
            for signature in self.signatures
        )


def gate_lines(migration: Migration) -> list[GateLine]:
    """Every gate in order. What was passed without its sign-off is shown for ever."""
    gates = (
        migration.gates.with_needed()
        .select_related("plan_gate")
        .prefetch_related(
            Prefetch("sign_offs", SignOff.objects.select_related("by", "seat").order_by("at")),
            Prefetch(
                "bypasses",
                Bypass.objects.select_related("by", "reason", "confirmation__by").order_by("round"),
            ),
        )
    )
    return [
        GateLine(
            gate,
            [signature for signature in gate.sign_offs.all() if signature.round == gate.round],
            list(gate.bypasses.all()),
            gate.is_needed,
        )
        for gate in gates
    ]


@dataclass(frozen=True)
class Late:
    """How many unfinished tasks are overdue, and how many of them are the viewer's."""

    everybody: int
    mine: int


def next_tasks(viewer: Viewer) -> list[TaskRow]:
    """What to do next: the viewer's own soonest tasks, blocked ones left out."""
    if not viewer.has_tasks:
        return []
    mine = viewer.migration.tasks.filter(state=Task.State.OPEN).belonging_to(
        viewer.user, viewer.migration, viewer.now
    )
    return rows(mine.with_people().soonest_first()[:NEXT_TASKS], viewer)


def due_next(viewer: Viewer) -> list[TaskRow]:
    """What falls due next, whoever does it."""
    tasks = viewer.migration.tasks.open().with_people().soonest_first()
    return rows(tasks[:NEXT_TASKS], viewer)


def late(viewer: Viewer) -> Late:
    overdue = viewer.migration.tasks.overdue(viewer.now)
    mine = overdue.belonging_to(viewer.user, viewer.migration, viewer.now)
    counted = overdue.aggregate(
        everybody=Count("pk"), mine=Count("pk", filter=Q(pk__in=mine.values("pk")))
    )
    return Late(**counted)


def go_live_of(dates: Iterable[KeyDate]) -> KeyDate:
    """Go-live, which every plan has."""
    return next(key_date for key_date in dates if key_date.key == GL)


def assignable_people(migration: Migration, now: datetime) -> dict[str, list[User]]:
    """Whom a task can be given to, by role; nobody twice, and no role with an endless list."""
    seen: set[User] = set()
    found = {}
    for role in team(migration, now):
        people = [person for person in role.people if person not in seen][:MOST_PEOPLE]
        seen.update(people)
        if people:
            found[role.title] = people
    return found
