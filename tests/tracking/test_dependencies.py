"""Tasks that wait for others: refused until it is their turn, and moved with what they follow."""

from datetime import date, timedelta

import pytest

from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.services.pinning import MovesOthers
from practices.tracking.services.replanning import preview_replan
from practices.tracking.waiting import Waits, waiting, waiting_in
from tests.factories import GO_LIVE_AT, MONDAY

from . import steps
from .cast import assert_sound, make_cast
from .dependent import cast_with, states, tick

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CHAIN = {"CUT-03": [("CUT-02",)], "GL-02": [("CUT-03", 2, "days")]}


def due_on(cast, code) -> date:
    return cast.task(code).due_on


def pin(cast, code, on, **more):
    task = cast.task(code)
    return services.pin_task(
        task=task, due_on=on, seen_version=task.version, by=cast.manager, at=MONDAY, **more
    )


def test_a_task_is_refused_before_the_one_it_waits_for_and_names_it():
    cast = cast_with(after={"CUT-03": [("CUT-02",)]})
    with pytest.raises(Waits) as refusal:
        tick(cast, "CUT-03")
    assert str(refusal.value) == (
        "CUT-03 cannot be done yet: it waits for CUT-02 “Check the data that came over”, "
        "which is not done."
    )
    tick(cast, "CUT-02")
    tick(cast, "CUT-03")
    assert states(cast, "CUT-02", "CUT-03") == ["done", "done"]
    assert_sound(cast.migration)


def test_a_blocked_predecessor_still_holds_up_and_one_set_aside_does_not():
    cast = cast_with(after={"CUT-03": [("CUT-02",)]})
    act = {"by": cast.manager, "at": MONDAY, "reason": "No extract"}
    services.block_task(task=cast.task("CUT-02"), **act)
    with pytest.raises(Waits):
        tick(cast, "CUT-03")
    services.set_task_aside(task=cast.task("CUT-02"), **act)
    tick(cast, "CUT-03")


@pytest.mark.parametrize(
    ("lag", "unit", "too_soon", "in_time"),
    [
        (3, "hours", timedelta(hours=2, minutes=59), timedelta(hours=3)),
        (2, "days", timedelta(days=1, hours=14), timedelta(days=1, hours=15)),
        (5, "working_days", timedelta(days=6, hours=14), timedelta(days=6, hours=15)),
    ],
)
def test_a_lag_is_elapsed_hours_or_whole_london_days(lag, unit, too_soon, in_time):
    cast = cast_with(after={"CUT-03": [("CUT-02", lag, unit)]})
    monday_at_nine = MONDAY.replace(hour=9, minute=0, second=0, microsecond=0)
    tick(cast, "CUT-02", at=monday_at_nine)
    with pytest.raises(Waits, match="until"):
        tick(cast, "CUT-03", at=monday_at_nine + too_soon - timedelta(minutes=1))
    tick(cast, "CUT-03", at=monday_at_nine + in_time)


def test_ticking_several_does_those_whose_turn_comes_in_the_same_act():
    cast = cast_with(after={"CUT-02": [("CUT-03",)], "GL-02": [("POST-01",)]})
    tasks = [cast.task(code) for code in ("CUT-02", "CUT-03", "GL-02")]
    result = services.tick_tasks(migration=cast.migration, tasks=tasks, by=cast.manager, at=MONDAY)
    assert [task.code for task in result.ticked] == ["CUT-03", "CUT-02"]
    [(task, sentence)] = result.refused
    assert task.code == "GL-02"
    assert "waits for POST-01" in sentence
    assert_sound(cast.migration)


def test_a_date_is_not_recorded_and_a_seat_not_signed_before_its_turn():
    cast = cast_with(after={"CUT-01": [("CUT-03",)], "CUT-04": [("CUT-02",)]})
    at_fdp = GO_LIVE_AT - 61 * HOUR
    with pytest.raises(Waits, match="CUT-01 cannot be done yet: it waits for CUT-03"):
        steps.record(cast, "FDP", at_fdp)
    with pytest.raises(Waits, match="CUT-04 cannot be done yet: it waits for CUT-02"):
        steps.sign(cast)
    cast.migration.refresh_from_db()
    assert cast.migration.state == "planning"
    services.set_task_aside(
        task=cast.task("CUT-03"), reason="Done by the supplier", by=cast.manager, at=MONDAY
    )
    steps.record(cast, "FDP", at_fdp)
    tick(cast, "CUT-02")
    steps.sign(cast)
    assert states(cast, "CUT-01", "CUT-04") == ["done", "done"]
    assert_sound(cast.migration)


def test_what_waits_for_a_sign_off_goes_on_where_the_migration_went_without_it():
    cast = cast_with(after={"GL-01": [("CUT-04",)]})
    steps.record(cast, "FDP", GO_LIVE_AT - 61 * HOUR)
    bypass = services.record_bypass(
        gate=steps.gate_of(cast), reason="Agreed", by=cast.project_manager, at=MONDAY
    )
    services.confirm_bypass(bypass=bypass, by=cast.commissioner, at=MONDAY)
    steps.record(cast, "GL", GO_LIVE_AT)
    assert states(cast, "CUT-04", "GL-01") == ["open", "done"]


