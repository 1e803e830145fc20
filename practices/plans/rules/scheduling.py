"""When tasks fall due, given the key dates and what each of them waits for."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Protocol

from .dates import Moment, due
from .tree import AfterNode


class TaskLike(Protocol):
    """A task of a plan or of a migration: a node of the tree, or a stored row."""

    @property
    def code(self) -> str: ...
    @property
    def anchor(self) -> str: ...
    @property
    def offset(self) -> int | None: ...
    @property
    def unit(self) -> str: ...


def schedule(
    tasks: Iterable[TaskLike],
    after: Mapping[str, Iterable[AfterNode]],
    key_dates: Mapping[str, Moment],
    *,
    is_working: Callable[[date], bool],
    fixed: Mapping[str, Moment] | None = None,
) -> dict[str, Moment]:
    """The due time of each task by its code: as its own offset says, and never before what it
    waits for allows.

    ``after`` says by code what a task waits for. ``fixed`` are tasks whose time is settled:
    done, or given a date by hand; they stay, and what follows them follows. Tasks that hang on
    an unknown key date, that wait for each other, or that would be too far away for a calendar,
    are left out: the check names them.
    """
    rows = {task.code: task for task in tasks}
    found: dict[str, Moment] = dict(fixed or {})
    hopeless: set[str] = set()
    for start in rows:
        todo = [start]
        on_the_way: set[str] = set()
        while todo:
            code = todo[-1]
            if code in found or code in hopeless:
                todo.pop()
                continue
            before = [link for link in after.get(code, ()) if link.task in rows]
            waiting = [
                link.task for link in before if link.task not in found and link.task not in hopeless
            ]
            if waiting and code not in on_the_way:
                on_the_way.add(code)
                todo.extend(waiting)
                continue
            todo.pop()
            own = _own(rows[code], key_dates, is_working)
            if waiting or own is None or any(link.task in hopeless for link in before):
                hopeless.add(code)
                continue
            ends = [_follows(found[link.task], link, is_working) for link in before]
            if None in ends:
                hopeless.add(code)
                continue
            found[code] = max([own, *filter(None, ends)], key=lambda moment: moment.at)
    return {code: found[code] for code in rows if code in found}


def counted(
    start: Moment | None, offset: int, unit: str, is_working: Callable[[date], bool]
) -> Moment | None:
    """So far from a moment; None from no moment, and for what is too far for a calendar."""
    if start is None:
        return None
    try:
        return due(
            anchor_on=start.on,
            anchor_at=start.at,
            offset=offset,
            unit=unit,
            is_working=is_working,
        )
    except OverflowError:
        return None


def _own(
    task: TaskLike, key_dates: Mapping[str, Moment], is_working: Callable[[date], bool]
) -> Moment | None:
    return counted(key_dates.get(task.anchor), task.offset or 0, task.unit, is_working)


def _follows(before: Moment, link: AfterNode, is_working: Callable[[date], bool]) -> Moment | None:
    """The earliest end of what waits: at once, or some time after what it waits for."""
    return counted(before, link.lag, link.unit, is_working) if link.lag else before
