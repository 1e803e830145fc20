"""The reminders of the plan: what the planner adds for them, and to whom."""

from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Owner
from practices.plans.models import PlanReminder
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import KeyDate
from practices.tracking.services import (
    cancel_migration,
    check_access,
    tick_task,
    withdraw_sign_off,
)
from tests import factories

from .worlds import FDP_AT, HOUR, World, planned, told

DAY = timedelta(days=1)
GO_LIVE_AT = factories.GO_LIVE_AT  # Monday 12 April 2027, 08:00 BST


def at(month, day, hour=7, minute=0):
    """An hour of 2027 in UTC; 07:00 is 08:00 BST."""
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


def make_world(**fields):
    """A world whose plan gives one reminder."""
    version = factories.make_plan_version(publish=False)
    PlanReminder.objects.create(
        **{
            "version": version,
            "position": 1,
            "key": "desk",
            "title": "Help desk told",
            "anchor": "GL",
            "offsets": [-7, -1],
            "unit": "days",
            "until": "task:GL-02",
            "tell": [Owner.PRACTICE_MANAGER],
            "advice": "Tell the help desk.",
        }
        | fields
    )
    factories.publish_rows(version)
    return World(plan_version=version)


def times():
    return sorted({row.due_at for row in planned("reminder")})


def occasions():
    return sorted(((row.migration, row.due_at) for row in planned("reminder")), key=itemgetter(1))


def walk(start, end, step=HOUR):
    now = start
    while now <= end:
        plan_due(now=now)
        now += step


