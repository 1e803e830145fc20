"""What people do with tasks: each act, its refusals, and what it leaves behind."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from practices.accounts.roles import Role
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
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


def test_notes_are_added_once(cast):
    for words in ("Called them", "Called them", "Called again"):
        services.add_note(task=cast.task("GL-02"), body=words, by=cast.manager, at=MONDAY)
    with pytest.raises(Refused, match="Enter a note"):
        services.add_note(task=cast.task("GL-02"), body=" \n", by=cast.manager, at=MONDAY)
    assert [str(note.text) for note in cast.task("GL-02").notes.all()] == [
        "Called them",
        "Called again",
    ]


def test_events_hold_no_words_of_people(cast):
    services.add_note(task=cast.task("GL-02"), body="Secret words", by=cast.manager, at=MONDAY)
    services.block_task(task=cast.task("GL-02"), reason="Secret words", by=cast.manager, at=MONDAY)
    for event in Event.objects.of(cast.migration.stream):
        assert "Secret" not in str(event.data)
        assert "Alice" not in str(event.data)


def test_evidence_is_a_link_or_a_file_and_leaves_a_trace(cast):
    task = cast.task("GL-02")
    link = services.add_evidence(task=task, link="https://a.test/x", by=cast.manager, at=MONDAY)
    again = services.add_evidence(task=task, link="https://a.test/x", by=cast.manager, at=MONDAY)
    assert link == again
    upload = SimpleUploadedFile("list.csv", b"date,count\n2027-01-01,20\n")
    file = services.add_evidence(task=task, upload=upload, by=cast.manager, at=MONDAY)
    assert file.file.media_type == "text/csv"
    services.remove_evidence(evidence=link, by=cast.manager, at=LATER)
    services.remove_evidence(evidence=link, by=cast.manager, at=LATER)
    assert cast.events("GL-02") == [
        "task.evidence_added",
        "task.evidence_added",
        "task.evidence_removed",
    ]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        "ftp://a.test/",
        "a.test",
        "https://alice:secret@a.test/",
        "https://alice@a.test/x",
    ],
)
def test_what_is_no_web_address_is_no_evidence(cast, link):
    with pytest.raises(Refused, match="web address"):
        services.add_evidence(task=cast.task("GL-02"), link=link, by=cast.manager, at=MONDAY)


def test_a_file_that_lies_about_its_kind_is_refused_and_nothing_is_kept(cast):
    upload = SimpleUploadedFile("photo.png", b"MZ\x90\x00 not a picture")
    with pytest.raises(Refused):
        services.add_evidence(task=cast.task("GL-02"), upload=upload, by=cast.manager, at=MONDAY)
    assert cast.events("GL-02") == []


def test_a_file_larger_than_the_setting_is_refused(cast, settings):
    settings.EVIDENCE_MAX_MB = 1
    upload = SimpleUploadedFile("receipt.txt", b"received in full\n" * 70_000)
    with pytest.raises(Refused, match="1 MB"):
        services.add_evidence(task=cast.task("GL-02"), upload=upload, by=cast.manager, at=MONDAY)


@pytest.fixture
def add(cast):
    def add(title="Move the fish tank", **changes):
        fields = {
            "guidance": "",
            "owner": "practice_manager",
            "due_on": date(2027, 3, 1),
            "assignee": None,
            **changes,
        }
        phase = cast.migration.phases.get(key="go_live")
        return services.add_task(phase=phase, title=title, by=cast.manager, at=MONDAY, **fields)

    return add


def test_a_task_of_ones_own_is_counted_and_keeps_its_date(cast, add):
    task = add(guidance="Two people.")
    assert (task.code, task.pinned, task.mandatory) == ("OWN-01", True, True)
    assert task.due_at == end_of_london_day(date(2027, 3, 1))
    assert add("Move the plants").code == "OWN-02"
    assert_sound(cast.migration)


def test_words_that_show_nothing_are_no_words(cast, add, tick):
    nothing = "\u202e \x00\u2069"
    task, who = cast.task("GL-02"), {"by": cast.manager, "at": MONDAY}
    for act in (services.set_task_aside, services.block_task):
        with pytest.raises(Refused, match="Enter a reason"):
            act(task=task, reason=nothing, **who)
    with pytest.raises(Refused, match="Enter a note"):
        services.add_note(task=task, body=nothing, **who)
    with pytest.raises(Refused, match="Enter what is to be done"):
        add(title=nothing)
    assert add(guidance=nothing).own_guidance is None
    tick("GL-02")
    task = cast.task("GL-02")
    services.reopen_task(task=task, seen_version=task.version, reason=nothing, **who)
    assert cast.task("GL-02").reason is None


def test_the_same_task_is_not_added_twice_while_it_is_to_do(cast, add, tick):
    add()
    with pytest.raises(Refused, match="as OWN-01"):
        add()
    tick("OWN-01")
    assert add().code == "OWN-02"


def test_a_code_the_plan_uses_is_left_to_the_plan(cast, add):
    Task.objects.filter(migration=cast.migration, code="GL-02").update(code="OWN-01")
    assert add().code == "OWN-02"


def test_a_stranger_is_not_given_a_new_task(cast, add):
    with pytest.raises(Refused, match="no part"):
        add(assignee=cast.stranger)


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
