"""When tasks of a migration fall due: from the key dates that count, and after what they wait for.

Doing a task or setting it aside moves nobody's date. The next move of dates counts it: what was
done counts from when it was due, or was done if that was earlier; what was set aside, or is no
longer there, holds nothing up.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from practices.common.calendar import working_calendar
from practices.common.time import london_date
from practices.plans.models import PlanDependency
from practices.plans.rules import AfterNode, Moment, schedule
from practices.tracking.models import Migration, Task
from practices.tracking.models.task import TaskQuerySet

After = Mapping[str, list[AfterNode]]
State = Task.State


@dataclass(frozen=True)
class TaskMove:
    task: Task
    before: Moment
    after: Moment


def after_of(tasks: TaskQuerySet) -> After:
    """What each of these tasks waits for in its plan, by code; those that wait for nothing
    are left out."""
    found: dict[str, list[AfterNode]] = {}
    for code, before, lag, unit in PlanDependency.objects.filter(
        task__in=tasks.order_by().values("plan_task")
    ).values_list("task__code", "before__code", "lag", "unit"):
        found.setdefault(code, []).append(AfterNode(before, lag, unit))
    return found


def due_times(
    tasks: Iterable[Task], after: After, anchors: Mapping[str, Moment]
) -> dict[str, Moment]:
    """The due time of each task that applies, by code, as the rows stand in memory.

    ``anchors`` are the key dates as they count. What is done, or has a date by hand, stays, and
    what follows it follows. Tasks that wait for each other, as those of two versions of a plan
    may, are left out.
    """
    applying = [task for task in tasks if task.state != State.NOT_APPLICABLE]
    fixed = {task.code: _counts_as(task) for task in applying if _stays(task)}
    return schedule(applying, after, anchors, is_working=working_calendar().is_working, fixed=fixed)


def _stays(task: Task) -> bool:
    return task.pinned or task.state == State.DONE


def _counts_as(task: Task) -> Moment:
    due = Moment(on=task.due_on, at=task.due_at)
    if task.state != State.DONE or task.settled_at is None or task.settled_at >= task.due_at:
        return due
    if task.is_timed:
        return Moment.of_instant(task.settled_at)
    return min(due, Moment.of_day(london_date(task.settled_at)), key=lambda moment: moment.at)


def followers(after: After, codes: Collection[str]) -> set[str]:
    """The codes of what waits for one of these tasks, directly or through each other."""
    found: set[str] = set()
    ahead = set(codes)
    while ahead:
        ahead = {
            code for code, links in after.items() if any(link.task in ahead for link in links)
        } - found
        found |= ahead
    return found


def task_moves(
    migration: Migration,
    anchors: Mapping[str, Moment],
    changed: Collection[str],
    *,
    pins: Mapping[str, Moment] = MappingProxyType({}),
) -> list[TaskMove]:
    """Unfinished, unpinned tasks whose due time differs once these anchors count.

    Looked at are those that hang on the anchors in ``changed``, and what waits for them or for
    the tasks in ``pins``, which get a date by hand.
    """
    after = after_of(migration.tasks.all())
    here = migration.tasks.select_related("plan_task", "own_title", "phase__plan_phase")
    if not after:
        here = here.open().filter(anchor__in=changed)
    tasks = list(here.in_plan_order())
    for task in tasks:
        if pin := pins.get(task.code):
            task.due_on, task.due_at, task.pinned = pin.on, pin.at, True
    moving = {task.code for task in tasks if task.anchor in changed} | set(pins)
    moving |= followers(after, moving)
    times = due_times(tasks, after, anchors)
    return [
        TaskMove(task, Moment(on=task.due_on, at=task.due_at), times[task.code])
        for task in tasks
        if task.code in moving
        and task.code in times
        and task.is_unfinished
        and not task.pinned
        and times[task.code].at != task.due_at
    ]


def due_again(migration: Migration, task: Task) -> Moment:
    """When a task with an anchor that is to do again falls due, as everything is now.

    ``task`` is that task as it will stand.
    """
    after = after_of(migration.tasks.filter(pk=task.pk))
    codes = [link.task for link in after.get(task.code, ())]
    before = list(migration.tasks.filter(code__in=codes)) if codes else []
    for one in before:
        one.pinned = True  # in this copy: it stays where it is
    anchor = migration.key_dates.get(key=task.anchor).moment
    return due_times([task, *before], after, {task.anchor: anchor})[task.code]


def apply_task_moves(moves: list[TaskMove]) -> None:
    for m in moves:
        m.task.due_on, m.task.due_at = m.after.on, m.after.at
        m.task.version += 1
    Task.objects.bulk_update(
        [m.task for m in moves], ["due_on", "due_at", "version"], batch_size=400
    )


def due_told(moves: Iterable[TaskMove]) -> dict[str, list[str]]:
    """What moved, as events hold it: before and after of each task by code."""
    return {m.task.code: [m.before.at.isoformat(), m.after.at.isoformat()] for m in moves}
