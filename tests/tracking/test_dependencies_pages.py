"""What waits, as pages show it: tags, links, no button, and what moves before it is saved."""

from datetime import timedelta

import pytest
import time_machine

from practices.tracking import queries
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY

from . import steps
from .cast import count_queries, make_cast
from .dependent import cast_with, plan_with, states, tick
from .test_dates_pages import messages, said

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def cast():
    return cast_with(after={"CUT-03": [("CUT-02",)], "GL-02": [("CUT-03", 2, "days")]})


@pytest.fixture
def page(client, cast):
    def page(*parts, who=None, **query):
        client.force_login(who or cast.manager)
        return client.get(cast.url(*parts), query)

    return page


def blocker(cast, code="CUT-02") -> str:
    return f'href="{cast.url("tasks", code)}"'


@pytest.mark.parametrize(
    "parts", [("phases", "cut_over"), ("tasks",), ("tasks", "CUT-03")], ids=" ".join
)
def test_a_waiting_task_says_for_what_and_leads_there(cast, page, parts):
    shown = said(page(*parts, show="all"))
    assert '<strong class="nhsuk-tag nhsuk-tag--grey">Waiting for CUT-02</strong>' in shown
    assert f'Waits for <a class="nhsuk-link" {blocker(cast)}>CUT-02 Check the data' in shown


def test_one_s_tasks_of_all_migrations_say_it_too(cast, client):
    client.force_login(cast.clinician)
    shown = said(client.get("/your-tasks/"))
    assert "Waiting for CUT-02" in shown
    assert blocker(cast) in shown


def test_it_has_no_button_and_a_press_from_an_old_page_is_refused_in_words(cast, client, page):
    address = cast.url("tasks", "CUT-03", "tick")
    assert f'action="{address}"' not in said(page("tasks", "CUT-03"))
    answer = client.post(address)
    assert answer.status_code == 422
    assert "CUT-03 cannot be done yet: it waits for CUT-02" in said(answer)
    assert states(cast, "CUT-03") == ["open"]


def test_ticking_several_names_what_had_to_wait(cast, client):
    client.force_login(cast.manager)
    chosen = {"code": ["CUT-03"]}
    answer = client.post(cast.url("phases", "cut_over", "tick"), chosen, follow=True)
    assert "CUT-03 cannot be done yet" in messages(answer)


def test_what_to_do_next_leaves_out_what_waits_until_its_turn(cast):
    viewer = queries.Viewer(cast.clinician, cast.migration, MONDAY)
    assert [row.task.code for row in queries.next_tasks(viewer)] == []
    tick(cast, "CUT-02")
    viewer = queries.Viewer(cast.clinician, cast.migration, MONDAY)
    assert [row.task.code for row in queries.next_tasks(viewer)] == ["CUT-03"]
    assert "GL-02" not in [row.task.code for row in queries.due_next(viewer)]


def test_a_lag_is_shown_with_the_day_it_ends(cast, page):
    tick(cast, "CUT-02")
    tick(cast, "CUT-03")
    shown = said(page("tasks", "GL-02"))
    assert "Waiting for CUT-03" in shown
    assert ", until " in shown


def test_reopening_says_that_what_was_done_after_it_stays_done(cast, client, page):
    tick(cast, "CUT-02")
    tick(cast, "CUT-03")
    asked = said(page("tasks", "CUT-02", "reopen"))
    assert "Done after it:" in asked
    task = cast.task("CUT-02")
    answer = client.post(
        cast.url("tasks", "CUT-02", "reopen"), {"version": task.version}, follow=True
    )
    assert "CUT-02 is to do again. CUT-03, done after it, stays done." in messages(answer)
    assert "Done already, although it comes after this" in said(page("tasks", "CUT-02"))


def test_a_date_by_hand_shows_what_moves_before_it_is_saved_and_moves_it_then(cast, client):
    client.force_login(cast.manager)
    task, address = cast.task("CUT-02"), cast.url("tasks", "CUT-02", "due")
    to = cast.task("GL-02").due_on + 30 * DAY
    sent = {
        "version": task.version,
        "due_on_day": to.day,
        "due_on_month": to.month,
        "due_on_year": to.year,
    }
    asked = client.post(address, sent)
    assert asked.status_code == 422
    assert "2 tasks come after CUT-02 and would move with it: CUT-03, GL-02" in said(asked)
    assert "What moves with it" in said(asked)
    assert cast.task("CUT-02").due_on == task.due_on
    agreed = asked.context["form"]["agreed"].value()
    assert client.post(address, {**sent, "agreed": agreed}).status_code == 302
    assert [cast.task(code).due_on for code in ("CUT-02", "CUT-03", "GL-02")] == [
        to,
        to,
        to + 2 * DAY,
    ]


def test_planning_again_lists_what_follows_among_what_moves(cast, client):
    client.force_login(cast.project_manager)
    to = GO_LIVE_AT + 14 * DAY
    asked = {
        "when_day": to.day,
        "when_month": to.month,
        "when_year": to.year,
        "when_time": "08:00",
    }
    shown = client.get(cast.url("dates", "GL", "plan"), asked)
    assert "GL-02" in {move.task.code for move in shown.context["plan"].tasks}


def test_recording_a_date_out_of_turn_says_what_to_do_first(client):
    cast = cast_with(after={"CUT-01": [("CUT-03",)]})
    client.force_login(cast.manager)
    address = cast.url("dates", "FDP", "record")
    shown = said(client.get(address))
    assert "Not its turn yet" in shown
    assert blocker(cast, "CUT-03") in shown
    with time_machine.travel(GO_LIVE_AT, tick=False):
        client.force_login(cast.manager)
        sent = {
            "when_day": FDP_AT.day,
            "when_month": FDP_AT.month,
            "when_year": FDP_AT.year,
            "when_time": "19:00",
        }
        answer = client.post(address, sent)
    assert answer.status_code == 422
    assert "CUT-01 cannot be done yet: it waits for CUT-03" in said(answer)
    assert steps.key_date(cast, "FDP").actual is None


def test_a_seat_out_of_turn_cannot_be_signed_and_says_why(client):
    cast = cast_with(after={"CUT-04": [("CUT-03",)]})
    client.force_login(cast.manager)
    answer = client.get(cast.url("sign-off", "go_live_data", "sign", "practice"), follow=True)
    assert "CUT-04 cannot be done yet: it waits for CUT-03" in messages(answer)


def test_lists_take_the_same_statements_for_one_waiting_task_and_for_many(client):
    few = make_cast(plan_version=plan_with(after={"CUT-03": [("CUT-02",)]}))
    codes = ("CUT-03", "CUT-04", "GL-01", "GL-02", "POST-01")
    many = make_cast(plan_version=plan_with(after={code: [("CUT-02",)] for code in codes}))
    for parts in ((), ("phases", "cut_over"), ("tasks",)):
        counts = [
            count_queries(client, cast.manager, f"{cast.url(*parts)}?show=all")
            for cast in (few, many)
        ]
        assert counts[0] == counts[1], parts
