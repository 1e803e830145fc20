"""What people do with tasks: each act, its refusals, and what it leaves behind."""

from datetime import date, timedelta

import pytest

from practices.accounts.roles import Role
from practices.common.errors import Conflict, Refused
from practices.common.time import end_of_london_day
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.models import Gate, Task
from practices.tracking.services.gates import seen_mark, still_open
from practices.tracking.services.tasks import SignedOver
from tests.factories import MONDAY, make_person, make_practice

from .cast import assert_sound, make_cast

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)
State = Task.State


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def tick(cast):
    def tick(code, by=None, at=MONDAY):
        return services.tick_task(task=cast.task(code), by=by or cast.manager, at=at)

    return tick


@pytest.fixture
def sign(cast):
    """The go-live data are signed off, whatever is still open."""

    def sign(at=MONDAY):
        gate = cast.migration.gates.select_related("plan_gate").get(key="go_live_data")
        open_items = still_open(gate)
        return services.sign_off(
            gate=gate,
            seat=gate.plan_gate.seats.get(),
            name=cast.manager.name,
            seen=seen_mark(gate, open_items),
            exceptions={item.key: "accepted" for item in open_items},
            by=cast.manager,
            at=at,
        )

    return sign


def test_a_tick_says_who_and_when_and_counts(cast, tick):
    settled = tick("GL-02")
    assert settled.changed
    task = cast.task("GL-02")
    assert (task.state, task.settled_by, task.settled_at) == (State.DONE, cast.manager, MONDAY)
    cast.migration.refresh_from_db()
    assert (cast.migration.done_count, cast.migration.open_count) == (1, 7)
    assert cast.migration.phases.get(key="go_live").done_count == 1
    assert_sound(cast.migration)


def test_ticking_a_done_task_changes_nothing_and_knows_who_did_it(cast, tick):
    tick("GL-02")
    again = tick("GL-02", by=cast.project_manager, at=LATER)
    assert not again.changed
    assert (again.task.settled_by, again.task.settled_at) == (cast.manager, MONDAY)
    assert cast.events("GL-02") == ["task.done"]
    assert_sound(cast.migration)


@pytest.mark.parametrize(
    ("code", "sentence"), [("GL-01", "records a date"), ("CUT-04", "is a sign-off")]
)
def test_a_task_that_is_another_act_is_not_ticked(cast, tick, code, sentence):
    with pytest.raises(Refused, match=sentence):
        tick(code)
    assert cast.events(code) == []


def test_several_are_ticked_in_one_act_and_the_refused_ones_named(cast, tick):
    tick("GL-02", by=cast.project_manager)
    result = services.tick_tasks(
        migration=cast.migration,
        tasks=[cast.task(code) for code in ("CUT-02", "CUT-03", "GL-01", "GL-02")],
        by=cast.manager,
        at=LATER,
    )
    assert [task.code for task in result.ticked] == ["CUT-02", "CUT-03"]
    assert [task.code for task in result.already] == ["GL-02"]
    assert [(task.code, "records a date" in why) for task, why in result.refused] == [
        ("GL-01", True)
    ]
    assert_sound(cast.migration)


def test_a_task_of_another_migration_is_not_ticked_along(cast):
    other = make_cast()
    services.tick_tasks(
        migration=cast.migration, tasks=[other.task("GL-02")], by=cast.manager, at=MONDAY
    )
    assert other.task("GL-02").state == State.OPEN


def test_a_tick_is_undone_by_whoever_saw_it(cast, tick):
    tick("GL-02")
    seen = cast.task("GL-02").version
    task = cast.task("GL-02")
    assert services.reopen_task(task=task, seen_version=seen, by=cast.manager, at=LATER).changed
    task = cast.task("GL-02")
    assert (task.state, task.settled_by, task.settled_at) == (State.OPEN, None, None)
    assert_sound(cast.migration)


def test_reopening_what_is_to_do_changes_nothing(cast):
    task = cast.task("GL-02")
    again = services.reopen_task(task=task, seen_version=99, by=cast.manager, at=MONDAY)
    assert not again.changed
    assert cast.events("GL-02") == []


def test_a_task_that_changed_since_is_not_reopened(cast, tick):
    tick("GL-02")
    seen = cast.task("GL-02").version
    services.reopen_task(task=cast.task("GL-02"), seen_version=seen, by=cast.manager, at=MONDAY)
    tick("GL-02", by=cast.project_manager, at=LATER)
    with pytest.raises(Conflict, match=cast.project_manager.name):
        services.reopen_task(task=cast.task("GL-02"), seen_version=seen, by=cast.manager, at=LATER)
    assert cast.task("GL-02").state == State.DONE


