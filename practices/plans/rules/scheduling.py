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
    an unknown key date, or that wait for each other, are left out: the check names them.
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
            found[code] = max([own, *ends], key=lambda moment: moment.at)
    return {code: found[code] for code in rows if code in found}


def _own(
    task: TaskLike, key_dates: Mapping[str, Moment], is_working: Callable[[date], bool]
) -> Moment | None:
    anchor = key_dates.get(task.anchor)
    if anchor is None:
        return None
    return due(
        anchor_on=anchor.on,
        anchor_at=anchor.at,
        offset=task.offset or 0,
        unit=task.unit,
        is_working=is_working,
    )


def _follows(before: Moment, link: AfterNode, is_working: Callable[[date], bool]) -> Moment:
    """The earliest end of what waits: at once, or some time after what it waits for."""
    if not link.lag:
        return before
    return due(
        anchor_on=before.on,
        anchor_at=before.at,
        offset=link.lag,
        unit=link.unit,
        is_working=is_working,
    )
