"""The workbench in a browser: its main pages are accessible on a phone and on a wide screen."""

import pytest
from playwright.sync_api import expect

from practices.accounts.roles import Role
from practices.common import clock
from practices.plans.services import draft_from
from tests.factories import make_person

from .given import CUT_OVER_PLAN, shipped_plan
from .visitor import AXE, FAULTS, FITS, RULES, Visitor

HOME = f"/plans/{CUT_OVER_PLAN}/draft/"
PAGES = (
    *("/plans/", "/plans/new/", HOME, f"{HOME}details/", f"{HOME}changes/", f"{HOME}go-live/"),
    *(f"{HOME}{kind}/" for kind in ("key-dates", "phases", "gates", "clocks", "reminders")),
    *(f"{HOME}conditions/", f"{HOME}phases/cutover/", f"{HOME}phases/cutover/tasks/"),
    *(f"{HOME}key-dates/FDP/", f"{HOME}tasks/CUT-16/", f"{HOME}gates/go_live_data/"),
    *(f"{HOME}clocks/cut_over/", f"{HOME}reminders/drug_mapping/", f"{HOME}add/conditions/"),
    *(f"{HOME}add/tasks/?phase=cutover", f"{HOME}phases/cutover/merge/"),
    *(f"{HOME}phases/cutover/remove/", f"/plans/{CUT_OVER_PLAN}/2/publish/"),
)


@pytest.fixture
def administrator(live_app):
    person = make_person(Role.ADMINISTRATOR, name="Ada Admin")
    draft_from(version=shipped_plan(), by=person, at=clock.now())
    return person


@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_of_the_workbench_fits_and_has_no_fault(new_visitor, administrator, width):
    v: Visitor = new_visitor()
    v.signs_in(administrator, at=HOME)
    v.page.set_viewport_size({"width": width, "height": 900})
    for address in PAGES:
        answer = v.page.goto(address)
        assert answer.ok, address
        expect(v.page.get_by_role("heading", level=1)).to_have_count(1)
        v.page.wait_for_function(FITS, arg=width)
        v.page.evaluate(AXE)
        assert v.page.evaluate(FAULTS, RULES) == [], address