def test_a_date_and_a_signature_are_not_undone_by_reopening_their_task(cast, sign):
    services.record_actual(
        migration=cast.migration,
        key="FDP",
        when=Moment.of_instant(MONDAY),
        by=cast.manager,
        at=MONDAY,
    )
    sign()
    for code, sentence in (("CUT-01", "key dates page"), ("CUT-04", "sign-off page")):
        task = cast.task(code)
        assert task.state == State.DONE
        with pytest.raises(Refused, match=sentence):
            services.reopen_task(
                task=task, seen_version=task.version, reason="no", by=cast.manager, at=LATER
            )


class TestUnderASignOff:
    def test_reopening_asks_for_a_reason(self, cast, tick, sign):
        tick("CUT-02")
        sign()
        task = cast.task("CUT-02")
        with pytest.raises(SignedOver, match="Go-live data") as refusal:
            services.reopen_task(
                task=task, seen_version=task.version, reason="  ", by=cast.manager, at=LATER
            )
        assert [gate.key for gate in refusal.value.gates] == ["go_live_data"]
        assert cast.task("CUT-02").state == State.DONE

    def test_reopening_with_a_reason_withdraws_the_sign_off_in_the_same_act(self, cast, tick, sign):
        tick("CUT-02")
        signature = sign()
        task = cast.task("CUT-02")
        services.reopen_task(
            task=task,
            seen_version=task.version,
            reason="Found a gap",
            by=cast.manager,
            at=LATER,
        )
        gate = Gate.objects.get(pk=signature.gate_id)
        assert (gate.state, gate.round) == (Gate.State.WAITING, 2)
        assert gate.withdrawals.get().reason.body == "Found a gap"
        assert gate.sign_offs.get() == signature
        assert cast.task("CUT-04").state == State.OPEN
        assert cast.events()[-3:] == ["gate.withdrawn", "task.reopened", "task.reopened"]
        assert_sound(cast.migration)

    def test_one_signed_seat_of_two_is_a_signature_already(self, cast, tick, sign):
        tick("CUT-02")
        signature = sign()
        Gate.objects.filter(pk=signature.gate_id).update(state=Gate.State.WAITING)
        task = cast.task("CUT-02")
        with pytest.raises(SignedOver):
            services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=LATER)

    def test_a_signature_of_an_earlier_round_asks_nothing(self, cast, tick, sign):
        tick("CUT-02")
        signature = sign()
        services.withdraw_sign_off(gate=signature.gate, reason="wrong", by=cast.manager, at=LATER)
        task = cast.task("CUT-02")
        assert services.reopen_task(
            task=task, seen_version=task.version, by=cast.manager, at=LATER
        ).changed

    def test_setting_aside_does_not_slip_past_it(self, cast, sign):
        services.set_task_aside(
            task=cast.task("CUT-03"), reason="not here", by=cast.manager, at=MONDAY
        )
        sign()
        with pytest.raises(Refused, match="Reopen it first"):
            services.block_task(task=cast.task("CUT-03"), reason="waits", by=cast.manager, at=LATER)
        task = cast.task("CUT-03")
        with pytest.raises(SignedOver):
            services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=LATER)

    def test_what_was_signed_as_blocked_is_reopened_freely(self, cast, sign):
        services.block_task(task=cast.task("CUT-02"), reason="waits", by=cast.manager, at=MONDAY)
        sign()
        task = cast.task("CUT-02")
        services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=LATER)
        assert Gate.objects.get(migration=cast.migration).state == Gate.State.SIGNED

    def test_the_tick_of_what_was_accepted_as_open_is_undone_freely(self, cast, tick, sign):
        sign()
        tick("CUT-02")
        task = cast.task("CUT-02")
        services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=LATER)
        assert Gate.objects.get(migration=cast.migration).state == Gate.State.SIGNED


def test_not_applicable_needs_a_reason_and_keeps_the_first(cast):
    with pytest.raises(Refused, match="reason"):
        services.set_task_aside(task=cast.task("GL-02"), reason=" ", by=cast.manager, at=MONDAY)
    for reason in ("no dispensary", "another reason"):
        services.set_task_aside(task=cast.task("GL-02"), reason=reason, by=cast.manager, at=MONDAY)
    task = cast.task("GL-02")
    assert (task.state, str(task.reason)) == (State.NOT_APPLICABLE, "no dispensary")
    assert cast.events("GL-02") == ["task.not_applicable"]
    assert_sound(cast.migration)


