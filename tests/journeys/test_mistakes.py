"""What happens when somebody makes a mistake, or the session ends while they type."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

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


def test_when_the_session_ends_she_signs_in_and_is_back(visitor: Visitor, practice_manager):
    # Given a task's page on which she types a note
    title = "Check the data that came over"
    visitor.follows(title)
    visitor.enters("The pharmacist checks them on Friday.", "Add a note")

    # When her session ends before she presses the button
    Session.objects.all().delete()
    visitor.presses("Add note")

    # Then she is told, signs in, and is back on that page
    visitor.is_on("Sign in")
    visitor.is_told("this was not saved")
    visitor.enters(practice_manager.email, "Email address")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.presses("Sign in")
    visitor.is_on(title)