@pytest.mark.django_db
class TestAroundADate:
    def test_each_is_given_once_at_its_time_to_whom_the_plan_tells(self):
        world = make_world()
        walk(at(4, 4, 0), at(4, 12, 6))
        # A week before is a Monday, Easter is over; a day before is a Sunday, so Friday.
        assert times() == [at(4, 5), at(4, 9)]
        assert told("reminder") == {world.manager}
        assert len(planned("reminder")) == 2

    def test_nothing_is_said_once_the_task_is_done_or_does_not_apply(self):
        world = make_world()
        task = world.migration.tasks.get(code="GL-02")
        tick_task(task=task, by=world.project_manager, at=at(4, 4))
        plan_due(now=at(4, 5))
        assert not planned("reminder")

    def test_nothing_is_said_once_the_date_it_waits_for_has_happened(self):
        world = make_world(until="FDP")
        world.start_cut_over(FDP_AT - 5 * DAY)
        plan_due(now=at(4, 5))
        assert not planned("reminder")

    def test_a_reminder_that_is_switched_off_is_not_given(self):
        make_world(enabled=False)
        walk(at(4, 4), at(4, 12), DAY)
        assert not planned("reminder")

    def test_a_migration_that_is_over_is_not_reminded(self):
        world = make_world()
        cancel_migration(
            migration=world.migration, reason="Not now", by=world.project_manager, at=at(4, 1)
        )
        plan_due(now=at(4, 5))
        assert not planned("reminder")

    def test_after_an_outage_only_the_newest_is_given(self):
        make_world(offsets=[-14, -7, -1])
        plan_due(now=at(4, 10))
        assert times() == [at(4, 9)]

    def test_what_was_due_before_the_migration_was_started_is_left_out(self):
        make_world(offsets=[-77])
        plan_due(now=factories.MONDAY + DAY)
        assert not planned("reminder")

    def test_what_follows_go_live_waits_for_it(self):
        world = make_world(
            offsets=[24], unit="hours", repeat_every=1, deliver="any_hour", until="task:POST-01"
        )
        walk(GO_LIVE_AT, GO_LIVE_AT + 2 * DAY)
        assert not planned("reminder")
        world.start_cut_over()
        world.go_live(GO_LIVE_AT + 50 * HOUR)
        walk(GO_LIVE_AT + 50 * HOUR, GO_LIVE_AT + 100 * HOUR)
        assert times() == [GO_LIVE_AT + 74 * HOUR, GO_LIVE_AT + 98 * HOUR]

    def test_a_moved_date_is_reminded_of_anew(self):
        world = make_world()
        plan_due(now=at(4, 5))
        KeyDate.objects.filter(migration=world.migration, key="GL").update(
            planned_on=at(4, 26).date(), planned_at=at(4, 26)
        )
        walk(at(4, 6), at(4, 26), DAY)
        assert times() == [at(4, 5), at(4, 19), at(4, 23)]

    def test_after_two_in_vain_the_project_manager_is_told_too(self):
        world = make_world(
            offsets=[1], repeat_every=1, until="task:POST-01", escalate_after=2, deliver="any_hour"
        )
        world.start_cut_over()
        world.go_live(GO_LIVE_AT)
        for day in (13, 14):
            plan_due(now=at(4, day))
        assert told("reminder") == {world.manager}
        plan_due(now=at(4, 15))
        assert told("reminder") == {world.manager, world.project_manager}
        assert len(planned("reminder")) == 4

    def test_hours_count_from_the_time_of_day_of_each_migration(self):
        early = make_world(offsets=[-24], unit="hours", deliver="any_hour")
        late = World(plan_version=early.plan_version, go_live_at=GO_LIVE_AT + 2 * HOUR)
        walk(at(4, 11, 0), at(4, 11, 12))
        assert occasions() == [(early.migration, at(4, 11, 7)), (late.migration, at(4, 11, 9))]

    def test_a_date_that_has_happened_is_told_apart_from_the_same_one_planned(self):
        gone = make_world(offsets=[-1, 1], until="task:POST-01", deliver="any_hour")
        waiting = World(plan_version=gone.plan_version)
        gone.start_cut_over()
        gone.go_live(GO_LIVE_AT)
        plan_due(now=at(4, 13))
        assert occasions() == [(waiting.migration, at(4, 11)), (gone.migration, at(4, 13))]

    def test_what_was_said_is_added_only_once(self):
        make_world()
        plan_due(now=at(4, 5))
        with CaptureQueriesContext(connection) as again:
            plan_due(now=at(4, 5, 7, 1))
        assert not [query for query in again if "INSERT" in query["sql"]]

    def test_where_nobody_holds_the_role_the_project_manager_is_told(self):
        world = make_world(tell=[Owner.PCSE])
        plan_due(now=at(4, 5))
        assert told("reminder") == {world.project_manager}

    def test_planning_again_at_once_and_with_the_clock_put_back_adds_nothing(self):
        make_world()
        for now in (at(4, 5), at(4, 5), at(4, 5) - HOUR, at(4, 5) + HOUR):
            plan_due(now=now)
        assert len(planned("reminder")) == 1

    def test_the_planner_asks_the_same_few_questions_however_many_migrations_there_are(self):
        world = make_world()
        plan_due(now=at(4, 4))
        with CaptureQueriesContext(
            connection,
        ) as one:
            plan_due(now=at(4, 5))
        for _ in range(3):
            factories.make_migration(plan_version=world.plan_version)
        with CaptureQueriesContext(connection) as many:
            plan_due(now=at(4, 9))
        assert len(many) == len(one)


