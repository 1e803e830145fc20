"""When a part of a draft would fall due, for a go-live that somebody tries out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from .content import Content, Part, key_of, tree_from
from .dates import Moment, due, key_dates_for
from .scheduling import schedule
from .tree import TASK_PREFIX, PlanTree, TaskNode


@dataclass(frozen=True)
class Sample:
    """``moments`` are when it is due or given; ``start`` where it runs from there on.

    ``own`` is what a task's own offset says, where what it waits for makes it later.
    """

    moments: tuple[Moment, ...] = ()
    start: Moment | None = None
    own: Moment | None = None


def with_part(content: Content, kind: str, part: Part) -> Content:
    """A draft in which one part says something else, or that has it as its last."""
    key = key_of(kind, part)
    others = [one for one in content[kind] if key_of(kind, one) != key]
    place = next(
        (at for at, one in enumerate(content[kind]) if key_of(kind, one) == key), len(others)
    )
    return {**content, kind: [*others[:place], part, *others[place:]]}


def sample(
    content: Content,
    kind: str,
    key: str,
    *,
    slug: str,
    go_live_at: datetime,
    is_working: Callable[[date], bool],
) -> Sample:
    """When one part of a draft falls due. What hangs on nothing known has no moments."""
    tree = tree_from(content, slug=slug)
    dates = key_dates_for(tree, go_live_at=go_live_at)
    if kind == "key_date":
        return Sample(tuple(at for name, at in dates.items() if name == key))
    tasks = _tasks(tree, dates, is_working)
    if kind == "task":
        task = next((one for one in tree.tasks() if one.code == key), None)
        return _task(task, tasks, dates, is_working) if task else Sample()
    facts = dates | {f"{TASK_PREFIX}{code}": at for code, at in tasks.items()}
    if kind == "clock":
        clock = next(node for node in tree.clocks if node.key == key)
        start = facts.get(clock.starts)
        ends = _counted(start, (clock.limit,), clock.unit, is_working)
        return Sample(ends, start=start)
    reminder = next(node for node in tree.reminders if node.key == key)
    given = _counted(dates.get(reminder.anchor), reminder.offsets, reminder.unit, is_working)
    return Sample(tuple(sorted(given, key=lambda moment: moment.at)))


def _tasks(
    tree: PlanTree, dates: dict[str, Moment], is_working: Callable[[date], bool]
) -> dict[str, Moment]:
    after = {task.code: task.after for task in tree.tasks()}
    return schedule(tree.tasks(), after, dates, is_working=is_working)


def _task(
    task: TaskNode,
    times: dict[str, Moment],
    dates: dict[str, Moment],
    is_working: Callable[[date], bool],
) -> Sample:
    moment = times.get(task.code)
    if moment is None:
        return Sample()
    (own,) = _counted(dates.get(task.anchor), (task.offset,), task.unit, is_working) or (moment,)
    return Sample((moment,), own=own if own != moment else None)


def _counted(
    start: Moment | None,
    offsets: tuple[int, ...],
    unit: str,
    is_working: Callable[[date], bool],
) -> tuple[Moment, ...]:
    if start is None:
        return ()
    return tuple(
        due(
            anchor_on=start.on,
            anchor_at=start.at,
            offset=offset,
            unit=unit,
            is_working=is_working,
        )
        for offset in offsets
    )
