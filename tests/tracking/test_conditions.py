"""Conditions of a plan: answered at the start or later, they decide which tasks apply."""

import pytest
from django.db import IntegrityError, transaction

from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.tracking import sentences, services
from practices.tracking.models import Task
from practices.tracking.rules import cannot_hold
from practices.tracking.services.conditions import known_answers
from practices.tracking.services.tasks import SignedOver
from tests.factories import MONDAY, make_system

from . import steps
from .cast import assert_sound
from .dependent import answer, cast_with, plan_with, states, tick

pytestmark = pytest.mark.django_db
PLAN = {
    "conditions": {"dispensing": {}, "mesh": {}},
    "applies": {
        "CUT-02": ["dispensing"],
        "CUT-03": ["dispensing", "mesh"],
        "GL-02": ["not:dispensing"],
    },
}


def last_event(cast):
    return Event.objects.of(cast.migration.stream).newest_first()[0]


def said(cast) -> str:
    [line] = sentences.lines(cast.migration, [last_event(cast)])
    return line.said


@pytest.mark.parametrize(
    ("names", "answers", "fails"),
    [
        (["a"], {}, ""),
        (["a"], {"a": None}, ""),
        (["a"], {"a": False}, "a"),
        (["a"], {"a": True}, ""),
        (["not:a"], {"a": True}, "a"),
        (["not:a"], {"a": False}, ""),
        (["a", "b"], {"a": True, "b": False}, "b"),
        (["a", "not:b"], {"a": True}, ""),
        ([], {"a": False}, ""),
    ],
)
def test_a_task_applies_where_none_of_its_conditions_is_answered_against_it(names, answers, fails):
    assert cannot_hold(names, answers) == fails


def test_what_the_start_knows_sets_tasks_aside_with_the_answer_as_their_reason():
    cast = cast_with(answers={"dispensing": False}, **PLAN)
    assert states(cast, "CUT-02", "CUT-03", "GL-02") == ["not_applicable"] * 2 + ["open"]
    task = cast.task("CUT-02")
    assert str(task.reason) == "Does not apply: dispensing practice (answered no)"
    assert (task.settled_by, task.settled_at) == (cast.project_manager, MONDAY)
    assert said(cast) == "Answered “Is it dispensing?”: no; does not apply: CUT-02 and CUT-03"
    assert_sound(cast.migration)


def test_yes_sets_aside_what_applies_only_where_it_is_not_so():
    cast = cast_with(answers={"dispensing": True}, **PLAN)
    assert states(cast, "CUT-02", "CUT-03", "GL-02") == ["open", "open", "not_applicable"]


def test_nothing_known_leaves_every_task_open():
    cast = cast_with(**PLAN)
    assert states(cast, "CUT-02", "CUT-03", "GL-02") == ["open"] * 3
    assert list(cast.migration.conditions.values_list("key", "answer")) == [
        ("dispensing", None),
        ("mesh", None),
    ]


def test_a_changed_answer_brings_back_exactly_what_the_condition_set_aside():
    cast = cast_with(**PLAN)
    services.set_task_aside(
        task=cast.task("CUT-02"), reason="My own reason", by=cast.manager, at=MONDAY
    )
    first = answer(cast, "dispensing", False)
    assert (first.set_aside, first.reopened, first.kept) == (["CUT-03"], [], ["CUT-02"])
    second = answer(cast, "dispensing", True, seen=False)
    assert (second.set_aside, second.reopened) == (["GL-02"], ["CUT-03"])
    assert states(cast, "CUT-02", "CUT-03", "GL-02") == [
        "not_applicable",
        "open",
        "not_applicable",
    ]
    assert str(cast.task("CUT-02").reason) == "My own reason"
    third = answer(cast, "dispensing", None, seen=True)
    assert third.reopened == ["GL-02"]
    assert_sound(cast.migration)


def test_a_task_under_two_conditions_comes_back_only_when_both_may_hold():
    cast = cast_with(**PLAN)
    answer(cast, "dispensing", False)
    answer(cast, "mesh", False)
    assert answer(cast, "dispensing", True, seen=False).reopened == ["CUT-02"]
    assert states(cast, "CUT-03") == ["not_applicable"]
    assert answer(cast, "mesh", True, seen=False).reopened == ["CUT-03"]