@pytest.mark.django_db
class TestAtAGate:
    def world(self, **fields):
        return make_world(
            **{
                "anchor": "gate:*",
                "offsets": [2],
                "repeat_every": 1,
                "until": "",
                "tell": [Owner.PROJECT_MANAGER],
            }
            | fields
        )

    def ready(self, world, when):
        for code in ("CUT-02", "CUT-03"):
            tick_task(task=world.migration.tasks.get(code=code), by=world.manager, at=when)

    def test_who_can_sign_is_told_after_two_days_and_then_every_working_morning(self):
        world = self.world()
        self.ready(world, at(4, 6, 12))  # a Tuesday
        walk(at(4, 6, 12), at(4, 12, 12))
        assert times() == [at(4, 8), at(4, 9), at(4, 12)]
        assert told("reminder") == {world.manager, world.project_manager}
        assert {row.gate.key for row in planned("reminder")} == {"go_live_data"}

    def test_a_gate_whose_tasks_are_open_is_not_waited_for(self):
        world = self.world()
        tick_task(task=world.migration.tasks.get(code="CUT-02"), by=world.manager, at=at(4, 6))
        plan_due(now=at(4, 9))
        assert not planned("reminder")

    def test_a_signed_gate_is_not_waited_for_and_one_that_was_withdrawn_is_again(self):
        world = self.world(anchor="gate:go_live_data")
        self.ready(world, at(4, 6, 12))
        gate = world.sign(at(4, 6, 13))
        plan_due(now=at(4, 8))
        assert not planned("reminder")
        withdraw_sign_off(gate=gate, reason="A list was missing", by=world.manager, at=at(4, 8, 12))
        plan_due(now=at(4, 9))
        assert times() == [at(4, 9)]

    def test_it_is_looked_for_once_a_morning(self):
        world = self.world()
        self.ready(world, at(4, 6, 12))
        plan_due(now=at(4, 8, 7))
        assert Heartbeat.objects.get().swept_at == at(4, 8, 7)
        Notification.objects.all().delete()
        plan_due(now=at(4, 8, 9))
        assert not planned("reminder")
        plan_due(now=at(4, 9, 7))
        assert times() == [at(4, 9)]


def send(now):
    """Plan, and deliver only what the plan reminds of."""
    plan_due(now=now)
    Notification.objects.exclude(kind="reminder").delete()
    deliver(now=now)


@pytest.mark.django_db
class TestMails:
    def test_one_says_how_near_the_date_is_what_to_do_and_where(self, faulty_server):
        world = make_world()
        send(at(4, 9))
        (mail,) = faulty_server.mails
        assert mail["Subject"] == "Help desk told: Elm Tree Surgery, go-live in 3 days"
        for kind in ("plain", "html"):
            words = mail.get_body((kind,)).get_content()
            assert "Go-live is planned for Mon 12 Apr 2027, 08:00 BST." in words
            assert "(GL-02) is still to be done; it is due Tue 13 Apr." in words
            assert "What to do: tell the help desk." in words
            assert f"/migrations/{world.migration.reference}/tasks/GL-02/" in words

    def test_one_after_a_date_says_how_long_ago_it_was(self, faulty_server):
        world = make_world(offsets=[2], until="task:POST-01", deliver="any_hour")
        world.start_cut_over()
        world.go_live(GO_LIVE_AT)
        send(at(4, 14))
        (mail,) = faulty_server.mails
        assert mail["Subject"] == "Help desk told: Elm Tree Surgery, 2 days after go-live"
        words = mail.get_body(("plain",)).get_content()
        assert "Go-live was on Mon 12 Apr 2027, 08:00 BST." in words

    def test_one_of_a_gate_leads_to_it(self, faulty_server):
        gates = TestAtAGate()
        world = gates.world()
        gates.ready(world, at(4, 6, 12))
        send(at(4, 8))
        mail = faulty_server.mails[0]
        assert mail["Subject"] == "Ready to sign: Elm Tree Surgery go-live data"
        words = mail.get_body(("plain",)).get_content()
        assert "has been done since Tue 6 Apr 2027, 13:00 BST" in words
        assert f"/migrations/{world.migration.reference}/sign-off/go_live_data/" in words

    @pytest.mark.parametrize(
        ("happens", "status"),
        [
            ("done", "cancelled"),
            ("moved", "superseded"),
            ("cancelled", "cancelled"),
            ("left", "cancelled"),
        ],
    )
    def test_what_has_changed_since_it_was_planned_is_noticed_before_it_is_sent(
        self, happens, status, faulty_server
    ):
        world = make_world()
        plan_due(now=at(4, 5))
        migration, at_eight = world.migration, at(4, 5) + timedelta(minutes=1)
        if happens == "done":
            task = migration.tasks.get(code="GL-02")
            tick_task(task=task, by=world.project_manager, at=at_eight)
        elif happens == "moved":
            migration.key_dates.filter(key="GL").update(
                planned_on=at(4, 13).date(), planned_at=at(4, 13)
            )
        elif happens == "cancelled":
            cancel_migration(
                migration=migration, reason="Not now", by=world.project_manager, at=at_eight
            )
        else:
            world.manager.is_active = False
            world.manager.save()
        Notification.objects.exclude(kind="reminder").delete()
        deliver(now=at_eight)
        assert not faulty_server.received
        assert Notification.objects.get().status == status


