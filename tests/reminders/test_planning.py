"""What the planner adds to the outbox: everything that is due, once, to the right people."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Owner, Role
from practices.reminders import planning
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.planning import outbox
from practices.reminders.queries import overdue_of
from practices.reminders.services import plan_due
from practices.tracking.models import Contact, Migration, Task
from practices.tracking.services import (
    ContactDetails,
    add_contact,
    assign_task,
    cancel_migration,
    clear_actual,
    remove_contact,
    tick_task,
    withdraw_sign_off,
)
from practices.tracking.team import audience
from tests import factories

from .worlds import FDP_AT, HOUR, World, planned, told

MINUTE = timedelta(minutes=1)
QUIET_MORNING = datetime(2027, 2, 2, 8, tzinfo=UTC)  # nothing is due yet


def keys(kind="clock"):
    return {row.dedupe_key.split(":")[2] for row in planned(kind)}


@pytest.mark.django_db
class TestClocks:
    def test_a_warning_is_planned_when_its_minute_comes_and_not_before(self, world):
        world.start_cut_over()
        plan_due(now=FDP_AT + 24 * HOUR - MINUTE)
        assert not planned("clock")
        plan_due(now=FDP_AT + 24 * HOUR)
        assert keys() == {"after-24"}
        assert {row.due_at for row in planned("clock")} == {FDP_AT + 24 * HOUR}

    def test_it_goes_to_those_who_hold_the_roles_that_the_plan_tells(self, world):
        world.start_cut_over()
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.project_manager, world.manager, world.supplier}

    def test_the_commissioner_of_today_is_told_of_the_end_of_access(self, world):
        world.start_cut_over()
        world.go_live(FDP_AT + 60 * HOUR)
        plan_due(now=datetime(2027, 5, 13, 7, tzinfo=UTC))  # 14 days before 27 May, 08:00 BST
        assert told("clock") == {world.project_manager, world.manager, world.buyer}
        assert keys() == {"before-14"}

    def test_planning_again_adds_nothing(self, world):
        world.start_cut_over()
        for _ in range(3):
            plan_due(now=FDP_AT + 24 * HOUR)
        assert len(planned("clock")) == 3

    def test_after_an_outage_only_the_newest_warning_is_planned(self, world):
        world.start_cut_over()
        plan_due(now=FDP_AT + 61 * HOUR)
        assert keys() == {"after-60"}

    def test_a_clock_of_this_machine_that_goes_back_repeats_nothing(self, world):
        world.start_cut_over()
        plan_due(now=FDP_AT + 61 * HOUR)
        plan_due(now=FDP_AT + 59 * HOUR)
        assert keys() == {"after-60"}

    def test_a_stopped_clock_is_not_warned_of(self, world):
        world.start_cut_over()
        world.go_live(FDP_AT + 20 * HOUR)
        plan_due(now=FDP_AT + 24 * HOUR)
        assert not planned("clock")

    def test_an_aborted_cut_over_is_not_warned_of_and_the_next_attempt_is(self, world):
        world.start_cut_over()
        clear_actual(
            migration=world.migration,
            key="FDP",
            reason="The extract failed",
            by=world.project_manager,
            at=FDP_AT + 2 * HOUR,
        )
        plan_due(now=FDP_AT + 24 * HOUR)
        assert not planned("clock")
        again = FDP_AT + 100 * HOUR
        world.start_cut_over(again)
        plan_due(now=again + 24 * HOUR)
        assert keys() == {"after-24"}

    def test_a_migration_that_is_over_is_not_warned_of(self, world):
        world.start_cut_over()
        Migration.objects.update(state="finished", ended_at=FDP_AT)
        plan_due(now=FDP_AT + 24 * HOUR)
        assert not planned("clock")

    def test_people_who_have_left_are_not_told(self, world):
        world.start_cut_over()
        world.manager.memberships.update(valid_to=FDP_AT.date())
        world.supplier.is_active = False
        world.supplier.save()
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.project_manager}

    def test_a_project_manager_who_is_gone_is_not_told(self, world):
        world.start_cut_over()
        world.project_manager.is_active = False
        world.project_manager.save()
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.colleague, world.manager, world.supplier}

    def test_where_the_project_manager_has_left_the_role_their_colleagues_are_told(self, world):
        world.start_cut_over()
        world.project_manager.memberships.update(valid_to=FDP_AT.date())
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.colleague, world.manager, world.supplier}

    def test_a_supplier_without_a_user_is_told_through_its_contact(self, world):
        world.supplier.memberships.update(valid_to=FDP_AT.date())
        for email in ("desk@supplier.test", ""):
            details = ContactDetails(
                "target_supplier", "Desk", telephone="0113 4960000", email=email
            )
            add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)
        world.start_cut_over()
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.project_manager, world.manager, "desk@supplier.test"}

    def test_a_supplier_with_a_user_is_told_through_the_user_only(self, world):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)
        world.start_cut_over()
        plan_due(now=FDP_AT + 24 * HOUR)
        assert told("clock") == {world.project_manager, world.manager, world.supplier}

    def test_a_whole_cut_over_swept_every_six_hours_tells_each_warning_once(self, world):
        run = world.start_cut_over()
        tick = FDP_AT
        seen: dict[str, datetime] = {}
        while tick <= FDP_AT + 80 * HOUR:
            plan_due(now=tick)
            for row in planned("clock"):
                seen.setdefault(row.dedupe_key, tick)
            tick += 6 * HOUR
        hours = {key.split(":")[2]: (at - run.started_at) / HOUR for key, at in seen.items()}
        assert hours == {f"after-{n}": n for n in (24, 48, 60, 66)} | {"over-0": 72}
        assert len(seen) == 5 * 3


@pytest.mark.django_db
class TestOverdue:
    """MORNING is the day after CUT-02, CUT-03 and CUT-04 of the plan fell due."""

    MORNING = datetime(2027, 4, 13, 7, tzinfo=UTC)  # 08:00 BST

    def test_nobody_is_written_to_when_nothing_is_overdue(self, world):
        plan_due(now=QUIET_MORNING)
        assert not planned("overdue")

    def test_people_with_overdue_tasks_and_their_manager_get_one_mail_at_08_00(self, world):
        plan_due(now=self.MORNING - MINUTE)
        assert not planned("overdue")
        for minutes in range(0, 600, 60):
            plan_due(now=self.MORNING + minutes * MINUTE)
        assert told("overdue") == {
            world.project_manager,
            world.manager,
            world.clinician,
            world.old_supplier,
        }
        assert len(planned("overdue")) == 4

    def test_what_falls_due_later_in_the_day_waits_for_the_next_morning(self, world):
        late = world.migration.tasks.get(code="CUT-03")
        Task.objects.filter(pk=late.pk).update(due_at=self.MORNING + HOUR)
        plan_due(now=self.MORNING)
        plan_due(now=self.MORNING + 2 * HOUR)
        assert world.clinician not in told("overdue")
        plan_due(now=self.MORNING + 24 * HOUR)
        assert world.clinician in told("overdue")

    def test_a_missed_morning_is_made_up_for_on_the_same_day(self, world):
        plan_due(now=self.MORNING + 9 * HOUR)
        assert {row.day for row in planned("overdue")} == {date(2027, 4, 13)}

    def test_and_not_on_a_later_day(self, world):
        plan_due(now=self.MORNING + 24 * 10 * HOUR)
        assert {row.day for row in planned("overdue")} == {date(2027, 4, 23)}

    def test_an_assigned_task_is_told_to_that_person_only(self, world):
        task = Task.objects.get(code="CUT-03")
        colleague = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        assign_task(task=task, assignee=colleague, by=world.manager, at=FDP_AT)
        plan_due(now=self.MORNING)
        assert colleague in told("overdue")
        assert world.clinician not in told("overdue")

    def test_a_task_of_somebody_who_has_left_is_told_to_its_role_again(self, world):
        task = Task.objects.get(code="CUT-03")
        colleague = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        assign_task(task=task, assignee=colleague, by=world.manager, at=FDP_AT)
        colleague.memberships.update(valid_to=FDP_AT.date())
        plan_due(now=self.MORNING)
        assert colleague not in told("overdue")
        assert world.clinician in told("overdue")
        assert [found.code for found in overdue_of(world.clinician, self.MORNING).tasks] == [
            "CUT-03"
        ]

    @pytest.mark.parametrize("who", ["colleague", "supplier", "old_supplier", "buyer"])
    def test_whoever_has_a_part_in_it_keeps_what_is_assigned_to_them(self, world, who):
        person = getattr(world, who)
        task = Task.objects.get(code="CUT-03")
        assign_task(task=task, assignee=person, by=world.manager, at=FDP_AT)
        plan_due(now=self.MORNING)
        assert person in told("overdue")
        assert world.clinician not in told("overdue")

    def test_where_the_project_manager_has_left_the_role_their_colleague_gets_the_mail(self, world):
        world.project_manager.memberships.update(valid_to=FDP_AT.date())
        plan_due(now=self.MORNING)
        assert world.colleague in told("overdue")
        assert world.project_manager not in told("overdue")
        assert overdue_of(world.colleague, self.MORNING).managed
        assert not overdue_of(world.project_manager, self.MORNING)

    def test_a_ticked_task_is_not_overdue(self, world):
        tick_task(task=Task.objects.get(code="CUT-03"), by=world.clinician, at=FDP_AT)
        plan_due(now=self.MORNING)
        assert world.clinician not in told("overdue")

    def test_a_cancelled_migration_is_not_overdue(self, world):
        cancel_migration(
            migration=world.migration, reason="Sold", by=world.project_manager, at=FDP_AT
        )
        plan_due(now=self.MORNING)
        assert not planned("overdue")

    def test_every_day_that_something_is_overdue_has_its_mail(self, world):
        for day in range(3):
            plan_due(now=self.MORNING + day * 24 * HOUR)
        assert len(planned("overdue")) == 3 * 4


@pytest.mark.django_db
class TestSignOff:
    """To whom the plan has it confirmed; test_acts.py has those concerned."""

    AT = FDP_AT + 60 * HOUR

    @pytest.fixture
    def contact(self, world):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        return add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)

    def test_the_confirmation_goes_to_the_contact_that_the_gate_names(self, world, contact):
        plan_due(now=self.AT)
        assert not planned("signed", event=None)
        world.sign(self.AT)
        for _ in range(2):
            plan_due(now=self.AT + MINUTE)
        assert told("signed", event=None) == {"desk@supplier.test"}
        assert len(planned("signed", event=None)) == 1

    @pytest.mark.parametrize("status", ["dead", "cancelled"])
    def test_a_confirmation_that_never_arrived_is_sent_again_to_the_corrected_address(
        self, world, contact, status
    ):
        world.sign(self.AT)
        plan_due(now=self.AT)
        Notification.objects.update(status=status, content=b"x", address=contact.email)
        plan_due(now=self.AT + MINUTE)
        assert len(planned("signed", event=None)) == 1  # the same dead address is not tried again
        Contact.objects.update(email="help@supplier.test")
        for _ in range(2):
            plan_due(now=self.AT + 2 * MINUTE)
        first, second = planned("signed", event=None)
        assert (first.status, second.status) == (status, "pending")
        assert first.message_id != second.message_id

    def test_a_confirmation_that_arrived_is_not_sent_to_the_corrected_address(self, world, contact):
        world.sign(self.AT)
        plan_due(now=self.AT)
        Notification.objects.update(
            status="sent", sent_at=self.AT, content=b"x", address=contact.email
        )
        Contact.objects.update(email="help@supplier.test")
        plan_due(now=self.AT + MINUTE)
        assert len(planned("signed", event=None)) == 1

    def test_of_two_contacts_the_one_it_never_reached_is_written_to_when_corrected(
        self, world, contact
    ):
        details = ContactDetails("target_supplier", "Tess", email="tess@supplier.test")
        other = add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)
        world.sign(self.AT)
        plan_due(now=self.AT)
        rows = Notification.objects.filter(kind="signed", event=None)
        rows.filter(contact=contact).update(
            status="sent", sent_at=self.AT, content=b"x", address=contact.email
        )
        rows.filter(contact=other).update(status="dead", content=b"x", address=other.email)
        plan_due(now=self.AT + MINUTE)
        assert len(planned("signed", event=None)) == 2
        Contact.objects.filter(pk=contact.pk).update(email="new.desk@supplier.test")
        Contact.objects.filter(pk=other.pk).update(email="tess.target@supplier.test")
        for minutes in (2, 3):
            plan_due(now=self.AT + minutes * MINUTE)
        assert [row.contact for row in planned("signed", event=None)[2:]] == [other]

    def test_people_who_join_later_are_not_told_of_what_was_confirmed(self, world):
        world.sign(self.AT)
        plan_due(now=self.AT)
        factories.make_person(Role.SUPPLIER, world.new.supplier)
        plan_due(now=self.AT + MINUTE)
        assert told("signed", event=None) == {world.supplier}

    def test_where_there_is_no_contact_the_suppliers_people_are_told(self, world, contact):
        remove_contact(contact=contact, by=world.manager, at=FDP_AT)
        world.sign(self.AT)
        plan_due(now=self.AT)
        assert told("signed", event=None) == {world.supplier}

    def test_a_new_round_is_confirmed_again(self, world, contact):
        gate = world.sign(self.AT)
        plan_due(now=self.AT)
        withdraw_sign_off(gate=gate, reason="A letter is missing", by=world.manager, at=self.AT)
        world.sign(self.AT + HOUR)
        plan_due(now=self.AT + HOUR)
        assert [row.round for row in planned("signed", event=None)] == [1, 2]

    def test_a_withdrawal_is_told_to_whoever_was_sent_the_confirmation(self, world, contact):
        gate = world.sign(self.AT)
        plan_due(now=self.AT)
        Notification.objects.update(
            status="sent", sent_at=self.AT, content=b"x", address="desk@supplier.test"
        )
        plan_due(now=self.AT)
        assert not planned("withdrawn", event=None)
        withdraw_sign_off(gate=gate, reason="A letter is missing", by=world.manager, at=self.AT)
        for _ in range(2):
            plan_due(now=self.AT + MINUTE)
        assert told("withdrawn", event=None) == {"desk@supplier.test"}
        assert len(planned("withdrawn", event=None)) == 1

    def test_a_withdrawal_is_not_told_where_nobody_was_told_of_the_sign_off(self, world, contact):
        gate = world.sign(self.AT)
        plan_due(now=self.AT)
        withdraw_sign_off(gate=gate, reason="A letter is missing", by=world.manager, at=self.AT)
        plan_due(now=self.AT + MINUTE)
        Notification.objects.update(status="cancelled")  # as the sender does, unsent
        plan_due(now=self.AT + 2 * MINUTE)
        assert not planned("withdrawn", event=None)

    def test_a_sign_off_of_long_ago_is_not_confirmed_to_a_contact_added_today(self, world):
        world.supplier.memberships.update(valid_to=FDP_AT.date())
        world.sign(self.AT)
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        add_contact(migration=world.migration, details=details, by=world.manager, at=self.AT)
        plan_due(now=self.AT + 31 * 24 * HOUR)
        assert not planned("signed", event=None)

    def test_a_migration_closed_right_after_its_last_sign_off_is_still_confirmed(
        self, world, contact
    ):
        world.sign(self.AT)
        Migration.objects.update(state="finished", ended_at=self.AT)
        plan_due(now=self.AT + MINUTE)
        assert told("signed", event=None) == {"desk@supplier.test"}


@pytest.mark.django_db
def test_a_warning_for_a_role_that_nobody_holds_goes_to_the_project_manager():
    version = factories.make_plan_version(publish=False)
    version.clocks.filter(key="cut_over").update(tell=[Owner.PCSE])
    factories.publish_rows(version)
    world = World(plan_version=version)
    world.start_cut_over()
    plan_due(now=FDP_AT + 24 * HOUR)
    assert told("clock") == {world.project_manager}


@pytest.mark.django_db
def test_who_acts_as_what_is_the_rule_of_the_migration_itself(world):
    """Apart from the project managers: of them only the one who is named is written to."""
    other = World()
    people = [
        w.__dict__[name]
        for w in (world, other)
        for name in (
            "manager",
            "clinician",
            "project_manager",
            "supplier",
            "old_supplier",
            "buyer",
        )
    ]
    migrations = Migration.objects.with_people()
    acting = audience(migrations, now=FDP_AT)
    for person in people:
        alone = audience(migrations, now=FDP_AT, person=person)
        for migration in migrations:
            roles = set(migration.roles_of(person))
            if (
                person.pk
                in acting[migration.pk, Role.PRACTICE_MANAGER]
                | acting[migration.pk, Role.CLINICIAN]
            ):
                roles.add("third_party_supplier")
            found = {o for (m, o), who in acting.items() if m == migration.pk and person.pk in who}
            assert found == roles
            assert {o for (m, o), who in alone.items() if m == migration.pk and who} == roles


@pytest.mark.django_db
def test_the_heartbeat_says_when_the_planner_last_ran(world):
    plan_due(now=QUIET_MORNING)
    beat = Heartbeat.objects.get()
    assert (beat.swept_at, beat.overdue_told_on) == (QUIET_MORNING, QUIET_MORNING.date())
    plan_due(now=QUIET_MORNING + MINUTE)
    assert Heartbeat.objects.get().swept_at == QUIET_MORNING + MINUTE


@pytest.mark.django_db
def test_a_part_that_fails_stops_no_other_and_is_no_heartbeat(world, monkeypatch, caplog):
    def broken(*_, **__):
        raise ValueError("no such thing")

    monkeypatch.setattr(planning.daily, "people_with_overdue_tasks", broken)
    monkeypatch.setattr(planning, "PARTS", (broken, *planning.PARTS))
    world.start_cut_over()
    plan_due(now=FDP_AT + 24 * HOUR)
    assert len(planned("clock")) == 3
    assert Heartbeat.objects.get().swept_at is None
    assert "Planning of daily mails failed" in caplog.text


def test_twenty_sweepers_at_once_add_every_row_once(committed_db, monkeypatch, caplog):
    World().start_cut_over()
    now = datetime(2027, 4, 13, 7, 5, tzinfo=UTC)
    all_have_looked = threading.Barrier(20, timeout=60)
    insert, together = outbox._insert, []

    def insert_together(said):
        together.append(all_have_looked.wait())
        insert(said)

    monkeypatch.setattr(outbox, "_insert", insert_together)

    def sweep():
        plan_due(now=now)
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 2 * 20  # or the barrier stands where nobody passes
    assert not caplog.records  # the key alone keeps rows single, but then a sweep fails
    assert len(planned("clock")) == 3
    assert len(planned("overdue")) == 3


@pytest.mark.django_db
def test_a_sweep_takes_as_many_queries_for_twenty_migrations_as_for_one(world):
    def queries(now):
        with CaptureQueriesContext(connections["default"]) as context:
            plan_due(now=now)
        return len(context)

    world.start_cut_over()
    one = queries(datetime(2027, 4, 13, 7, 5, tzinfo=UTC))
    for _ in range(19):
        World().start_cut_over()
    Notification.objects.all().delete()
    Heartbeat.objects.all().delete()
    assert queries(datetime(2027, 4, 13, 7, 5, tzinfo=UTC)) == one
    assert len(planned("clock")) == 20 * 3
    assert len(planned("overdue")) == 20 * 3
    assert one <= 36
    # And with nothing new to say, a handful.
    assert queries(datetime(2027, 4, 13, 7, 6, tzinfo=UTC)) <= 18