def test_a_predecessor_can_be_reopened_under_what_was_done_after_it():
    cast = cast_with(after={"CUT-03": [("CUT-02",)]})
    tick(cast, "CUT-02")
    tick(cast, "CUT-03")
    task = cast.task("CUT-02")
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    assert states(cast, "CUT-02", "CUT-03") == ["open", "done"]


def test_what_every_task_of_a_migration_waits_for_takes_the_same_statements_for_any_number(
    django_assert_num_queries,
):
    few = cast_with(after={"CUT-03": [("CUT-02",)]})
    many = cast_with(after={code: [("CUT-02",)] for code in ("CUT-03", "GL-02", "POST-01")})
    for cast, number in ((few, 1), (many, 3)):
        with django_assert_num_queries(3):
            assert len(waiting_in(cast.migration, MONDAY)) == number


def test_tasks_of_another_migration_hold_nothing_up():
    version = cast_with(after={"CUT-03": [("CUT-02",)]}).migration.plan_version
    first, second = make_cast(plan_version=version), make_cast(plan_version=version)
    tick(first, "CUT-02")
    found = waiting([first.task("CUT-03"), second.task("CUT-03")], MONDAY)
    assert list(found) == [second.task("CUT-03").pk]


def test_a_migration_starts_with_what_waits_due_after_what_it_waits_for():
    cast = cast_with(after={"CUT-02": [("POST-01", 3, "days")]})
    assert due_on(cast, "CUT-02") == due_on(cast, "POST-01") + 3 * DAY


def test_a_date_by_hand_moves_what_comes_after_and_only_as_far_as_it_has_to():
    cast = cast_with(after=CHAIN)
    before = due_on(cast, "POST-01")
    far = due_on(cast, "GL-02") + 10 * DAY
    pin(cast, "CUT-02", far)
    assert [due_on(cast, code) for code in ("CUT-02", "CUT-03", "GL-02")] == [
        far,
        far,
        far + 2 * DAY,
    ]
    assert due_on(cast, "POST-01") == before
    pin(cast, "CUT-02", far - 100 * DAY)
    assert due_on(cast, "CUT-03") < far
    assert cast.events("CUT-02") == ["task.due_moved", "task.due_moved"]


def test_a_date_by_hand_asks_before_others_move_and_again_when_they_change():
    cast = cast_with(after=CHAIN)
    far = due_on(cast, "GL-02") + 10 * DAY
    with pytest.raises(MovesOthers, match="2 tasks come after CUT-02") as asked:
        pin(cast, "CUT-02", far, agreed="")
    assert due_on(cast, "CUT-02") != far
    tick(cast, "CUT-02")  # its turn to be done, and undone: nothing of the moves changes
    task = cast.task("CUT-02")
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    pin(cast, "GL-02", far + 30 * DAY)
    with pytest.raises(MovesOthers, match="1 task comes after CUT-02") as again:
        pin(cast, "CUT-02", far, agreed=asked.value.mark)
    pin(cast, "CUT-02", far, agreed=again.value.mark)
    assert due_on(cast, "CUT-03") == far
    assert due_on(cast, "GL-02") == far + 30 * DAY


def test_planning_again_moves_what_follows_even_from_another_date():
    cast = cast_with(after={"CUT-03": [("GL-02", 1, "days")]})
    to = GO_LIVE_AT + 7 * DAY
    plan = preview_replan(migration=cast.migration, key="GL", to=Moment.of_instant(to), at=MONDAY)
    moved = {m.task.code: m.after.on for m in plan.tasks}
    assert moved["CUT-03"] == moved["GL-02"] + DAY
    steps.replan(cast, "GL", to, at=MONDAY)
    assert due_on(cast, "CUT-03") == due_on(cast, "GL-02") + DAY


def test_a_recorded_date_moves_what_follows():
    cast = cast_with(after={"POST-01": [("GL-02", 20, "days")]})
    steps.go_live(cast, GO_LIVE_AT - 61 * HOUR, GO_LIVE_AT + 5 * DAY)
    assert due_on(cast, "POST-01") == due_on(cast, "GL-02") + 20 * DAY


def test_what_was_done_early_counts_from_when_it_was_done():
    cast = cast_with(after={"CUT-03": [("GL-02",)]})
    own = due_on(cast, "CUT-02")
    tick(cast, "GL-02")
    steps.replan(cast, "GL", GO_LIVE_AT - 7 * DAY, at=MONDAY)
    assert due_on(cast, "CUT-03") < own


def test_what_is_to_do_again_is_due_after_what_it_waits_for():
    cast = cast_with(after={"CUT-03": [("CUT-02",)]})
    far = due_on(cast, "CUT-03") + 30 * DAY
    tick(cast, "CUT-02")
    tick(cast, "CUT-03")
    task = cast.task("CUT-02")
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    pin(cast, "CUT-02", far)
    task = cast.task("CUT-03")
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    assert due_on(cast, "CUT-03") == far
