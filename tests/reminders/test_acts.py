"""What somebody did is told to those concerned: once, while it holds, and never to themselves."""

from datetime import timedelta

import pytest

from practices.accounts.roles import Role
from practices.common.models import Event, Text
from practices.plans.rules import Moment
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.planning import events
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import Migration, Task
from practices.tracking.services import (
    add_task,
    assign_task,
    block_task,
    cancel_migration,
    preview_replan,
    reopen_task,
    replan,
    tick_task,
    withdraw_sign_off,
)
from tests import factories

from .test_mails import text_of
from .worlds import FDP_AT, HOUR, planned, told

pytestmark = pytest.mark.django_db
AT = factories.MONDAY
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sweep(world):
    """Plan one minute after the other; the first sweep has been before anything is done."""
    now = [AT]

    def sweep():
        now[0] += MINUTE
        plan_due(now=now[0])
        return now[0]

    sweep()
    Notification.objects.all().delete()
    return sweep


@pytest.fixture
def staff(world):
    return factories.make_person(Role.PRACTICE_STAFF, world.practice)


def task(code="CUT-03"):
    return Task.objects.select_related("migration").get(code=code)


def give(code, to, by):
    return assign_task(task=task(code), assignee=to, by=by, at=AT)


def move_go_live(world, days, at=AT):
    to = Moment.of_instant(factories.GO_LIVE_AT + timedelta(days=days))
    preview = preview_replan(migration=world.migration, key="GL", to=to, at=at)
    replan(
        migration=world.migration,
        key="GL",
        to=to,
        seen=preview.mark,
        by=world.project_manager,
        at=at,
    )


