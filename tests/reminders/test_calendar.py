"""Calendar feeds: what is in them, to the hour, and who may read them."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar, Event

from practices.accounts.roles import Role
from practices.accounts.services import close_account, open_account
from practices.common import clock
from practices.common.errors import Conflict
from practices.common.models import Event as History
from practices.common.time import to_london
from practices.plans.models import PlanVersion
from practices.plans.rules import Moment
from practices.reminders import feeds, links
from practices.reminders.models import CalendarLink
from practices.tracking import services
from practices.tracking.models import Migration
from tests import factories
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY

from .worlds import HOUR

pytestmark = pytest.mark.django_db

FEED = "/calendar/feed.ics"
DAY = timedelta(days=1)


def new_link(person, migration=None, at=MONDAY) -> str:
    """The token of a link, in place of the one before."""
    before = links.present_link(person, migration)
    return links.make_link(
        migration=migration, seen=before.pk if before else None, by=person, at=at
    )


def read(token: str, **headers):
    return Client().get(FEED, {"link": token}, headers=headers)


def entries(token: str) -> dict[str, Event]:
    """What a calendar program finds, by the part of the UID that is ours."""
    answer = read(token)
    assert answer.status_code == 200
    found = {str(e["UID"]).partition("@")[0]: e for e in Calendar.from_ical(answer.content).events}
    return {uid.partition("-1-")[2] or uid: entry for uid, entry in found.items()}


@pytest.fixture
def token(world) -> str:
    return new_link(world.manager, world.migration)


class TestDates:
    def test_a_migrations_calendar_has_its_key_dates(self, world, token):
        found = entries(token)
        assert found.keys() == {f"date-{key}" for key in ("KO", "FDP", "GL", "CE", "EOA")}
        assert str(found["date-GL"]["SUMMARY"]) == f"{world.migration.name}: Go-live"
        assert "Planned for Mon 12 Apr 2027, 08:00 BST." in str(found["date-GL"]["DESCRIPTION"])
        assert str(found["date-GL"]["URL"]).endswith(f"/{world.migration.reference}/dates/")

    def test_a_day_is_a_whole_day_and_a_time_is_in_utc(self, token):
        found = entries(token)
        kick_off, go_live = found["date-KO"], found["date-GL"]
        assert (kick_off["DTSTART"].dt, kick_off["DTEND"].dt) == (
            date(2027, 2, 1),
            date(2027, 2, 2),
        )
        assert go_live["DTSTART"].dt == GO_LIVE_AT
        raw = read(token).content.decode()
        assert "DTSTART;VALUE=DATE:20270201" in raw
        assert "DTSTART:20270412T070000Z" in raw

    @pytest.mark.parametrize(
        ("go_live_at", "written"),
        [
            # The clocks go forward on 28 March and back on 31 October 2027.
            ("2027-03-27T08:00:00+00:00", "20270327T080000Z"),
            ("2027-03-29T07:00:00+00:00", "20270329T070000Z"),
            ("2027-10-30T07:00:00+00:00", "20271030T070000Z"),
            ("2027-11-01T08:00:00+00:00", "20271101T080000Z"),
        ],
    )
    def test_eight_in_the_morning_is_that_on_both_sides_of_a_clock_change(
        self, go_live_at, written
    ):
        migration = factories.make_migration(go_live_at=datetime.fromisoformat(go_live_at))
        token = new_link(migration.project_manager, migration)
        assert f"DTSTART:{written}" in read(token).content.decode()
        go_live = entries(token)["date-GL"]
        assert f"{to_london(go_live['DTSTART'].dt):%H:%M}" == "08:00"

    def test_the_day_on_which_the_clocks_change_is_one_whole_day(self):
        go_live_at = datetime(2027, 6, 6, 7, tzinfo=UTC)
        migration = factories.make_migration(go_live_at=go_live_at)
        migration.key_dates.filter(key="KO").update(
            planned_on=date(2027, 3, 28), planned_at=datetime(2027, 3, 28, 23, tzinfo=UTC)
        )
        kick_off = entries(new_link(migration.project_manager, migration))["date-KO"]
        assert kick_off["DTSTART"].dt == date(2027, 3, 28)
        assert kick_off["DTEND"].dt == date(2027, 3, 29)

    def test_what_happened_counts_instead_of_what_was_planned(self, world, token):
        world.start_cut_over(FDP_AT + HOUR)
        done = entries(token)["date-FDP"]
        assert done["DTSTART"].dt == FDP_AT + HOUR
        assert "Happened Fri 9 Apr 2027, 19:30 BST." in str(done["DESCRIPTION"])

    def test_the_end_of_a_running_clock_is_in_it(self, world, token):
        world.start_cut_over()
        end = entries(token)["clock-cut_over"]
        assert end["DTSTART"].dt == FDP_AT + 72 * HOUR
        assert str(end["SUMMARY"]).endswith("Cut-over, ends (72-hour limit)")
        world.go_live(GO_LIVE_AT)
        found = entries(token)
        assert "clock-cut_over" not in found, "it has stopped"
        assert found["clock-access"]["DTSTART"].dt == date(2027, 5, 27)

    def test_a_clock_that_begins_anew_moves_its_entry(self, world, token):
        world.start_cut_over()
        before = entries(token)["clock-cut_over"]
        date_row = world.migration.key_dates.get(key="FDP")
        services.record_actual(
            migration=world.migration,
            key="FDP",
            when=Moment.of_instant(FDP_AT - HOUR),
            reason="Mistyped",
            seen=date_row.actual_at,
            by=world.manager,
            at=FDP_AT + HOUR,
        )
        after = entries(token)["clock-cut_over"]
        assert after["UID"] == before["UID"]
        assert after["DTSTART"].dt == FDP_AT + 71 * HOUR
        assert after["SEQUENCE"] > before["SEQUENCE"]

    def test_what_a_cancelled_migration_had_planned_is_cancelled(self, world, token):
        services.cancel_migration(
            migration=world.migration, reason="Merged", by=world.project_manager, at=MONDAY
        )
        assert str(entries(token)["date-GL"]["STATUS"]) == "CANCELLED"


class TestOwnCalendar:
    def test_it_has_the_persons_tasks_that_are_to_do(self, world):
        found = entries(new_link(world.clinician))
        tasks = {uid for uid in found if uid.startswith("task-")}
        assert tasks == {"task-CUT-03"}
        entry = found["task-CUT-03"]
        assert str(entry["SUMMARY"]) == f"{world.migration.name}: CUT-03 Check repeat templates"
        assert entry["DTSTART"].dt == date(2027, 4, 10), "a task that is due on a day"
        tick(world, "CUT-03", world.clinician)
        assert "task-CUT-03" not in entries(new_link(world.clinician))

    def test_a_task_that_is_due_at_a_minute_is_at_that_minute(self, world):
        entry = entries(new_link(world.manager))["task-CUT-02"]
        assert entry["DTSTART"].dt == FDP_AT + 48 * HOUR

    def test_it_has_every_migration_under_way_and_no_other(self, world):
        elsewhere = factories.make_migration()
        second = factories.make_migration(
            run_by=world.partner, project_manager=world.project_manager
        )
        names = titles(new_link(world.project_manager))
        assert any(world.migration.reference in name for name in names)
        assert any(second.reference in name for name in names)
        assert not any(elsewhere.reference in name for name in names)
        services.cancel_migration(
            migration=second, reason="Merged", by=world.project_manager, at=MONDAY
        )
        assert not any(second.reference in name for name in titles(new_link(world.project_manager)))

    def test_hidden_words_are_hidden_in_it_too(self, world):
        task = services.add_task(
            phase=world.migration.phases.get(key="cut_over"),
            title="Ring Mrs Applebee",
            guidance="",
            owner="practice_manager",
            due_on=date(2027, 4, 8),
            assignee=None,
            by=world.manager,
            at=MONDAY,
        )
        token = new_link(world.manager)
        before = entries(token)[f"task-{task.code}"]
        assert "Ring Mrs Applebee" in str(before["SUMMARY"])
        services.report_patient_data(
            migration=world.migration, text=task.own_title, by=world.clinician, at=MONDAY
        )
        after = entries(token)[f"task-{task.code}"]
        assert b"Applebee" not in read(token).content
        assert str(after["SUMMARY"]).endswith(f"{task.code} (hidden while it is checked)")
        assert after["SEQUENCE"] > before["SEQUENCE"]

    def test_nothing_else_that_people_typed_is_in_it(self, world):
        task = world.migration.tasks.get(code="CUT-02")
        services.add_note(task=task, body="Quillon was ill", by=world.manager, at=MONDAY)
        services.block_task(task=task, reason="Quillon is away", by=world.manager, at=MONDAY)
        assert b"Quillon" not in read(new_link(world.manager)).content

    def test_a_crowded_calendar_keeps_what_comes_next(self, world, monkeypatch):
        monkeypatch.setattr(feeds, "MOST_ENTRIES", 2)
        monkeypatch.setattr(clock, "now", lambda: FDP_AT - HOUR)
        found = entries(new_link(world.buyer))
        assert set(found) == {"date-FDP", "date-GL"}, "kick-off is over"


class TestTheSameBytes:
    def test_an_unchanged_calendar_is_the_same_days_later(self, token, monkeypatch):
        first = read(token)
        monkeypatch.setattr(clock, "now", lambda: datetime(2027, 3, 3, tzinfo=UTC))
        second = read(token)
        assert second.content == first.content
        again = read(token, if_none_match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")

    def test_a_date_that_moves_keeps_its_uid_and_counts_up(self, world, token):
        before, etag = entries(token), read(token)["ETag"]
        world.start_cut_over(FDP_AT + HOUR)
        after = entries(token)
        moved, stayed = "date-FDP", "date-KO"
        assert after[moved]["UID"] == before[moved]["UID"]
        assert after[moved]["SEQUENCE"] == before[moved]["SEQUENCE"] + 1
        assert after[moved]["LAST-MODIFIED"].dt >= before[moved]["LAST-MODIFIED"].dt
        assert after[stayed].to_ical() == before[stayed].to_ical()
        assert read(token, if_none_match=etag).status_code == 200

    def test_programs_are_told_how_often_to_ask(self, token):
        calendar = Calendar.from_ical(read(token).content)
        assert calendar["REFRESH-INTERVAL"].to_ical() == b"PT1H"
        assert str(calendar["X-PUBLISHED-TTL"]) == "PT1H"
        assert str(calendar["METHOD"]) == "PUBLISH"


class TestRights:
    def refused(self, token) -> bytes:
        answer = read(token)
        assert answer.status_code == 404
        return answer.content.replace(token.encode(), b"")  # the way to sign-in leads back here

    def test_it_is_read_without_signing_in_and_without_cookies(self, token):
        answer = read(token)
        assert answer.status_code == 200
        assert not answer.cookies
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert "private" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Referrer-Policy"] == "no-referrer"

    @time_machine.travel(MONDAY)  # for a printer, every page says the minute it was made
    def test_whatever_ends_a_link_the_answer_is_that_to_an_unknown_one(self, world, token):
        unknown = self.refused("guessed")
        assert self.refused("") == unknown
        own = new_link(world.manager)
        administrator = factories.make_person(Role.ADMINISTRATOR)

        close_account(person=world.manager, by=administrator, at=MONDAY)
        assert self.refused(token) == self.refused(own) == unknown
        open_account(person=world.manager, by=administrator, at=MONDAY)
        assert read(token).status_code == read(own).status_code == 200

        world.manager.memberships.update(valid_to=date(2026, 1, 1))
        assert self.refused(token) == self.refused(own) == unknown, "who has left sees nothing"

    def test_a_deleted_migration_is_gone(self, world, token):
        services.delete_migration(
            migration=world.migration, reason="A mistake", by=world.project_manager, at=MONDAY
        )
        self.refused(token)

    def test_a_new_link_ends_the_old_one(self, world, token):
        new = new_link(world.manager, world.migration)
        self.refused(token)
        assert read(new).status_code == 200

    def test_removing_a_link_ends_it_and_no_other(self, world, token):
        own = new_link(world.manager)
        links.revoke_link(migration=world.migration, by=world.manager, at=MONDAY)
        links.revoke_link(migration=world.migration, by=world.manager, at=MONDAY)
        self.refused(token)
        assert read(own).status_code == 200
        kinds = list(History.objects.of("site").order_by("seq").values_list("kind", flat=True))
        assert kinds == [
            "calendar.link_made",
            "calendar.link_made",
            "calendar.link_revoked",
        ]

    def test_a_page_sent_twice_does_not_end_the_link_it_has_shown(self, world, token):
        with pytest.raises(Conflict):
            links.make_link(migration=world.migration, seen=None, by=world.manager, at=MONDAY)
        assert read(token).status_code == 200

    def test_the_token_is_nowhere_in_the_database(self, world, token):
        assert len(token) >= 43
        link = CalendarLink.objects.get()
        assert token not in str(vars(link))
        assert token not in str(list(History.objects.values()))

    def test_a_link_remembers_when_it_was_read_to_the_hour(self, token, monkeypatch):
        times = [MONDAY, MONDAY + timedelta(minutes=30), MONDAY + 2 * HOUR]
        noted = []
        for time in times:
            monkeypatch.setattr(clock, "now", lambda time=time: time)
            read(token)
            noted.append(CalendarLink.objects.get().used_at)
        assert noted == [times[0], times[0], times[2]]


def test_thirty_migrations_take_as_many_queries_as_one(world):
    token = new_link(world.project_manager)
    read(token)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert read(token).status_code == 200
        return len(queries)

    one = statements()
    version = PlanVersion.objects.get()
    for _ in range(29):
        factories.make_migration(
            run_by=world.partner,
            project_manager=world.project_manager,
            plan_version=version,
            source_system=world.old,
            target_system=world.new,
        )
    assert Migration.objects.count() == 30
    assert statements() == one
    assert one <= 15


class TestPages:
    def test_the_address_is_shown_once_when_it_is_made(self, client, world):
        client.force_login(world.manager)
        page = client.post("/calendar/make/")
        address = re.search(r"https?://\S+/calendar/feed\.ics\?link=([\w-]+)", text(page))
        assert address
        assert read(address[1]).status_code == 200
        assert "no-store" in page["Cache-Control"]
        assert address[1] not in text(client.get("/calendar/"))

    def test_reloading_that_page_makes_no_other_link(self, client, world):
        client.force_login(world.manager)
        client.post("/calendar/make/")
        again = client.post("/calendar/make/", follow=True)
        assert "nothing was changed" in text(again)
        assert CalendarLink.objects.count() == 1

    def test_a_migration_and_the_own_account_lead_to_them(self, client, world):
        client.force_login(world.manager)
        url = f"/migrations/{world.migration.reference}/calendar/"
        assert url in text(client.get(f"/migrations/{world.migration.reference}/"))
        assert "/calendar/" in text(client.get("/account/"))
        page = client.post(f"{url}make/")
        assert "Your new calendar link" in text(page)
        assert url in text(client.get("/calendar/")), "the own page names every link"
        assert "no longer works" in text(client.post(f"{url}revoke/", follow=True))
        assert url not in text(client.get("/calendar/"))


def text(response) -> str:
    return response.content.decode()


def titles(token: str) -> set[str]:
    """The UIDs and titles of a feed, in which references stand."""
    found = Calendar.from_ical(read(token).content).events
    return {str(entry["UID"]) for entry in found}


def tick(world, code: str, by) -> None:
    task = world.migration.tasks.get(code=code)
    services.tick_task(task=task, by=by, at=MONDAY)
