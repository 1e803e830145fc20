"""The workbench in a browser: on a phone and a wide screen, by keyboard, without scripts."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from practices.accounts.roles import Role
from practices.common import clock
from practices.plans.services import draft_from
from tests.factories import make_person

from .given import CUT_OVER_PLAN, shipped_plan
from .visitor import Visitor

HOME = f"/plans/{CUT_OVER_PLAN}/draft/"
PAGES = (
    *("/plans/", "/plans/new/", HOME, f"{HOME}details/", f"{HOME}changes/", f"{HOME}go-live/"),
    *(f"{HOME}{kind}/" for kind in ("key-dates", "phases", "gates", "clocks", "reminders")),
    *(f"{HOME}conditions/", f"{HOME}phases/cutover/", f"{HOME}phases/cutover/tasks/"),
    *(f"{HOME}key-dates/FDP/", f"{HOME}tasks/CUT-16/", f"{HOME}gates/go_live_data/"),
    *(f"{HOME}clocks/cut_over/", f"{HOME}reminders/drug_mapping/", f"{HOME}add/conditions/"),
    *(f"{HOME}add/tasks/?phase=cutover", f"{HOME}phases/cutover/merge/"),
    *(f"{HOME}phases/cutover/remove/", f"/plans/{CUT_OVER_PLAN}/2/publish/"),
    *(f"/plans/{CUT_OVER_PLAN}/2/preview/", f"/plans/{CUT_OVER_PLAN}/2/check/"),
)


@pytest.fixture
def administrator(live_app):
    person = make_person(Role.ADMINISTRATOR, name="Ada Admin")
    draft_from(version=shipped_plan(), by=person, at=clock.now())
    return person


def test_every_page_of_the_workbench_fits_and_has_no_fault(new_visitor, administrator):
    v: Visitor = new_visitor()
    v.signs_in(administrator, at=HOME)
    for address in PAGES:
        v.looks_at(address)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_limit_is_changed_and_taken_back(new_visitor, administrator, scripts):
    v: Visitor = new_visitor(scripts=scripts)
    v.signs_in(administrator, at=HOME)
    v.follows("Clocks")
    v.follows("Old-system access")
    v.enters("90", "Limit")
    v.presses("Save")
    v.is_told("“Old-system access” is saved.")
    v.sees("90 days")
    v.opens(f"{HOME}changes/")
    v.sees("limit from 45 days to 90 days")
    v.presses(re.compile("Take back"))
    v.is_told("The change is taken back.")
    v.sees("Taken back")


def test_the_date_follows_what_is_typed(new_visitor, administrator):
    v: Visitor = new_visitor()
    v.signs_in(administrator, at=f"{HOME}tasks/CUT-16/")
    v.enters_day(date(2027, 3, 12), "Sample go-live")
    v.main.get_by_role("button", name="Show the dates").click()
    v.sees("For a go-live on Friday 12 March 2027 this is due Thursday 11 March 2027.")
    v.enters("24", "How many")
    v.main.get_by_label("Unit", exact=True).first.select_option("working days")
    v.sees("For a go-live on Friday 12 March 2027 this is due Monday 8 February 2027.")
    v.enters("CUT-32", "Waits for task 1")
    v.sees("Without waiting for CUT-32 it would be due Monday 8 February 2027.")
    v.presses("Save")
    v.sees("waits for CUT-32")


def test_a_task_is_moved_by_keyboard_and_by_dragging(new_visitor, administrator):
    v: Visitor = new_visitor()
    v.signs_in(administrator, at=f"{HOME}phases/cutover/tasks/")
    rows = v.main.locator("[data-app-key]")
    first, second, third = (rows.nth(place).get_attribute("data-app-key") for place in range(3))
    with v.page.expect_navigation():
        rows.nth(0).get_by_role("button", name="Move down").focus()
        v.page.keyboard.press("Enter")
    expect(rows.nth(1)).to_have_attribute("data-app-key", first)
    expect(rows.nth(1)).to_be_focused()
    with v.page.expect_navigation():
        rows.nth(0).drag_to(rows.nth(2))
    for place, code in enumerate((first, third, second)):
        expect(rows.nth(place)).to_have_attribute("data-app-key", code)


def test_a_task_is_dragged_into_another_phase(new_visitor, administrator):
    v: Visitor = new_visitor()
    v.signs_in(administrator, at=f"{HOME}phases/cutover/tasks/")
    row = v.main.locator("[data-app-key]").first
    code = row.get_attribute("data-app-key")
    with v.page.expect_navigation():
        row.drag_to(v.main.get_by_role("link", name="Go-live", exact=True))
    expect(v.main.get_by_role("heading", level=1)).to_contain_text("Go-live")
    expect(v.main.locator("[data-app-key]").last).to_have_attribute("data-app-key", code)
    v.is_told(f"{code} is moved to the end of this phase.")
