"""Somebody works in a migration while it is moved to another version: real threads and commits."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections, transaction

from practices.common.errors import Conflict
from practices.tracking import services
from tests.factories import MONDAY

from .cast import Cast, assert_sound, make_cast
from .versions import adding, next_version, upgrade, without


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


def meanwhile(cast: Cast, act: Callable[[], Any]) -> Any:
    """What comes of an act that begins before the migration is moved and waits until it is."""
    second = next_version(
        cast.migration.plan_version, adding("go_live", "GL-03"), without("POST-01")
    )

    def run() -> Any:
        try:
            return act()
        except Conflict as conflict:
            return conflict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            upgrade(cast, second)
            waiting = pool.submit(run)
            deadline = time.monotonic() + 30
            while not waits_for_a_lock():
                assert time.monotonic() < deadline
        return waiting.result(timeout=30)


def test_a_note_and_a_tick_are_kept(committed_db):
    cast = make_cast()
    task = cast.task("GL-02")

    def work() -> None:
        services.add_note(task=task, body="Rang them twice", by=cast.manager, at=MONDAY)
        services.tick_task(task=task, by=cast.manager, at=MONDAY)

    assert meanwhile(cast, work) is None
    task.refresh_from_db()
    assert task.state == "done"
    assert [str(note.text) for note in task.notes.all()] == ["Rang them twice"]
    assert task.plan_task.version.number == 2
    assert_sound(cast.migration)


def test_who_ticks_a_task_that_has_just_left_the_plan_is_told_so(committed_db):
    cast = make_cast()
    task = cast.task("POST-01")
    answer = meanwhile(cast, lambda: services.tick_task(task=task, by=cast.manager, at=MONDAY))
    assert str(answer).startswith("POST-01 is not in the plan any more: this migration has just")
    assert_sound(cast.migration)
