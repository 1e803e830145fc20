"""Which mails people want: at once, with the daily mail or none; and muting a migration."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.common.errors import Refused
from practices.common.models import Event
from practices.reminders import choosing
from practices.reminders.models import Mute, Notification, NotificationPreference
from practices.reminders.services import deliver, plan_due
from practices.reminders.wishes import USUALLY
from practices.tracking.services import (
    ContactDetails,
    add_contact,
    assign_task,
    block_task,
    tick_task,
)
from tests import factories

from .conftest import NOW
from .test_mails import text_of
from .worlds import FDP_AT, HOUR, planned, told

pytestmark = pytest.mark.django_db
AT = factories.MONDAY
MORNING = datetime(2027, 4, 13, 7, tzinfo=UTC)  # 08:00 BST; CUT-02, 03 and 04 are overdue
MINUTE = timedelta(minutes=1)
PAGE = "/account/mails/"


def choose(person, at=AT, **wanted):
    return choosing.set_preferences(wanted=wanted, by=person, at=at)


def mute(world, at=AT, days=80):
    until = at.date() + timedelta(days=days)
    return choosing.mute(
        migration=world.migration,
        reason="A colleague looks after it",
        until=until,
        by=world.project_manager,
        at=at,
    )


def give(world, code, to, at):
    task = world.migration.tasks.get(code=code)
    return assign_task(task=task, assignee=to, by=world.manager, at=at)


@pytest.fixture
def ask(client):
    def ask(who, url=PAGE, data=None, now=AT):
        with time_machine.travel(now, tick=False):
            client.force_login(who)
            return client.get(url) if data is None else client.post(url, data)

    return ask


class TestHow:
    @pytest.mark.parametrize(("how", "status"), [("daily", "in_digest"), ("in_app", "in_app")])
    def test_a_kind_can_wait_for_the_daily_mail_or_stay_in_the_app(
        self, world, faulty_server, how, status
    ):
        choose(world.manager, clock=how)
        world.start_cut_over()
        plan_due(now=NOW - HOUR)  # the daily mails of the day
        plan_due(now=NOW)
        assert {row.person: row.status for row in planned("clock")} == {
            world.manager: status,
            world.project_manager: "pending",
            world.supplier: "pending",
        }
        deliver(now=NOW)
        assert world.manager.email not in faulty_server.recipients

    def test_the_end_of_a_clock_that_has_passed_is_always_mailed_at_once(
        self, world, faulty_server
    ):
        choose(world.manager, clock="in_app")
        world.start_cut_over()
        breach = FDP_AT + 72 * HOUR
        plan_due(now=breach)
        deliver(now=breach)
        assert world.manager.email in faulty_server.recipients

    @pytest.mark.parametrize(("how", "status"), [("daily", "in_digest"), ("in_app", "in_app")])
    def test_a_choice_made_after_it_was_planned_counts_too(
        self, one_due, world, faulty_server, how, status
    ):
        choose(world.manager, at=NOW, clock=how)
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.lease_token) == (status, None)
        assert not faulty_server.received

    def test_what_nobody_chose_is_as_usual(self, world):
        assert not choose(world.manager, **USUALLY)
        assert not NotificationPreference.objects.exists()

    def test_a_choice_has_its_event_and_the_same_again_has_none(self, world):
        assert choose(world.manager, clock="daily", moved="at_once")
        assert not choose(world.manager, clock="daily")
        event = Event.objects.get(kind="reminders.preferences_changed")
        assert event.subject == f"person:{world.manager.pk}"
        assert event.data == {"changed": {"clock": ["at_once", "daily"]}}


class TestDailyMail:
    @pytest.fixture(autouse=True)
    def alone(self, world):
        """What falls due before these mornings is another test's."""
        plan_due(now=AT)
        Notification.objects.all().delete()

    def test_what_waited_goes_with_the_mail_of_the_next_morning(self, world, faulty_server):
        staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        choose(staff, assigned="daily")
        give(world, "CUT-03", staff, AT)
        plan_due(now=AT + MINUTE)
        deliver(now=AT + MINUTE)
        assert not faulty_server.received
        morning = datetime(2027, 2, 2, 8, tzinfo=UTC)
        plan_due(now=morning - MINUTE)
        deliver(now=morning - MINUTE)
        assert not faulty_server.received
        plan_due(now=morning)
        deliver(now=morning)
        (mail,) = [mail for mail in faulty_server.mails if mail["To"] == staff.email]
        assert mail["Subject"] == "1 notice: Elm Tree Surgery"
        assert "A task was assigned to you: CUT-03 Check repeat templates" in text_of(mail)
        assert f"/migrations/{world.migration.reference}/tasks/CUT-03/" in text_of(mail)

    def test_and_with_no_later_one(self, world, faulty_server):
        staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        choose(staff, assigned="daily")
        give(world, "CUT-03", staff, AT)
        plan_due(now=AT + MINUTE)
        for day in (1, 2, 3):
            now = AT + timedelta(days=day)
            plan_due(now=now)
            deliver(now=now)
        assert faulty_server.recipients.count(staff.email) == 1

    def test_overdue_tasks_and_what_waited_are_one_mail(self, world, faulty_server):
        choose(world.clinician, blocked="daily")
        give(world, "CUT-04", world.clinician, AT)
        task = world.migration.tasks.get(code="CUT-04")
        block_task(task=task, reason="No access", by=world.manager, at=AT)
        plan_due(now=MORNING - HOUR)
        plan_due(now=MORNING)
        deliver(now=MORNING)
        (mail,) = [
            mail
            for mail in faulty_server.mails
            if mail["To"] == world.clinician.email and "overdue" in mail["Subject"]
        ]
        assert "CUT-03 Check repeat templates: was due" in text_of(mail)
        assert "A task is blocked: CUT-04" in text_of(mail)

    def test_what_is_done_meanwhile_is_left_out(self, world, faulty_server):
        staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        choose(staff, assigned="daily")
        give(world, "CUT-03", staff, AT)
        plan_due(now=AT + MINUTE)
        tick_task(task=world.migration.tasks.get(code="CUT-03"), by=staff, at=AT + HOUR)
        now = AT + timedelta(days=1)
        plan_due(now=now)
        deliver(now=now)
        assert staff.email not in faulty_server.recipients

    def test_what_a_missed_morning_carried_stays_for_the_next(self, world, faulty_server):
        staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        choose(staff, assigned="daily")
        give(world, "CUT-03", staff, AT)
        plan_due(now=AT + MINUTE)
        plan_due(now=AT + timedelta(days=1))
        faulty_server.script = ["451 Try later"]
        deliver(now=AT + timedelta(days=1))
        assert not faulty_server.received
        now = AT + timedelta(days=2)
        plan_due(now=now)
        deliver(now=now)
        assert faulty_server.recipients == [staff.email]
        assert {row.status for row in planned("overdue", person=staff)} == {"superseded", "sent"}

    def test_who_wants_overdue_tasks_in_the_app_only_has_no_mail_of_them(
        self, world, faulty_server
    ):
        choose(world.clinician, overdue="in_app")
        plan_due(now=MORNING)
        deliver(now=MORNING)
        assert world.clinician.email not in faulty_server.recipients
        (row,) = planned("overdue", person=world.clinician)
        assert (row.status, row.headline) == ("in_app", "Tasks were overdue this morning")

    def test_the_mail_takes_as_many_statements_for_ten_notices_as_for_one(
        self, world, faulty_server
    ):
        staff = factories.make_person(Role.PRACTICE_STAFF, world.practice)
        choose(staff, assigned="daily")
        counts = []
        for day, number in ((1, 1), (2, 8)):
            now = AT + timedelta(days=day)
            for minute in range(number):
                at = now - HOUR + minute * MINUTE
                give(world, "CUT-03", None, at)
                give(world, "CUT-03", staff, at)
                plan_due(now=at)
            plan_due(now=now)
            Notification.objects.filter(status="pending").exclude(person=staff).delete()
            with CaptureQueriesContext(connection) as queries:
                deliver(now=now)
            counts.append(len(queries))
        assert counts[0] == counts[1]
        assert faulty_server.mails[-1]["Subject"] == "8 notices: Elm Tree Surgery"


