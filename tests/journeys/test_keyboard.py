"""The two acts that matter most, a tick and a sign-off, with the keyboard and nothing else."""

from datetime import timedelta
from typing import Literal

from playwright.sync_api import Locator, expect

from practices.accounts.roles import Role
from practices.common import clock
from tests.factories import make_migration, make_person, make_practice

from .visitor import PASSWORD, Visitor

MANY = 60  # presses of Tab after which a person gives up


class Keyboard:
    """Moves, types and presses as somebody without a mouse does."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.keys = visitor.page.keyboard

    def goes_to(self, target: Locator) -> None:
        """Tab until the target has the focus."""
        for _ in range(MANY):
            self.keys.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{target} is not within {MANY} presses of Tab")

    def types(self, text: str, label: str) -> None:
        self.goes_to(self.visitor.main.get_by_role("textbox", name=label))
        self.keys.type(text)

    def follows(self, role: Literal["link", "button"], name: str) -> None:
        """Press Enter on a link or a button that leads to another page."""
        self.goes_to(self.visitor.main.get_by_role(role, name=name, exact=True))
        with self.visitor.page.expect_navigation():
            self.keys.press("Enter")


def test_a_tick_and_a_sign_off_by_keyboard(visitor: Visitor):
    # Given a small migration with two tasks before its sign-off
    practice = make_practice()
    manager = make_person(Role.PRACTICE_MANAGER, practice, name="Alice Manager")
    now = clock.now()
    make_migration(
        practice=practice,
        at=now - timedelta(days=30),
        go_live_at=now + timedelta(days=3),
        fdp_at=now + timedelta(hours=10),
    )
    she = Keyboard(visitor)
    page = visitor.page

    # When she signs in
    page.goto("/")
    she.types(manager.email, "Email address")
    she.types(PASSWORD, "Password")
    she.follows("button", "Sign in")
    visitor.is_on("Your migration")

    # And ticks a task
    title = "Check the data that came over"
    she.goes_to(visitor.main.get_by_role("button", name="Mark as done").filter(has_text=title))
    she.keys.press("Enter")

    # Then it is done, the focus stays with the task, and a screen reader is told
    expect(visitor.main.get_by_role("link", name=title)).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("CUT-02 is done.")

    # When she signs off, with a reason for the other task
    she.follows("link", "Go-live data")
    she.follows("button", "Read and sign")
    she.types("Twenty of thirty are checked", "CUT-03")
    she.follows("button", "Continue")
    she.types("Alice Manager", "Your full name")
    she.goes_to(visitor.main.get_by_role("checkbox", name="I declare"))
    she.keys.press("Space")
    she.follows("button", "Sign")

    # Then it is signed
    visitor.is_on("Signed: Go-live data")
