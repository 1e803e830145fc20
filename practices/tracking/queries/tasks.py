"""A viewer and their tasks: rows of lists with the buttons they get, what is next, what is late."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Q

from practices.accounts.models import User
from practices.accounts.roles import PRACTICE_ROLES, Permission
from practices.plans.rules import NOT_PREFIX, inside
from practices.tracking.models import Migration, Task
from practices.tracking.team import team
from practices.tracking.waiting import WaitsFor, waiting, waiting_in

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

    @cached_property
    def assignees(self) -> frozenset[int]:
        """Whose assigned tasks are theirs: their own, and those of whom they stand in for."""
        return self.migration.stands_in_for(self.user) | {self.user.pk}

    @cached_property
    def held(self) -> frozenset[int]:
        """The tasks here, by id, that cannot be done before others are."""
        return frozenset(waiting_in(self.migration, self.now))

    def has_left(self, task: Task) -> bool:
        """Whether the task is assigned to somebody who has no part in the migration any more."""
        return task.assignee_id not in (None, self.user.pk) and task.assignee_id in self._departed

    def is_mine(self, task: Task) -> bool:
        """The rule of ``TaskQuerySet.belonging_to``, for a task in hand."""
        if task.assignee_id in self.assignees:
            return True
        return (task.assignee_id is None or self.has_left(task)) and task.is_owned_by(self.roles)

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
    """A task as one person sees it in a list: what it is, and which buttons it gets.

    ``waits_for`` has to be done first; ``only_if`` are conditions, in words, that decide
    whether it applies and that nobody has answered yet.
    """

    task: Task
    viewer: Viewer
    waits_for: Sequence[WaitsFor] = ()
    only_if: Sequence[str] = ()

    @property
    def is_late(self) -> bool:
        return self.task.is_overdue(self.viewer.now)

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
        return (
            self.task.is_unfinished
            and self.can_work
            and not self.leads_elsewhere
            and not self.waits_for
        )

    @property
    def can_reopen(self) -> bool:
        if self.task.state == Task.State.OPEN or not self.can_work:
            return False
        return not (self.leads_elsewhere and self.task.state == Task.State.DONE)

    @property
    def can_record(self) -> bool:
        return bool(
            self.task.is_unfinished
            and not self.waits_for
            and self.task.records
            and self.task.migration.is_active
            and self.viewer.may(Permission.RECORD_DATES)
        )

    @property
    def can_sign(self) -> bool:
        seat = self.task.seat
        return bool(
            self.task.is_unfinished
            and not self.waits_for
            and seat
            and self.task.migration.is_active
            and self.viewer.may(Permission.SIGN)
            and self.viewer.roles & set(seat.roles)
        )


def rows(tasks: Iterable[Task], viewer: Viewer) -> list[TaskRow]:
    """Tasks of the viewer's migration as rows; they share its one migration object."""
    tasks = list(tasks)
    return _as_rows(tasks, viewer, waiting(tasks, viewer.now))


def _as_rows(
    tasks: Iterable[Task], viewer: Viewer, waits_for: Mapping[int, Sequence[WaitsFor]]
) -> list[TaskRow]:
    tasks = list(tasks)
    for task in tasks:
        task.migration = viewer.migration
    only_if = _only_if(tasks, viewer.migration)
    return [
        TaskRow(task, viewer, waits_for.get(task.pk, ()), only_if.get(task.pk, ()))
        for task in tasks
    ]


def row(task: Task, viewer: Viewer) -> TaskRow:
    """One task of the viewer's migration as a row."""
    return rows([task], viewer)[0]


def _only_if(tasks: Iterable[Task], migration: Migration) -> dict[int, list[str]]:
    """The conditions without an answer that tasks to do hang on, in words, by the task's id."""
    hanging = [task for task in tasks if task.is_unfinished and task.applies_if]
    if not hanging:
        return {}
    asked = migration.conditions.select_related("plan_condition")
    unknown = {row.key: inside(str(row)) for row in asked if row.answer is None}
    found: dict[int, list[str]] = {}
    for task in hanging:
        for name in task.applies_if:
            title = unknown.get(name.removeprefix(NOT_PREFIX))
            if title:
                word = "If not" if name.startswith(NOT_PREFIX) else "If"
                found.setdefault(task.pk, []).append(f"{word} {title}")
    return found


@dataclass(frozen=True)
class Late:
    """How many unfinished tasks are overdue, and how many of them are the viewer's."""

    everybody: int
    mine: int


def next_tasks(viewer: Viewer) -> list[TaskRow]:
    """What to do next: the viewer's own soonest tasks, but not what is blocked or has to wait."""
    if not viewer.has_tasks:
        return []
    mine = (
        viewer.migration.tasks.asked_for()
        .filter(state=Task.State.OPEN)
        .belonging_to(viewer.user, viewer.migration, viewer.now)
    )
    mine = mine.exclude(pk__in=viewer.held)
    return _as_rows(mine.with_people().soonest_first()[:NEXT_TASKS], viewer, {})


def due_next(viewer: Viewer) -> list[TaskRow]:
    """What falls due next, whoever does it, but not what has to wait for that."""
    tasks = viewer.migration.tasks.asked_for().exclude(pk__in=viewer.held)
    return _as_rows(tasks.with_people().soonest_first()[:NEXT_TASKS], viewer, {})


def late(viewer: Viewer) -> Late:
    overdue = viewer.migration.tasks.overdue(viewer.now)
    mine = overdue.belonging_to(viewer.user, viewer.migration, viewer.now)
    counted = overdue.aggregate(
        everybody=Count("pk"), mine=Count("pk", filter=Q(pk__in=mine.values("pk")))
    )
    return Late(**counted)


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