def test_what_is_done_stays_done_and_is_named():
    cast = cast_with(**PLAN)
    tick(cast, "CUT-02")
    applied = answer(cast, "dispensing", False)
    assert applied.kept == ["CUT-02"]
    assert states(cast, "CUT-02") == ["done"]


def test_what_later_steps_depend_on_never_falls_away():
    cast = cast_with(
        conditions={"dispensing": {}},
        applies={code: ["dispensing"] for code in ("CUT-01", "CUT-04", "GL-01", "GL-02")},
        answers={"dispensing": False},
    )
    assert states(cast, "CUT-01", "CUT-04", "GL-01", "GL-02") == ["open"] * 3 + ["not_applicable"]


def test_what_falls_away_holds_nothing_up():
    cast = cast_with(
        after={"CUT-03": [("POST-01",)]}, conditions={"mesh": {}}, applies={"POST-01": ["mesh"]}
    )
    late = cast.task("CUT-03").due_at
    answer(cast, "mesh", False)
    tick(cast, "CUT-03")
    other = cast_with(
        after={"CUT-03": [("POST-01",)]},
        conditions={"mesh": {}},
        applies={"POST-01": ["mesh"]},
        answers={"mesh": False},
    )
    assert other.task("CUT-03").due_at < late


def test_a_signature_over_what_comes_back_is_withdrawn_with_a_reason():
    cast = cast_with(**PLAN)
    answer(cast, "dispensing", False)
    steps.sign(cast)
    with pytest.raises(SignedOver):
        answer(cast, "dispensing", True, seen=False)
    assert cast.migration.conditions.get(key="dispensing").answer is False
    answer(cast, "dispensing", True, seen=False, reason="They do dispense")
    gate = steps.gate_of(cast)
    assert (gate.state, gate.round) == ("waiting", 2)
    assert states(cast, "CUT-02", "CUT-03", "CUT-04") == ["open"] * 3
    assert_sound(cast.migration)


def test_the_same_answer_again_changes_nothing_and_a_stale_one_is_a_conflict():
    cast = cast_with(**PLAN)
    answer(cast, "dispensing", False)
    events = cast.events()
    assert not answer(cast, "dispensing", False).changed
    with pytest.raises(Conflict, match="has answered “no”"):
        answer(cast, "dispensing", True)
    assert cast.events() == events


def test_reopening_by_hand_what_fell_away_makes_it_a_task_like_any_other():
    cast = cast_with(answers={"dispensing": False}, **PLAN)
    task = cast.task("CUT-02")
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    assert not cast.task("CUT-02").fell_away
    assert answer(cast, "dispensing", True, seen=False).reopened == ["CUT-03"]


def test_what_comes_back_is_due_as_the_dates_are_now():
    cast = cast_with(answers={"dispensing": True}, **PLAN)
    before = cast.task("GL-02").due_on
    steps.replan(
        cast, "GL", steps.key_date(cast, "GL").planned_at + 14 * steps.hours(24), at=MONDAY
    )
    assert cast.task("GL-02").due_on == before
    answer(cast, "dispensing", False, seen=True)
    assert (cast.task("GL-02").due_on - before).days == 14


def test_the_systems_answer_what_they_are_named_for():
    old, new = make_system(), make_system()
    version = plan_with(
        conditions={
            "old": {"system": "source", "named": old.name.upper()},
            "new": {"system": "target", "named": "Another"},
            "mesh": {},
        }
    )
    assert known_answers(version, source=old, target=new) == {
        "old": True,
        "new": False,
        "mesh": None,
    }


def test_the_preview_counts_what_falls_away():
    version = plan_with(**PLAN)
    preview = services.preview_start(
        plan_version=version,
        go_live_at=MONDAY + steps.hours(24 * 100),
        fdp_at=None,
        answers={"dispensing": False},
        at=MONDAY,
    )
    assert preview.falling_away == 2


def test_a_migration_that_is_over_takes_no_answers():
    cast = cast_with(**PLAN)
    services.cancel_migration(
        migration=cast.migration, reason="Not now", by=cast.project_manager, at=MONDAY
    )
    with pytest.raises(Refused, match="cancelled"):
        answer(cast, "dispensing", False)


def test_the_database_lets_no_task_fall_away_that_is_to_do():
    cast = cast_with(**PLAN)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=cast.task("CUT-02").pk).update(fell_away=True)