@pytest.mark.django_db
class TestLateAndWeekly:
    def test_what_is_said_a_day_late_comes_with_the_daily_mail_and_a_clock_at_once(self):
        world = make_world(until="task:POST-01")
        world.start_cut_over(at(4, 5, 12))
        plan_due(now=at(4, 7, 13))
        assert {row.status for row in planned("reminder")} == {"in_digest"}
        assert {row.status for row in planned("clock")} == {"pending"}

    def test_ten_days_without_a_sweep_bring_one_mail_a_person_not_a_storm(self, faulty_server):
        world = make_world(offsets=[-7, -1], tell=[Owner.PRACTICE_MANAGER, Owner.PROJECT_MANAGER])
        for _ in range(4):
            factories.make_migration(
                plan_version=world.plan_version,
                project_manager=world.project_manager,
                run_by=world.partner,
            )
        plan_due(now=at(4, 1))
        plan_due(now=at(4, 11, 9))
        deliver(now=at(4, 11, 9))
        recipients = faulty_server.recipients
        assert {world.manager.email, world.project_manager.email} <= set(recipients)
        assert len(recipients) == len(set(recipients))

    def test_who_is_to_look_at_the_old_system_is_asked_every_week_until_somebody_has(
        self, faulty_server
    ):
        world = World()
        world.start_cut_over()
        world.go_live(GO_LIVE_AT)  # a Monday
        walk(GO_LIVE_AT, at(4, 30, 12), step=4 * HOUR)
        assert sorted({row.due_at for row in planned("access")}) == [at(4, 19), at(4, 26)]
        assert told("access") == {world.manager, world.project_manager}
        Notification.objects.exclude(kind="access").delete()
        deliver(now=at(4, 26))
        assert {mail["Subject"] for mail in faulty_server.mails} == {
            "Look at the old system: Elm Tree Surgery"
        }
        words = faulty_server.mails[0].get_body(("plain",)).get_content()
        assert "lasts 31 days more after today. The last day is Thursday 27 May 2027." in words
        assert f"/migrations/{world.migration.reference}/old-system/check/" in words
        assert len(faulty_server.mails) == 2

    def test_nobody_is_asked_to_look_once_somebody_has(self, faulty_server):
        world = World()
        world.start_cut_over()
        world.go_live(GO_LIVE_AT)
        plan_due(now=at(4, 19))
        check_access(
            migration=world.migration,
            checked_on=at(4, 19).date(),
            is_there=True,
            note="",
            by=world.manager,
            at=at(4, 19, 8),
        )
        Notification.objects.exclude(kind="access").delete()
        deliver(now=at(4, 19, 9))
        assert not faulty_server.mails
        assert {row.status for row in planned("access")} == {"cancelled"}

    def test_the_mail_of_an_end_on_a_sunday_names_the_friday_before(self, faulty_server):
        world = World()
        world.start_cut_over(GO_LIVE_AT + 4 * DAY)
        world.go_live(GO_LIVE_AT + 6 * DAY)  # Sunday 18 April; 45 days later is 2 June
        run = world.migration.clock_runs.get(key="access", state="running")
        type(run).objects.filter(pk=run.pk).update(ends_on=at(6, 6).date(), ends_at=at(6, 6, 23))
        plan_due(now=at(6, 3))
        Notification.objects.exclude(kind="clock").delete()
        deliver(now=at(6, 3))
        words = faulty_server.mails[0].get_body(("plain",)).get_content()
        assert "the last working day before it is Friday 4 June 2027" in words
