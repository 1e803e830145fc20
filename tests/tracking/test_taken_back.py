"""What an act takes along: an aborted cut-over, an added task, a stale page, a person who left."""

from datetime import date, timedelta

import pytest

from practices.accounts.models import Membership
from practices.accounts.roles import Role
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.tracking import sentences, services
from practices.tracking.models import Gate, Migration, Task
from practices.tracking.services import ContactDetails
from practices.tracking.services.contacts import contact_mark
from practices.tracking.services.gates import covered_tasks, still_open
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_practice

from .cast import assert_sound, make_cast
from .steps import YEARS_LATER, clear, gate_of, key_date, record, replan, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def newest(cast, kind: str) -> sentences.Line:
    event = Event.objects.of(cast.migration.stream).filter(kind=kind).latest("seq")
    return sentences.lines(cast.migration, [event])[0]


def add_task(cast, title: str = "Ask for failed prescriptions", due_on: date | None = None) -> Task:
    covered = covered_tasks(gate_of(cast)).first()
    return services.add_task(
        phase=covered.phase,
        title=title,
        guidance="",
        owner="practice_staff",
        due_on=due_on or key_date(cast, "GL").planned_on - timedelta(days=1),
        assignee=None,
        by=cast.manager,
        at=MONDAY,
    )


class TestAnAbortedCutOver:
    def test_a_signature_about_its_data_counts_no_more(self, cast):
        record(cast, "FDP", FDP_AT)
        sign(cast)
        clear(cast, "FDP")
        assert gate_of(cast).state == Gate.State.WAITING
        record(cast, "FDP", FDP_AT + timedelta(days=14))
        with pytest.raises(Refused, match="Go-live data"):
            record(cast, "GL", GO_LIVE_AT + timedelta(days=14))
        assert_sound(cast.migration)

    def test_nor_does_going_ahead_without(self, cast):
        record(cast, "FDP", FDP_AT)
        bypass = services.record_bypass(
            gate=gate_of(cast), reason="In a hurry", by=cast.project_manager, at=YEARS_LATER
        )
        services.confirm_bypass(bypass=bypass, by=cast.manager, at=YEARS_LATER)
        clear(cast, "FDP")
        assert gate_of(cast).state == Gate.State.WAITING
        assert gate_of(cast).bypasses.count() == 1

    def test_final_data_production_is_planned_from_where_go_live_is_now(self, cast):
        record(cast, "FDP", FDP_AT)
        later = GO_LIVE_AT + timedelta(days=2)
        replan(cast, "GL", later, at=FDP_AT + timedelta(hours=1))
        clear(cast, "FDP")
        assert key_date(cast, "FDP").planned_at == FDP_AT + timedelta(days=2)

    def test_history_can_tell_a_plan_that_moved_only_what_hangs_on_it(self, cast):
        replan(cast, "GL", GO_LIVE_AT + timedelta(days=2), at=MONDAY)
        event = Event.objects.of(cast.migration.stream).get(kind="dates.replanned")
        event.data = {**event.data, "dates": {}}
        line = sentences.lines(cast.migration, [event])[0]
        assert (line.before, line.after) == ("", "")


class TestAnAddedTask:
    def test_it_is_part_of_what_is_signed(self, cast):
        task = add_task(cast)
        assert task.code in [item.key for item in still_open(gate_of(cast))]

    def test_it_is_not_when_it_is_due_after_what_is_blocked(self, cast):
        task = add_task(cast, due_on=key_date(cast, "GL").planned_on + timedelta(days=1))
        assert task.code not in [item.key for item in still_open(gate_of(cast))]

    def test_reopening_it_withdraws_the_signature(self, cast):
        record(cast, "FDP", FDP_AT)
        task = add_task(cast)
        services.tick_task(task=task, by=cast.manager, at=MONDAY)
        sign(cast)
        services.reopen_task(
            task=task,
            seen_version=cast.task(task.code).version,
            reason="Not asked after all",
            by=cast.manager,
            at=YEARS_LATER,
        )
        assert gate_of(cast).state == Gate.State.WAITING


class TestAStalePage:
    def test_a_tick_does_not_undo_what_was_set_aside(self, cast):
        services.set_task_aside(
            task=cast.task("CUT-02"), reason="Not here", by=cast.manager, at=MONDAY
        )
        with pytest.raises(Refused, match="was set aside by Alice Manager"):
            services.tick_task(task=cast.task("CUT-02"), by=cast.staff, at=MONDAY)
        assert cast.task("CUT-02").state == Task.State.NOT_APPLICABLE

    def test_an_assignment_does_not_replace_one_it_did_not_see(self, cast):
        task = cast.task("CUT-02")
        services.assign_task(
            task=task, assignee=cast.staff, seen_version=task.version, by=cast.manager, at=MONDAY
        )
        with pytest.raises(Conflict, match="it is now with Bob Reception"):
            services.assign_task(
                task=task,
                assignee=cast.clinician,
                seen_version=task.version,
                by=cast.manager,
                at=MONDAY,
            )


def test_a_project_manager_who_moved_on_sees_it_no_more(cast):
    elsewhere = make_practice().organisation
    person = cast.project_manager
    Membership.objects.filter(person=person).update(
        valid_to=date(2020, 1, 1), valid_from="2019-01-01"
    )
    Membership.objects.create(
        person=person, organisation=elsewhere, role=Role.PROJECT_MANAGER, valid_from="2019-01-01"
    )
    person.__dict__.pop("current_memberships", None)
    assert not Migration.objects.visible_to(person).exists()
    assert not cast.migration.permissions_of(person)


def test_history_names_the_seat_of_the_gate_that_was_signed(cast):
    sign(cast)
    assert newest(cast, "gate.signed").said.endswith("as the practice")


def test_a_changed_contact_shows_before_and_after(cast):
    first = ContactDetails(role="target_supplier", name="Sam Supplier", telephone="01632 960001")
    contact = services.add_contact(
        migration=cast.migration, details=first, by=cast.manager, at=MONDAY
    )
    second = ContactDetails(role="target_supplier", name="Sam Supplier", telephone="01632 960002")
    services.change_contact(
        contact=contact, details=second, seen=contact_mark(contact), by=cast.manager, at=MONDAY
    )
    line = newest(cast, "contact.changed")
    assert "01632 960001" in str(line.before)
    assert "01632 960002" in str(line.after)


def test_a_year_mistyped_is_asked_about_before_anybody_is_told(cast):
    with pytest.raises(Refused, match="more than half a year before the planned"):
        record(cast, "FDP", FDP_AT.replace(year=FDP_AT.year - 1))
    assert not cast.migration.clock_runs.exists()
