"""What tasks wait for: the tasks their plan puts before them, done and long enough ago.

A task that was set aside, or is not in the migration, holds nothing up; nor does one that signs
a gate the migration went ahead without.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from practices.common.calendar import working_calendar
from practices.common.errors import Refused
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date, start_of_london_day
from practices.plans.models import PlanDependency, Unit
from practices.plans.rules import due, listed

from .models import Gate, Migration, Task

State = Task.State


@dataclass(frozen=True)
class WaitsFor:
    """A task that has to be done first. ``until``: it is done, and some time has to pass."""

    task: Task
    until: datetime | None = None
    timed: bool = False

    @property
    def label(self) -> str:
        """As the tag of what waits."""
        return f"Waiting for {self.task.code}"

    @property
    def why(self) -> str:
        """As words that end a sentence about what waits."""
        named = f"{self.task.code} “{self.task.title}”"
        return f"{named}, until {self.until_when}" if self.until else f"{named}, which is not done"

    @property
    def until_when(self) -> str:
        if self.until is None:
            return ""
        return uk_datetime(self.until) if self.timed else uk_date(london_date(self.until))


class Waits(Refused):
    """The task cannot be done before others are; ``waits_for`` names them."""

    def __init__(self, task: Task, waits_for: list[WaitsFor]) -> None:
        self.waits_for = waits_for
        super().__init__(
            f"{task.code} cannot be done yet: it waits for "
            f"{listed([one.why for one in waits_for])}."
        )


def require_turn(task: Task, now: datetime) -> None:
    """Raise :class:`Waits` where a task that is to do cannot be done yet."""
    for waits_for in waiting([task], now).values():
        raise Waits(task, waits_for)


def waiting(tasks: Iterable[Task], now: datetime) -> dict[int, list[WaitsFor]]:
    """What each of these tasks still waits for, by its id; of any migrations, in two statements.

    Those that wait for nothing, and those that are not to do, are left out.
    """
    rows = {task.pk: task for task in tasks if task.is_unfinished and task.plan_task_id}
    if not rows:
        return {}
    links: dict[int, list[PlanDependency]] = {}
    for link in PlanDependency.objects.filter(
        task__in={task.plan_task_id for task in rows.values()}
    ).select_related("before"):
        links.setdefault(link.task_id, []).append(link)
    if not links:
        return {}
    codes = {link.before.code for group in links.values() for link in group}
    went_without = Gate.objects.filter(
        migration=OuterRef("migration"),
        plan_gate=OuterRef("plan_task__signs__gate"),
        state=Gate.State.BYPASSED,
    )
    before = {
        (task.migration_id, task.code): task
        for task in Task.objects.filter(
            migration__in={task.migration_id for task in rows.values()}, code__in=codes
        )
        .exclude(state=State.NOT_APPLICABLE)
        .exclude(Exists(went_without), state__in=Task.UNFINISHED)
        .exclude(left_plan=True, state__in=Task.UNFINISHED)
        .select_related("plan_task", "own_title")
    }
    found: dict[int, list[WaitsFor]] = {}
    for pk, task in rows.items():
        for link in links.get(task.plan_task_id or 0, ()):
            first = before.get((task.migration_id, link.before.code))
            held = first and _held(first, link, now)
            if held:
                found.setdefault(pk, []).append(held)
    return found


def _held(first: Task, link: PlanDependency, now: datetime) -> WaitsFor | None:
    if first.is_unfinished or first.settled_at is None:
        return WaitsFor(first)
    free = free_from(first.settled_at, link.lag, link.unit)
    return WaitsFor(first, until=free, timed=link.unit == Unit.HOURS) if now < free else None


def free_from(settled_at: datetime, lag: int, unit: str) -> datetime:
    """The instant from which what waits for something done at ``settled_at`` can be done.

    Hours are elapsed; days and working days begin with the London day.
    """
    if not lag:
        return settled_at
    end = due(
        anchor_on=london_date(settled_at),
        anchor_at=settled_at,
        offset=lag,
        unit=unit,
        is_working=working_calendar().is_working,
    )
    return end.at if unit == Unit.HOURS else start_of_london_day(end.on)


def waiting_in(migration: Migration, now: datetime) -> dict[int, list[WaitsFor]]:
    """The same for every task that is to do in a migration."""
    tied = PlanDependency.objects.filter(task=OuterRef("plan_task"))
    return waiting(migration.tasks.open().filter(Exists(tied)), now)


def done_after(task: Task) -> list[Task]:
    """The done tasks that were to come after this one, in plan order."""
    later = PlanDependency.objects.filter(task=OuterRef("plan_task"), before__code=task.code)
    return list(
        Task.objects.filter(Exists(later), migration=task.migration_id, state=State.DONE)
        .select_related("plan_task", "own_title")
        .in_plan_order()
    )