@pytest.mark.parametrize("code", ["CUT-01", "GL-01", "POST-02", "CUT-04"])
def test_what_later_steps_depend_on_is_never_set_aside(cast, code):
    with pytest.raises(Refused, match="depend on it"):
        services.set_task_aside(task=cast.task(code), reason="no", by=cast.manager, at=MONDAY)


def test_a_done_task_is_neither_set_aside_nor_blocked(cast, tick):
    tick("GL-02")
    for act in (services.set_task_aside, services.block_task):
        with pytest.raises(Refused, match="already done, by Alice Manager"):
            act(task=cast.task("GL-02"), reason="no", by=cast.staff, at=LATER)


def test_blocking_twice_with_the_same_words_is_one_act(cast):
    for words in ("the form", "the form ", "the other form"):
        services.block_task(task=cast.task("GL-02"), reason=words, by=cast.manager, at=MONDAY)
    assert cast.events("GL-02") == ["task.blocked", "task.blocked"]
    assert str(cast.task("GL-02").reason) == "the other form"
    assert_sound(cast.migration)


def test_a_blocked_task_can_be_ticked(cast, tick):
    services.block_task(task=cast.task("GL-02"), reason="waits", by=cast.manager, at=MONDAY)
    tick("GL-02", at=LATER)
    task = cast.task("GL-02")
    assert (task.state, task.reason) == (State.DONE, None)
    assert_sound(cast.migration)


def test_a_task_is_given_to_somebody_with_a_part_in_the_migration(cast):
    services.assign_task(task=cast.task("GL-02"), assignee=cast.staff, by=cast.manager, at=MONDAY)
    services.assign_task(task=cast.task("GL-02"), assignee=cast.staff, by=cast.manager, at=MONDAY)
    assert cast.task("GL-02").assignee == cast.staff
    assert cast.events("GL-02") == ["task.assigned"]
    for nobody_here in (
        cast.stranger,
        cast.national_viewer,
        make_person(Role.PRACTICE_STAFF, cast.migration.practice, is_active=False),
    ):
        with pytest.raises(Refused, match="no part in this migration"):
            services.assign_task(
                task=cast.task("GL-02"), assignee=nobody_here, by=cast.manager, at=MONDAY
            )


def test_a_date_by_hand_pins_the_task(cast):
    task = cast.task("GL-02")
    settled = services.pin_task(
        task=task, due_on=date(2027, 4, 20), seen_version=task.version, by=cast.manager, at=MONDAY
    )
    assert settled.changed
    task = cast.task("GL-02")
    assert (task.pinned, task.due_at) == (True, end_of_london_day(date(2027, 4, 20)))
    again = services.pin_task(
        task=task, due_on=date(2027, 4, 20), seen_version=0, by=cast.manager, at=MONDAY
    )
    assert not again.changed
    with pytest.raises(Conflict, match="Tuesday 20 April 2027"):
        services.pin_task(
            task=task, due_on=date(2027, 4, 21), seen_version=1, by=cast.staff, at=LATER
        )
    assert cast.events("GL-02") == ["task.due_moved"]


def test_a_done_task_gets_no_new_date(cast, tick):
    tick("GL-02")
    task = cast.task("GL-02")
    with pytest.raises(Refused, match="is done"):
        services.pin_task(
            task=task, due_on=date(2027, 5, 1), seen_version=task.version, by=cast.manager, at=LATER
        )


def test_nothing_is_written_when_the_event_cannot_be(cast, tick, monkeypatch):
    def fail(**_):
        raise RuntimeError("no event")

    monkeypatch.setattr("practices.tracking.services._base.record_event", fail)
    with pytest.raises(RuntimeError):
        tick("GL-02")
    assert cast.task("GL-02").state == State.OPEN
    assert_sound(cast.migration)


def test_a_migration_that_is_over_takes_no_act(cast, tick):
    services.cancel_migration(
        migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
    )
    with pytest.raises(Refused, match="is cancelled, so nothing in it can be changed"):
        tick("GL-02", at=LATER)


def test_people_of_another_practice_are_no_help():
    cast, other = make_cast(), make_practice("Other")
    twice = make_person(Role.PRACTICE_MANAGER, other)
    with pytest.raises(Refused):
        services.assign_task(task=cast.task("GL-02"), assignee=twice, by=cast.manager, at=MONDAY)
