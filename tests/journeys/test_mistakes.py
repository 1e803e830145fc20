"""What happens when somebody makes a mistake, or the session ends while they type."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.common import clock
from tests.factories import make_migration, make_person, make_practice

from .visitor import PASSWORD, Visitor


@pytest.fixture
def practice_manager(visitor: Visitor):
    """Alice, signed in, whose migration goes live in three days."""
    practice = make_practice()
    now = clock.now()
    make_migration(
        practice=practice,
        at=now - timedelta(days=30),
        go_live_at=now + timedelta(days=3),
        fdp_at=now + timedelta(hours=10),
    )
    alice = make_person(Role.PRACTICE_MANAGER, practice, name="Alice Manager")
    visitor.signs_in(alice)
    return alice


def test_a_mistake_is_named_found_and_mended(visitor: Visitor, practice_manager):
    page, main = visitor.page, visitor.main

    # When she records final data production on a day that does not exist, and forgets the time
    visitor.follows("Record final data production")
    boxes = main.get_by_role("group").filter(has=page.get_by_label("Day", exact=True))
    for part, text in (("Day", "31"), ("Month", "2"), ("Year", "2026"), ("Time", "noon")):
        boxes.get_by_label(part, exact=True).fill(text)
    visitor.presses("Record it")

    # Then the title says so first, and the summary has the focus
    expect(page).to_have_title(re.compile("^Error: "))
    summary = main.locator(".nhsuk-error-summary").filter(has_text="There is a problem")
    expect(summary).to_be_focused()

    # And its link leads to the box, which still holds what she typed
    summary.get_by_role("link", name="must be a real date").click()
    expect(boxes.get_by_label("Day", exact=True)).to_be_focused()
    for part, text in (("Day", "31"), ("Month", "2"), ("Year", "2026"), ("Time", "noon")):
        expect(boxes.get_by_label(part, exact=True)).to_have_value(text)

    # When she mends it
    visitor.enters_time(clock.now() - timedelta(hours=3))
    visitor.presses("Record it")

    # Then it is recorded
    visitor.is_told("Final data production is recorded")
    expect(page).not_to_have_title(re.compile("^Error: "))


@pytest.mark.parametrize("scripts", [True, False])
def test_when_the_session_ends_nothing_she_typed_is_lost(new_visitor, practice_manager, scripts):
    # Given a task's page on which she types a note
    visitor = new_visitor(scripts=scripts)
    visitor.signs_in(practice_manager)
    title, note = "Check the data that came over", "The pharmacist checks them on Friday."
    visitor.follows(title)
    visitor.enters(note, "Add a note")

    # When her session ends before she presses the button
    Session.objects.all().delete()
    visitor.presses("Add note")

    # Then she is told, signs in, and sees what she typed
    visitor.is_on("Sign in")
    visitor.sees("You were signed out before this was saved.")
    signs_in_again(visitor, practice_manager)
    visitor.is_on("You were signed out before this was saved")
    visitor.sees(note)

    # And a press saves it on that page
    visitor.presses("Send it now")
    visitor.is_told("Your note is added.")
    visitor.is_on(title)
    visitor.sees(note)


def test_a_tick_in_place_waits_for_her_to_sign_in(visitor: Visitor, practice_manager):
    # Given a checklist, where a tick answers in place
    visitor.opens(f"{visitor.page.url}phases/cut_over/")
    tick = re.compile("^Mark as done Check the data that came over")
    checklist = visitor.page.url

    # When her session ends before she ticks
    Session.objects.all().delete()
    visitor.presses(tick)

    # Then she signs in, and may still throw it away
    visitor.is_on("Sign in")
    signs_in_again(visitor, practice_manager)
    visitor.presses("Throw it away")
    assert visitor.page.url == checklist
    expect(visitor.main.get_by_role("button", name=tick)).to_be_visible()


def signs_in_again(visitor: Visitor, person: User) -> None:
    visitor.enters(person.email, "Email address")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.presses("Sign in")
