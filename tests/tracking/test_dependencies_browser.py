"""Waiting tasks and questions about a practice in a browser: accessible, and on a phone."""

import pytest

from tests.journeys.visitor import Visitor

from .dependent import cast_with
from .test_tasks_browser import open_as

__all__ = ["open_as"]


@pytest.fixture
def cast(live_app):
    return cast_with(
        after={"CUT-03": [("CUT-02",)], "GL-02": [("CUT-03", 2, "days")], "CUT-01": [("CUT-03",)]},
        conditions={"dispensing": {}},
        applies={"CUT-02": ["dispensing"], "POST-01": ["not:dispensing"]},
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_every_changed_page_is_accessible_and_fits(cast, open_as, live_app, width):
    visitor = Visitor(open_as(cast.manager, width=width), live_app.url)
    for parts in (
        (),
        ("phases", "cut_over"),
        ("tasks", "CUT-03"),
        ("tasks", "CUT-02", "due"),
        ("dates", "FDP", "record"),
        ("practice",),
        ("practice", "dispensing"),
    ):
        visitor.opens(cast.url(*parts))


def test_a_tick_frees_what_waited_for_it(cast, open_as):
    page = open_as(cast.manager)
    page.goto(cast.url("phases", "cut_over"))
    row = page.locator("#task-CUT-03")
    assert row.get_by_role("button").count() == 0
    row.get_by_role("link", name="CUT-02 Check the data that came over").click()
    page.get_by_role("button", name="Mark as done").click()
    page.get_by_role("button", name="Undo").wait_for()
    page.goto(cast.url("phases", "cut_over"))
    row.get_by_role("button", name="Mark as done").press("Enter")
    row.get_by_role("button", name="Undo").wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_answer_is_given_with_the_keyboard_and_seen_on_the_list(
    cast, open_as, live_app, scripts
):
    page = open_as(cast.manager, javascript=scripts, width=320, height=640)
    visitor = Visitor(page, live_app.url, scripts=scripts)
    visitor.opens(cast.url("practice"))
    visitor.follows("Change Dispensing practice")
    page.get_by_role("radio", name="No", exact=True).press(" ")
    visitor.presses("Save the answer")
    assert "No longer to do: CUT-02." in page.locator(".nhsuk-notification-banner").inner_text()
    visitor.opens(cast.url("phases", "cut_over"))
    assert "Does not apply" in page.locator("#task-CUT-02").inner_text()


def test_a_date_by_hand_shows_first_what_moves(cast, open_as, live_app):
    page = open_as(cast.manager, width=320, height=640)
    visitor = Visitor(page, live_app.url)
    visitor.opens(cast.url("tasks", "CUT-02", "due"))
    page.get_by_label("Year").fill("2028")
    visitor.presses("Save due date")
    assert "What moves with it" in page.get_by_role("main").inner_text()
    visitor.presses("Yes, move these as well")
    assert "CUT-02 has a new due date." in page.locator(".nhsuk-notification-banner").inner_text()
