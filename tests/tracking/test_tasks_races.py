"""Two people, one task: real threads, real commits."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import connections

from practices.common.errors import Refused
from practices.tracking import services
from practices.tracking.models import Task
from tests.factories import MONDAY

from .cast import assert_sound, make_cast


def at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """Start every act at the same moment, each in its own thread; results or refusals."""
    acts = list(acts)
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            ready.wait(timeout=30)
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_twenty_people_tick_the_same_task_and_one_does_it(committed_db):
    cast = make_cast()
    task, people = (
        cast.task("GL-02"),
        [cast.manager, cast.staff, cast.project_manager, cast.trainer],
    )
    settled = at_once(
        partial(services.tick_task, task=task, by=people[number % 4], at=MONDAY)
        for number in range(20)
    )
    assert [result.changed for result in settled].count(True) == 1
    assert {result.task.settled_by for result in settled} == {cast.task("GL-02").settled_by}
    assert cast.events("GL-02") == ["task.done"]
    assert_sound(cast.migration)


def test_different_tasks_are_ticked_at_once_and_all_counted(committed_db):
    cast = make_cast()
    codes = ["CUT-02", "CUT-03", "GL-02", "POST-01"]
    at_once(
        partial(services.tick_task, task=cast.task(code), by=cast.manager, at=MONDAY)
        for code in codes * 4
    )
    cast.migration.refresh_from_db()
    assert cast.migration.done_count == 4
    assert_sound(cast.migration)


def test_several_at_once_in_opposite_order_do_not_lock_each_other_out(committed_db):
    cast = make_cast()
    tasks = [cast.task(code) for code in ("CUT-02", "CUT-03", "GL-02", "POST-01")]
    results = at_once(
        partial(
            services.tick_tasks,
            migration=cast.migration,
            tasks=tasks[:: 1 - 2 * (number % 2)],
            by=cast.manager,
            at=MONDAY,
        )
        for number in range(10)
    )
    assert sum(len(result.ticked) for result in results) == 4
    assert_sound(cast.migration)


def test_a_tick_and_an_undo_of_the_tick_before_do_not_mix(committed_db):
    cast = make_cast()
    manager, other = cast.manager, cast.project_manager
    for _ in range(10):
        services.tick_task(task=cast.task("GL-02"), by=manager, at=MONDAY)
        task = cast.task("GL-02")

        def undo(task=task):
            return services.reopen_task(task=task, seen_version=task.version, by=manager, at=MONDAY)

        def tick(task=task):
            return services.tick_task(task=task, by=other, at=MONDAY)

        undone, *_ = at_once([undo, tick, tick])
        # Whoever came last stands; an undo never takes back a tick it did not see.
        state = cast.task("GL-02").state
        assert undone.changed
        assert state in (Task.State.OPEN, Task.State.DONE)
        if state == Task.State.DONE:
            assert cast.task("GL-02").settled_by == other
            services.reopen_task(
                task=task, seen_version=cast.task("GL-02").version, by=manager, at=MONDAY
            )
    assert_sound(cast.migration)


def test_of_many_undos_one_is_an_act(committed_db):
    cast = make_cast()
    manager = cast.manager
    services.tick_task(task=cast.task("GL-02"), by=manager, at=MONDAY)
    task = cast.task("GL-02")
    results = at_once(
        partial(services.reopen_task, task=task, seen_version=task.version, by=manager, at=MONDAY)
        for _ in range(12)
    )
    assert [result.changed for result in results].count(True) == 1
    assert cast.events("GL-02") == ["task.done", "task.reopened"]
    assert_sound(cast.migration)


def test_own_tasks_added_at_once_get_codes_of_their_own(committed_db):
    cast = make_cast()
    manager, phase = cast.manager, cast.migration.phases.get(key="go_live")
    at_once(
        partial(
            services.add_task,
            phase=phase,
            title=f"Task {number}",
            guidance="",
            owner="practice_staff",
            due_on=MONDAY.date(),
            assignee=None,
            by=manager,
            at=MONDAY,
        )
        for number in range(8)
    )
    codes = cast.migration.tasks.filter(plan_task=None).values_list("code", flat=True)
    assert sorted(codes) == [f"OWN-0{number}" for number in range(1, 9)]
    assert_sound(cast.migration)