class TestAssigned:
    def test_a_task_given_to_somebody_is_told_to_them(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        sweep()
        assert told("assigned") == {staff}
        (row,) = planned("assigned")
        assert row.headline == "A task was assigned to you"
        assert row.path == f"/migrations/{world.migration.reference}/tasks/CUT-03/"
        assert row.task == task()

    def test_and_once(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        for _ in range(3):
            sweep()
        assert len(planned("assigned")) == 1

    def test_who_takes_a_task_themselves_is_not_told(self, world, sweep):
        give("CUT-03", world.manager, world.manager)
        sweep()
        assert not planned("assigned")

    def test_a_task_added_for_somebody_is_told_without_its_title(self, world, staff, sweep):
        add_task(
            phase=world.migration.phases.get(key="cut_over"),
            title="Ring Mrs Applebee",
            guidance="",
            owner="practice_manager",
            due_on=AT.date(),
            assignee=staff,
            by=world.manager,
            at=AT,
        )
        sweep()
        (row,) = planned("assigned")
        assert "Applebee" not in row.headline + row.path
        assert row.task.title == "Ring Mrs Applebee"

    def test_many_at_once_are_one_row(self, world, staff, sweep):
        for code in ("CUT-02", "CUT-03", "CUT-04"):
            give(code, staff, world.manager)
        sweep()
        (row,) = planned("assigned")
        assert row.headline == "3 tasks were assigned to you"
        assert row.task is None
        give("GL-01", staff, world.manager)
        sweep()
        assert [row.headline for row in planned("assigned")][1:] == ["A task was assigned to you"]

    def test_what_was_given_on_or_done_before_the_sweep_is_not_told(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        give("CUT-03", None, world.manager)
        give("CUT-02", staff, world.manager)
        tick_task(task=task("CUT-02"), by=world.manager, at=AT)
        sweep()
        assert not planned("assigned")

    def test_what_is_done_before_the_mail_goes_is_not_mailed(
        self, world, staff, sweep, faulty_server
    ):
        give("CUT-03", staff, world.manager)
        now = sweep()
        tick_task(task=task(), by=staff, at=now)
        deliver(now=now)
        assert planned("assigned")[0].status == "cancelled"
        assert not faulty_server.received

    def test_the_mail_lists_the_tasks_and_says_how_to_choose_mails(
        self, world, staff, sweep, faulty_server
    ):
        give("CUT-02", staff, world.manager)
        give("CUT-03", staff, world.manager)
        deliver(now=sweep())
        (mail,) = faulty_server.mails
        assert mail["Subject"] == "2 tasks for you: Elm Tree Surgery"
        assert mail["List-Unsubscribe"] == "<http://testserver/account/mails/>"
        for kind in ("plain", "html"):
            words = text_of(mail, kind)
            assert "CUT-03 Check repeat templates" in words
            assert f"/migrations/{world.migration.reference}/tasks/CUT-02/" in words
            assert "http://testserver/account/mails/" in words
            assert world.manager.name in words


class TestBlocked:
    def test_the_project_manager_and_who_has_it_are_told(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        block_task(task=task(), reason="No access", by=world.manager, at=AT)
        sweep()
        assert told("blocked") == {world.project_manager, staff}
        assert "No access" not in "".join(row.headline for row in planned("blocked"))

    def test_not_who_blocked_it_themselves(self, world, sweep):
        give("CUT-03", world.project_manager, world.manager)
        block_task(task=task(), reason="No access", by=world.project_manager, at=AT)
        sweep()
        assert not planned("blocked")

    def test_not_once_it_can_be_done_again(self, world, sweep, faulty_server):
        block_task(task=task(), reason="No access", by=world.manager, at=AT)
        now = sweep()
        assert told("blocked") == {world.project_manager}
        reopen_task(task=task(), reason="", seen_version=task().version, by=world.manager, at=now)
        deliver(now=now)
        assert planned("blocked")[0].status == "cancelled"
        assert not faulty_server.received


class TestGoLiveMoved:
    def test_everybody_with_a_part_is_told_but_who_moved_it(self, world, sweep, faulty_server):
        move_go_live(world, 7)
        now = sweep()
        assert told("moved") == {
            world.manager,
            world.clinician,
            world.supplier,
            world.old_supplier,
            world.buyer,
        }
        assert {row.headline for row in planned("moved")} == {
            "Go-live was moved to Mon 19 Apr 2027, 08:00 BST"
        }
        deliver(now=now)
        mail = next(mail for mail in faulty_server.mails if mail["To"] == world.manager.email)
        assert mail["Subject"] == "Go-live moved to Mon 19 Apr 2027, 08:00 BST: Elm Tree Surgery"
        assert "It was planned for Mon 12 Apr 2027, 08:00 BST." in text_of(mail)

    def test_two_moves_are_one_row_that_says_the_last(self, world, sweep):
        move_go_live(world, 7)
        move_go_live(world, 14)
        sweep()
        assert {row.headline for row in planned("moved")} == {
            "Go-live was moved to Mon 26 Apr 2027, 08:00 BST"
        }

    def test_a_move_after_it_was_planned_makes_the_unsent_mail_stale(
        self, world, sweep, faulty_server
    ):
        move_go_live(world, 7)
        sweep()
        move_go_live(world, 14)
        deliver(now=sweep())
        assert {row.status for row in planned("moved")} == {"superseded", "sent"}
        assert {mail["Subject"].split(":")[0] for mail in faulty_server.mails} == {
            "Go-live moved to Mon 26 Apr 2027, 08"
        }

    def test_another_date_that_moves_is_not_told(self, world, sweep):
        to = Moment.of_instant(FDP_AT - HOUR)
        preview = preview_replan(migration=world.migration, key="FDP", to=to, at=AT)
        replan(
            migration=world.migration,
            key="FDP",
            to=to,
            seen=preview.mark,
            by=world.project_manager,
            at=AT,
        )
        sweep()
        assert not planned("moved")


class TestSignOff:
    def test_the_project_manager_is_told_and_who_signed_it_is_not(self, world, sweep):
        world.sign(AT)
        sweep()
        assert told("signed", event__isnull=False) == {world.project_manager}
        assert told("signed", event=None) == {world.supplier}

    def test_who_is_told_by_the_plan_is_not_told_twice(self, world, sweep):
        factories.give_role(world.project_manager, Role.SUPPLIER, world.new.supplier)
        world.sign(AT)
        sweep()
        assert told("signed") == {world.project_manager, world.supplier}
        assert len(planned("signed")) == 2

    def test_its_withdrawal_is_told_to_both(self, world, sweep):
        gate = world.sign(AT)
        sweep()
        withdraw_sign_off(
            gate=gate, reason="A letter is missing", by=world.project_manager, at=AT + MINUTE
        )
        sweep()
        assert told("withdrawn") == {world.manager}
        withdrawn = planned("withdrawn")[0]
        assert withdrawn.headline == "Sign-off withdrawn: Go-live data"
        assert withdrawn.path == f"/migrations/{world.migration.reference}/sign-off/go_live_data/"


class TestMailThatDidNotArrive:
    def test_the_project_manager_sees_it_in_the_app_only(self, world, sweep):
        world.sign(AT)
        sweep()
        Notification.objects.filter(person=world.supplier).update(status="dead")
        for _ in range(2):
            sweep()
        (row,) = planned("undelivered")
        assert (row.person, row.status) == (world.project_manager, "in_app")
        assert row.about.person == world.supplier


class TestReading:
    def test_a_migration_that_is_over_tells_nothing(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        cancel_migration(migration=world.migration, reason="Sold", by=world.project_manager, at=AT)
        sweep()
        assert not planned("assigned")

    def test_people_who_have_left_are_not_told(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        staff.is_active = False
        staff.save()
        sweep()
        assert not planned("assigned")

    def test_an_act_that_comes_to_light_late_is_told(self, world, staff, sweep):
        """Its id was given before that of another act, which a sweep has read since."""
        give("CUT-03", staff, world.manager)
        late = Event.objects.get(kind="task.assigned")
        sweep()
        Notification.objects.all().delete()
        Heartbeat.objects.update(events_seen=[], events_read=late.pk + 5)
        sweep()
        assert told("assigned") == {staff}

    def test_what_was_read_and_concerned_nobody_is_not_told_to_who_joins_later(self, world, sweep):
        move_go_live(world, 7)
        sweep()
        Notification.objects.all().delete()
        factories.make_person(Role.PRACTICE_STAFF, world.practice)
        sweep()
        assert not planned("moved")

    def test_a_history_that_was_there_before_the_first_sweep_is_not_told(self, world, staff):
        give("CUT-03", staff, world.manager)
        plan_due(now=AT + timedelta(days=2))
        plan_due(now=AT + timedelta(days=2, minutes=1))
        assert not planned("assigned")

    def test_ten_days_without_a_sweep_lose_nothing_and_are_one_row(self, world, staff, sweep):
        for day, code in enumerate(("CUT-02", "CUT-03", "CUT-04")):
            at = AT + timedelta(days=day)
            assign_task(task=task(code), assignee=staff, by=world.manager, at=at)
        plan_due(now=AT + timedelta(days=10))
        assert [row.headline for row in planned("assigned")] == ["3 tasks were assigned to you"]

    def test_a_forged_event_stops_no_other(self, world, staff, sweep):
        give("CUT-03", staff, world.manager)
        Event.objects.create(
            stream="migration:nonsense", seq=1, kind="task.assigned", at=AT, subject="task:CUT-03"
        )
        sweep()
        assert told("assigned") == {staff}

    def test_reading_takes_as_many_statements_for_ten_acts_as_for_one(
        self, world, staff, sweep, django_assert_max_num_queries
    ):
        others = [type(world)() for _ in range(9)]
        for w in (world, *others):
            person = factories.make_person(Role.PRACTICE_STAFF, w.practice)
            found = w.migration.tasks.get(code="CUT-03")
            assign_task(task=found, assignee=person, by=w.manager, at=AT)
        with django_assert_max_num_queries(20):
            events.acts(AT + HOUR)
        assert len(planned("assigned")) == 10


def test_no_headline_holds_what_somebody_typed(world, sweep):
    texts = Text.objects.exclude(body="")
    staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
    give("CUT-03", staff, world.manager)
    block_task(task=task(), reason="Of Mrs Applebee", by=world.manager, at=AT)
    sweep()
    said = " ".join(row.headline for row in Notification.objects.all())
    assert said
    assert not [text.body for text in texts if text.body in said]
    assert Migration.objects.count() == 1
