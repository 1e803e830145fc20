"""A migration's home: what each person finds there, and how it keeps up to date."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
import time_machine

from practices.common.templatetags.uk import uk_datetime
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.models import Bypass
from practices.tracking.services import ContactDetails
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY

from .cast import count_queries, make_big_plan, make_cast

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    return make_cast(
        contacts=[
            ContactDetails(role="target_supplier", name="Tess Target", telephone="0300 555 0101")
        ]
    )


@pytest.fixture
def at(client):
    """The page as a person finds it at an instant, as plain text."""

    def look(who, url, now=MONDAY, **headers):
        with time_machine.travel(now, tick=False):
            client.force_login(who)
            return client.get(url, headers=headers)

    return look


def words(response):
    """The page's text without markup, in one line."""
    text: list[str] = []
    parser = HTMLParser()
    parser.handle_data = text.append
    parser.feed(response.content.decode())
    return " ".join(" ".join(text).split())


@pytest.fixture
def cut_over(cast):
    services.record_actual(
        migration=cast.migration,
        key="FDP",
        when=Moment.of_instant(FDP_AT),
        by=cast.manager,
        at=FDP_AT,
    )


def test_the_practice_finds_its_own_migration(cast, at):
    page = words(at(cast.manager, cast.url()))
    assert "Elm Tree Surgery (Z9" in page
    assert "Your migration" in page
    assert "70 days to go" in page
    assert "Mon 12 Apr 2027, 08:00 BST" in page
    assert "0 of 8 done" in page
    assert "0300 555 0101" in page


def test_what_to_do_next_is_mine_and_soonest_first(cast, at):
    response = at(cast.manager, cast.url())
    codes = [row.task.code for row in response.context["rows"]]
    assert codes == ["CUT-02", "CUT-04", "GL-01", "POST-02"]
    assert "What to do next" in words(response)


def test_at_most_five_are_shown_and_blocked_ones_wait(at):
    cast = make_cast(plan_version=make_big_plan(9))
    services.block_task(task=cast.task("MORE-1"), reason="waits", by=cast.manager, at=MONDAY)
    rows = at(cast.manager, cast.url()).context["rows"]
    assert len(rows) == 5
    assert "MORE-1" not in {row.task.code for row in rows}


def test_who_has_no_task_sees_what_is_due_next(cast, at):
    response = at(cast.national_viewer, cast.url())
    page = words(response)
    assert "Due next" in page
    assert "Mark as done" not in page


@pytest.mark.parametrize(
    ("after", "said", "tag"),
    [
        (timedelta(hours=31), "41 hours left of 72", "Running"),
        (timedelta(hours=62, minutes=30), "9 hours 30 minutes left of 72", "Ending soon"),
        (timedelta(hours=72), "0 minutes over 72 hours", "Over the limit"),
        (timedelta(hours=77), "5 hours over 72 hours", "Over the limit"),
    ],
)
def test_the_cut_over_clock_says_what_is_left(cast, cut_over, at, after, said, tag):
    page = words(at(cast.manager, cast.url(), FDP_AT + after))
    assert said in page
    assert tag in page
    limit = "Limit passed on" if tag == "Over the limit" else "72-hour limit:"
    assert f"{limit} Mon 12 Apr 2027, 18:30 BST" in page


def test_the_clocks_bring_themselves_up_to_date_and_only_they(cast, cut_over, at):
    response = at(cast.manager, cast.url("clocks"), FDP_AT + timedelta(hours=31), **HTMX)
    assert "41 hours left of 72" in words(response)
    body = response.content.decode()
    assert "<html" not in body
    assert f'hx-get="{cast.url("clocks")}" hx-trigger="every 45s"' in body


@pytest.mark.parametrize(
    ("who", "words_of_the_link"),
    [
        ("staff", "Show key dates"),
        ("trainer", "Show key dates"),
        ("manager", "Show key dates and change them"),
        ("project_manager", "Show key dates and change them"),
    ],
)
def test_only_who_may_change_key_dates_is_told_they_can(cast, at, who, words_of_the_link):
    page = at(getattr(cast, who), cast.url()).content.decode()
    assert f'<a href="{cast.url("dates")}">{words_of_the_link}</a>' in page


def test_without_scripts_the_clocks_address_leads_home(cast, at):
    assert at(cast.manager, cast.url("clocks")).headers["Location"] == cast.url()