class TestMute:
    def test_rows_come_to_the_inbox_and_no_mail_does(self, world, faulty_server):
        mute(world)
        world.start_cut_over()
        plan_due(now=NOW)
        deliver(now=NOW)
        assert world.project_manager.email not in faulty_server.recipients
        assert [row.status for row in planned("clock", person=world.project_manager)] == ["in_app"]
        assert told("clock") == {world.manager, world.project_manager, world.supplier}

    def test_the_end_of_a_clock_that_has_passed_is_mailed_all_the_same(self, world, faulty_server):
        mute(world)
        world.start_cut_over()
        breach = FDP_AT + 72 * HOUR
        plan_due(now=breach)
        deliver(now=breach)
        assert world.project_manager.email in faulty_server.recipients

    def test_the_daily_mail_leaves_the_migration_out(self, world, faulty_server):
        mute(world)
        plan_due(now=MORNING)
        deliver(now=MORNING)
        assert world.project_manager.email not in faulty_server.recipients
        (row,) = planned("overdue", person=world.project_manager)
        assert row.status == "in_app"

    def test_a_mute_set_after_it_was_planned_counts_too(self, world, faulty_server):
        world.start_cut_over()
        plan_due(now=NOW)
        mute(world, at=NOW)
        deliver(now=NOW)
        assert world.project_manager.email not in faulty_server.recipients

    def test_it_ends_with_its_day(self, world):
        mute(world, at=NOW - timedelta(days=2), days=1)
        world.start_cut_over()
        plan_due(now=NOW)
        assert [row.status for row in planned("clock", person=world.project_manager)] == ["pending"]

    def test_it_can_be_lifted_and_set_again(self, world):
        mute(world)
        assert choosing.lift_mute(migration=world.migration, by=world.project_manager, at=AT)
        assert not choosing.lift_mute(migration=world.migration, by=world.project_manager, at=AT)
        mute(world, days=3)
        mute(world, days=5)
        assert Mute.objects.on(AT.date()).get().until == AT.date() + timedelta(days=5)
        kinds = Event.objects.filter(kind__startswith="reminders.").order_by("pk")
        assert list(kinds.values_list("kind", flat=True)) == [
            "reminders.muted",
            "reminders.mute_lifted",
            "reminders.muted",
            "reminders.muted",
        ]

    @pytest.mark.parametrize("days", [-1, 93])
    def test_it_needs_an_end_that_is_near(self, world, days):
        with pytest.raises(Refused):
            mute(world, days=days)
        assert not Mute.objects.exists()


