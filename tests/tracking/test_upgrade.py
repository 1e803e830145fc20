"""Moving a migration to another version of its plan: what comes, goes and stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.plans.rules import ConditionNode, KeyDateNode
from practices.tracking import services
from practices.tracking.models import ClockRun, Gate, Migration, Task
from practices.tracking.sentences import lines
from practices.tracking.services.gates import covered_tasks, still_open
from practices.tracking.services.upgrading import preview_upgrade, undo_upgrade
from tests.common.history_world import findings
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_plan_version

from .cast import assert_sound, make_cast
from .dependent import tick
from .steps import record, replan, sign
from .versions import (
    adding,
    next_version,
    state_of,
    upgrade,
    with_clock,
    with_gate,
    with_key_date,
    with_part,
    with_task,
    without,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def plan_of(cast):
    return cast.migration.plan_version


def run_of(cast, key: str) -> ClockRun:
    return cast.migration.clock_runs.counting().get(key=key)


def test_a_new_task_comes_and_an_untouched_one_goes(cast):
    version = next_version(plan_of(cast), adding("go_live", "GL-03"), without("POST-01"))
    item = upgrade(cast, version)
    codes = set(cast.migration.tasks.values_list("code", flat=True))
    assert "GL-03" in codes
    assert "POST-01" not in codes
    assert (item.report["added"], item.report["removed"]) == (["GL-03"], ["POST-01"])
    assert Migration.objects.get(pk=cast.migration.pk).plan_version == version
    assert_sound(cast.migration)


def test_a_new_wording_and_owner_are_taken_over_also_by_what_is_done(cast):
    tick(cast, "CUT-03")
    upgrade(
        cast,
        next_version(
            plan_of(cast), with_task("CUT-03", title="Check all templates", owner="trainer")
        ),
    )
    task = cast.task("CUT-03")
    assert (task.title, task.owner, task.state) == ("Check all templates", "trainer", "done")


@pytest.mark.parametrize("act", ["done", "assigned", "pinned", "noted", "blocked"])
def test_a_removed_task_that_somebody_worked_on_stays_and_says_so(cast, act):
    at = {"by": cast.manager, "at": MONDAY}
    task = cast.task("POST-01")
    match act:
        case "done":
            tick(cast, "POST-01")
        case "assigned":
            services.assign_task(task=task, assignee=cast.staff, **at)
        case "pinned":
            services.pin_task(task=task, due_on=MONDAY.date(), seen_version=1, **at)
        case "noted":
            services.add_note(task=task, body="Half of it is typed.", **at)
        case "blocked":
            services.block_task(task=task, reason="No staff", **at)
    item = upgrade(cast, next_version(plan_of(cast), without("POST-01")))
    task = cast.task("POST-01")
    assert item.report["kept"] == ["POST-01"]
    assert task.left_plan
    assert not task.is_overdue(MONDAY + timedelta(days=999))
    assert "POST-01" not in Task.objects.overdue(MONDAY + timedelta(days=999)).values_list(
        "code", flat=True
    )
    assert_sound(cast.migration)


def test_what_left_the_plan_comes_back_with_a_version_that_has_it(cast):
    first = plan_of(cast)
    tick(cast, "POST-01")
    second = next_version(first, without("POST-01"))
    upgrade(cast, second)
    third = next_version(second, adding("post_go_live", "POST-01", title="Type it in"))
    assert upgrade(cast, third).report["back"] == ["POST-01"]
    task = cast.task("POST-01")
    assert (task.left_plan, task.title, task.state) == (False, "Type it in", "done")


def test_open_tasks_are_dated_anew_and_pinned_and_done_ones_stay(cast):
    tick(cast, "GL-02")
    before = {task.code: task.due_at for task in cast.migration.tasks.all()}
    services.pin_task(
        task=cast.task("POST-01"), due_on=MONDAY.date(), seen_version=1, by=cast.manager, at=MONDAY
    )
    pinned = cast.task("POST-01").due_at
    version = next_version(
        plan_of(cast),
        with_task("CUT-03", offset=2),
        with_task("GL-02", offset=9),
        with_task("POST-01", offset=20),
    )
    item = upgrade(cast, version)
    assert cast.task("CUT-03").due_at == before["CUT-03"] + timedelta(days=1)
    assert cast.task("GL-02").due_at == before["GL-02"]
    assert cast.task("POST-01").due_at == pinned
    assert set(item.report["due"]) == {"CUT-03"}


def test_own_tasks_stay(cast):
    services.add_task(
        phase=cast.migration.phases.get(key="go_live"),
        title="Bring a cake",
        guidance="",
        owner="practice_manager",
        due_on=GO_LIVE_AT.date(),
        assignee=None,
        by=cast.manager,
        at=MONDAY,
    )
    upgrade(cast, next_version(plan_of(cast), adding("go_live", "GL-03")))
    assert cast.task("OWN-01").title == "Bring a cake"
    assert not cast.task("OWN-01").left_plan


def test_a_date_by_hand_stays_and_one_by_the_plan_follows_it(cast):
    kick_off = cast.migration.key_dates.get(key="KO")
    final = cast.migration.key_dates.get(key="FDP")  # planned by hand, half an hour off
    upgrade(
        cast,
        next_version(
            plan_of(cast), with_key_date("KO", offset=-80), with_key_date("FDP", offset=-70)
        ),
    )
    assert cast.migration.key_dates.get(key="KO").planned_on == kick_off.planned_on - timedelta(10)
    assert cast.migration.key_dates.get(key="FDP").planned_at == final.planned_at


def test_what_has_happened_stays_and_new_dates_come(cast):
    record(cast, "FDP", FDP_AT)
    version = next_version(
        plan_of(cast),
        with_part(
            "key_dates",
            KeyDateNode("REV", "Review", "day", offset=30, unit="days"),
        ),
    )
    upgrade(cast, version)
    assert cast.migration.key_dates.get(key="FDP").actual_at == FDP_AT
    new = cast.migration.key_dates.get(key="REV")
    assert new.planned_on == GO_LIVE_AT.date() + timedelta(days=30)


def test_ninety_days_are_counted_anew_for_a_clock_that_runs(cast):
    record(cast, "FDP", FDP_AT)
    sign(cast)
    record(cast, "GL", GO_LIVE_AT)
    upgrade(cast, next_version(plan_of(cast), with_clock("access", limit=90)))
    run = run_of(cast, "access")
    assert (run.limit, run.attempt) == (90, 2)
    assert run.ends_on == GO_LIVE_AT.date() + timedelta(days=90)
    assert cast.migration.key_dates.get(key="EOA").planned_on == run.ends_on
    assert run_of(cast, "cut_over").attempt == 1


def test_a_clock_that_only_warns_otherwise_goes_on(cast):
    record(cast, "FDP", FDP_AT)
    version = next_version(plan_of(cast), with_clock("cut_over", warn_after=(12,)))
    upgrade(cast, version)
    run = run_of(cast, "cut_over")
    assert (run.attempt, run.plan_clock.version, run.plan_clock.warn_after) == (1, version, [12])


def test_a_signed_gate_keeps_its_statement_and_new_tasks_under_it_are_left_out(cast):
    record(cast, "FDP", FDP_AT)
    signature = sign(cast)
    version = next_version(
        plan_of(cast),
        with_gate("go_live_data", statement="All of it, and more."),
        adding("cut_over", "CUT-09", anchor="FDP", offset=1, unit="hours"),
    )
    item = upgrade(cast, version)
    gate = cast.migration.gates.get(key="go_live_data")
    assert item.report["left_out"] == {"CUT-09": "go_live_data"}
    assert gate.state == Gate.State.SIGNED
    assert gate.plan_gate.statement == signature.snapshot["statement"]
    assert {task.code for task in covered_tasks(gate)} == {"CUT-02", "CUT-03"}
    assert cast.task("CUT-04").seat == signature.seat
    assert_sound(cast.migration)


def test_a_signed_phase_reopens_when_asked(cast):
    record(cast, "FDP", FDP_AT)
    sign(cast)
    version = next_version(
        plan_of(cast), adding("cut_over", "CUT-09", anchor="FDP", offset=1, unit="hours")
    )
    item = upgrade(cast, version, reopen=True)
    gate = cast.migration.gates.get(key="go_live_data")
    assert (item.report["reopened"], item.report["added"]) == (["go_live_data"], ["CUT-09"])
    assert (gate.state, gate.round) == (Gate.State.WAITING, 2)
    assert "CUT-09" in {one.code for one in still_open(gate)}
    assert cast.task("CUT-04").state == "open"
    with pytest.raises(Refused, match="only those who signed"):
        undo_upgrade(item=item, by=cast.project_manager, at=MONDAY)
    assert_sound(cast.migration)


def test_a_gate_that_is_withdrawn_later_takes_up_the_plan_of_today(cast):
    record(cast, "FDP", FDP_AT)
    sign(cast)
    version = next_version(
        plan_of(cast),
        with_gate("go_live_data", statement="All of it, and more."),
        adding("cut_over", "CUT-09", anchor="FDP", offset=1, unit="hours"),
    )
    upgrade(cast, version)
    gate = cast.migration.gates.get(key="go_live_data")
    services.withdraw_sign_off(gate=gate, reason="Data is missing", by=cast.manager, at=MONDAY)
    gate.refresh_from_db()
    assert gate.plan_gate.version == version
    assert "CUT-09" in {task.code for task in covered_tasks(gate)}
    assert cast.task("CUT-04").seat.gate.version == version
    assert_sound(cast.migration)
    # With today's plan, what it speaks for can be signed again.
    sign(cast)


def test_a_gate_that_left_the_plan_holds_nothing_up(cast):
    version = next_version(
        plan_of(cast), lambda tree: replace(tree, gates=()), with_task("CUT-04", gate="", seat="")
    )
    record(cast, "FDP", FDP_AT)
    gate = sign(cast).gate
    services.withdraw_sign_off(gate=gate, reason="A letter", by=cast.manager, at=MONDAY)
    upgrade(cast, version)
    gate = cast.migration.gates.get()
    assert gate.left_plan
    assert services.gates.seats_for(gate, cast.manager) == []
    record(cast, "GL", GO_LIVE_AT)


def test_conditions_of_the_version_are_asked_and_set_tasks_aside(cast):
    name = cast.migration.source_system.name
    version = next_version(
        plan_of(cast),
        with_part(
            "conditions",
            ConditionNode("old", "From this system", "Is it the old one?", "source", name),
        ),
        with_task("POST-01", applies_if=("not:old",)),
    )
    upgrade(cast, version)
    assert cast.migration.conditions.get(key="old").answer is True
    assert (cast.task("POST-01").state, cast.task("POST-01").fell_away) == ("not_applicable", True)
    assert_sound(cast.migration)


def test_the_history_says_what_came_and_went(cast):
    upgrade(cast, next_version(plan_of(cast), adding("go_live", "GL-03"), without("POST-01")))
    event = Event.objects.of(cast.migration.stream).newest_first()[0]
    (line,) = lines(Migration.objects.get(pk=cast.migration.pk), [event])
    assert line.said == (
        "Moved the migration from version 1 of its plan to version 2; new: GL-03; removed: POST-01"
    )


def test_another_plan_an_older_version_and_the_same_are_refused(cast):
    old = plan_of(cast)
    with pytest.raises(Refused, match="another plan"):
        preview_upgrade(cast.migration, make_plan_version())
    with pytest.raises(Refused, match="has version 1 already"):
        preview_upgrade(cast.migration, old)
    upgrade(cast, next_version(old, without("POST-01")))
    with pytest.raises(Refused, match="older versions"):
        preview_upgrade(cast.migration, old)


def test_what_changed_since_the_preview_is_shown_again(cast):
    version = next_version(plan_of(cast), without("POST-01"))
    seen = preview_upgrade(cast.migration, version).mark
    tick(cast, "POST-01")
    with pytest.raises(Conflict, match="changed since you looked"):
        upgrade(cast, version, seen=seen)


CHAINS = [
    ((adding("go_live", "A-1"),), (without("A-1"),)),
    ((without("POST-01"),), (adding("go_live", "POST-01"),)),
    ((with_task("CUT-03", offset=5, owner="trainer"),), (with_task("CUT-03", offset=2),)),
    ((with_key_date("KO", offset=-90),), (with_key_date("KO", offset=-60),)),
    ((with_clock("access", limit=60),), (with_clock("access", limit=90),)),
    (
        (with_part("key_dates", KeyDateNode("REV", "Review", "day", offset=30, unit="days")),),
        (lambda tree: replace(tree, key_dates=tree.key_dates[:-1]), adding("go_live", "A-2")),
    ),
    (
        (lambda t: replace(t, phases=tuple(reversed(t.phases))), adding("cut_over", "A-1")),
        (without("A-1", "CUT-03"), with_gate("go_live_data", statement="Otherwise")),
    ),
    (
        (with_part("conditions", ConditionNode("mesh", "MESH moves", "Does it move?")),),
        (lambda tree: replace(tree, conditions=()), with_task("POST-01", after=())),
    ),
]


@pytest.mark.parametrize("steps", CHAINS)
def test_going_by_way_of_a_version_comes_to_the_same_as_going_straight(steps):
    first = make_plan_version()
    straight, by_way = make_cast(plan_version=first), make_cast(plan_version=first)
    second = next_version(first, *steps[0])
    upgrade(by_way, second)
    third = next_version(second, *steps[1])
    upgrade(by_way, third)
    upgrade(straight, third)
    assert state_of(by_way.migration) == state_of(straight.migration)
    assert_sound(by_way.migration)


@pytest.mark.parametrize("steps", CHAINS)
def test_undoing_brings_back_every_row(steps):
    cast = make_cast()
    record(cast, "FDP", FDP_AT)
    tick(cast, "POST-01")
    before = state_of(cast.migration)
    item = upgrade(cast, next_version(plan_of(cast), *steps[0]))
    undo_upgrade(item=item, by=cast.project_manager, at=MONDAY)
    assert state_of(cast.migration) == before
    assert undo_upgrade(item=item, by=cast.project_manager, at=MONDAY).state == "undone"
    assert_sound(cast.migration)


def test_a_replanned_migration_follows_its_own_go_live(cast):
    replan(cast, "GL", GO_LIVE_AT + timedelta(days=7), at=MONDAY)
    before = cast.task("GL-02").due_at
    upgrade(cast, next_version(plan_of(cast), adding("go_live", "GL-03", offset=0)))
    assert cast.task("GL-02").due_at == before
    assert cast.task("GL-03").due_on == GO_LIVE_AT.date() + timedelta(days=7)


def test_work_since_forbids_to_undo_it_and_is_named(cast):
    item = upgrade(cast, next_version(plan_of(cast), adding("go_live", "GL-03")))
    tick(cast, "GL-03")
    with pytest.raises(Conflict, match=r"Alice Manager, .*: Did GL-03"):
        undo_upgrade(item=item, by=cast.project_manager, at=MONDAY)
    assert cast.task("GL-03").state == "done"


def test_the_history_of_what_was_moved_and_taken_back_is_proved(cast):
    tick(cast, "POST-01")
    version = next_version(plan_of(cast), adding("go_live", "GL-03"), without("POST-01", "CUT-03"))
    item = upgrade(cast, version)
    assert findings() == []
    undo_upgrade(item=item, by=cast.project_manager, at=MONDAY)
    assert findings() == []