def test_a_stopped_clock_says_what_it_came_to(cast, cut_over, at):
    manager = cast.manager
    gate = cast.migration.gates.get()
    services.record_bypass(gate=gate, reason="Storm", by=cast.project_manager, at=FDP_AT)
    services.confirm_bypass(bypass=Bypass.objects.get(), by=manager, at=FDP_AT)
    services.record_actual(
        migration=cast.migration,
        key="GL",
        when=Moment.of_instant(GO_LIVE_AT),
        by=manager,
        at=GO_LIVE_AT,
    )
    page = words(at(manager, cast.url(), GO_LIVE_AT + timedelta(days=3)))
    assert "Took 61 hours 30 minutes of 72 hours" in page
    assert "42 days left of 45" in page
    assert "45-day limit: the end of Thursday 27 May 2027" in page
    assert "3 days ago" in page
    last_day = words(at(manager, cast.url(), GO_LIVE_AT + timedelta(days=45)))
    assert "Last day of 45" in last_day
    over = words(at(manager, cast.url(), GO_LIVE_AT + timedelta(days=46)))
    assert "1 day over 45 days" in over
    assert "Limit passed at the end of Thursday 27 May 2027" in over


def test_a_step_without_its_sign_off_is_shown_for_ever(cast, at):
    gate = cast.migration.gates.get()
    services.record_bypass(gate=gate, reason="Storm damage", by=cast.project_manager, at=MONDAY)
    page = words(at(cast.manager, cast.url()))
    assert "A second person has to confirm it" in page
    services.confirm_bypass(bypass=Bypass.objects.get(), by=cast.manager, at=MONDAY)
    page = words(at(cast.staff, cast.url()))
    assert "went ahead without its sign-off" in page
    assert "confirmed by Alice Manager" in page
    assert "Storm damage" in page
    assert "Went ahead without sign-off" in page


def test_late_tasks_are_counted_and_the_link_opens_exactly_them(cast, at, client):
    now = GO_LIVE_AT + timedelta(days=2)
    response = at(cast.manager, cast.url(), now)
    assert "6 tasks are late , 3 of them yours" in words(response)
    listed = at(cast.manager, cast.url("tasks") + "?show=overdue&sort=due", now)
    assert len(listed.context["rows"]) == 6


def test_phases_show_how_far_they_are(cast, at):
    def line(key, now=MONDAY):
        phases = at(cast.manager, cast.url(), now).context["phases"]
        return next((line.status, line.hint) for line in phases if line.phase.key == key)

    assert line("cut_over") == ("Not started", "0 of 4 done")
    services.record_actual(
        migration=cast.migration,
        key="FDP",
        when=Moment.of_instant(MONDAY),
        by=cast.manager,
        at=MONDAY,
    )
    services.block_task(task=cast.task("CUT-02"), reason="waits", by=cast.manager, at=MONDAY)
    assert line("cut_over", MONDAY + timedelta(days=3)) == (
        "In progress",
        "1 of 4 done, 1 blocked, 2 late",
    )
    for code in ("CUT-02", "CUT-03"):
        services.tick_task(task=cast.task(code), by=cast.manager, at=MONDAY)
    assert line("cut_over") == ("Waiting for sign-off", "3 of 4 done")
    services.set_task_aside(task=cast.task("GL-02"), reason="no", by=cast.manager, at=MONDAY)
    assert line("go_live") == ("In progress", "0 of 1 done")


def test_links_to_acts_are_only_for_those_who_may(cast, at):
    def links(who):
        return [text for text, _ in at(who, cast.url()).context["links"]]

    assert links(cast.staff) == ["History"]
    assert links(cast.manager) == ["Record final data production", "History"]
    assert "Cancel the migration" in links(cast.project_manager)
    assert "Change go-live" in links(cast.project_manager)


def test_a_cancelled_migration_is_read_only_and_says_why(cast, at):
    services.cancel_migration(
        migration=cast.migration, reason="Practice merged", by=cast.project_manager, at=MONDAY
    )
    page = words(at(cast.manager, cast.url()))
    assert f"Cancelled on {uk_datetime(MONDAY)}. Reason: Practice merged" in page
    assert "Mark as done" not in page


@pytest.mark.parametrize("who", ["manager", "project_manager", "commissioner", "national_viewer"])
def test_the_page_takes_the_same_queries_for_8_tasks_and_for_300(client, who):
    few, many = make_cast(), make_cast(plan_version=make_big_plan(299))
    counted = [count_queries(client, getattr(cast, who), cast.url()) for cast in (few, many)]
    assert counted[0] == counted[1] <= 20


def test_strangers_find_nothing(cast, at):
    assert at(cast.stranger, cast.url()).status_code == 404
    assert at(cast.stranger, cast.url("clocks"), **HTMX).status_code == 404