class TestPages:
    def test_the_choices_are_shown_as_they_are_and_saved(self, world, ask):
        wanted = {**USUALLY, "clock": "daily", "overdue": "in_app"}
        assert ask(world.manager, data=wanted).status_code == 302
        stored = NotificationPreference.objects.filter(person=world.manager)
        assert dict(stored.values_list("kind", "how")) == {"clock": "daily", "overdue": "in_app"}
        page = ask(world.manager)
        assert "Your choices are saved." in page.content.decode()
        assert page.context["form"]["clock"].value() == "daily"

    def test_overdue_tasks_are_told_once_a_day_or_not_at_all(self, world, ask):
        answer = ask(world.manager, data={**USUALLY, "overdue": "at_once"})
        assert answer.status_code == 422
        assert not NotificationPreference.objects.exists()

    def test_a_project_manager_mutes_and_unmutes_on_pages(self, world, ask):
        url = f"/migrations/{world.migration.reference}/mute/"
        overview = f"/migrations/{world.migration.reference}/"
        assert url in ask(world.project_manager, overview).content.decode()
        assert url not in ask(world.manager, overview).content.decode()
        until = {"until_day": "5", "until_month": "2", "until_year": "2027"}
        answer = ask(world.project_manager, url, {"reason": "On leave", **until})
        assert answer.headers["Location"] == PAGE
        assert Mute.objects.get().until == date(2027, 2, 5)
        page = ask(world.project_manager)
        assert "Friday 5 February 2027" in page.content.decode()
        assert "On leave" in page.content.decode()
        assert "On leave" not in ask(world.colleague).content.decode()
        assert ask(world.project_manager, f"{url}lift/", {}).status_code == 302
        assert Mute.objects.get().lifted_at == AT
        assert "On leave" not in ask(world.project_manager).content.decode()

    def test_a_day_that_is_past_is_refused_and_what_was_typed_is_kept(self, world, ask):
        url = f"/migrations/{world.migration.reference}/mute/"
        until = {"until_day": "31", "until_month": "1", "until_year": "2027"}
        answer = ask(world.project_manager, url, {"reason": "On leave", **until})
        assert answer.status_code == 422
        assert "That day is past." in answer.content.decode()
        assert "On leave" in answer.content.decode()

    def test_contacts_have_nothing_to_choose(self, world, faulty_server):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        add_contact(migration=world.migration, details=details, by=world.manager, at=AT)
        world.sign(AT)
        plan_due(now=AT)
        deliver(now=AT)
        (mail,) = [mail for mail in faulty_server.mails if mail["To"] == "desk@supplier.test"]
        assert mail["List-Unsubscribe"] is None
        assert PAGE not in text_of(mail)
