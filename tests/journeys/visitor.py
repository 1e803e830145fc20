"""A person at a browser: what they do there, in the words of a story.

Every page a visitor comes to is inspected: one heading, nothing that scrolls sideways on a phone,
nothing fetched from another host and, where scripts run, no fault that axe finds.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from email.message import EmailMessage

from django.conf import settings
from playwright.sync_api import Locator, Page, Request, ViewportSize, expect

from practices.accounts.models import User
from practices.common.time import to_london
from tests.support.site import MailServer

PASSWORD = "correct horse battery"  # of everybody tests.factories makes
AXE = (settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async rules =>
  (await axe.run(document, { runOnly: rules, resultTypes: ["violations"] })).violations.map(
    fault => fault.id + ": " + fault.nodes.map(node => node.html).join(" | "))"""
# The address of a page, whatever it is about, and the kinds of elements it is made of.
SHAPE = """() => location.pathname.replace(/[^/]*\\d[^/]*/g, "#") +
  [...new Set([...document.querySelectorAll("body *")].map(
    element => element.tagName + element.className + (element.role ?? "")))].sort().join()"""
# Nothing when the page has put another element in its place.
HAS_THE_FOCUS = """element => !element.isConnected ? null : element === document.activeElement
    || element.type === "radio" && element.name === document.activeElement.name"""
MANY = 400  # presses of a key after which a person gives up
FITS = "width => document.documentElement.scrollWidth <= width"
PHONE: ViewportSize = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 900}
INSPECTED: set[tuple[bool, str]] = set()  # shapes of pages, with scripts and without
Words = str | re.Pattern[str]


@dataclass
class Visitor:
    """Somebody with a browser of their own. ``scripts`` says whether JavaScript runs in it."""

    page: Page
    site: str
    scripts: bool = True
    abroad: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        """Keep what went to another host, and every request but those for a page's parts."""
        if request.url.startswith("http") and not request.url.startswith(self.site):
            self.abroad.append(request.url)
        if request.resource_type in ("document", "xhr", "fetch"):
            self.sent.append(f"{request.method} {request.url.removeprefix(self.site)}")

    @property
    def main(self) -> Locator:
        """The page without header, menu and footer."""
        return self.page.get_by_role("main")

    # What a person does

    def opens(self, address: str) -> None:
        """Type an address."""
        self.page.goto(address)
        self.inspects_the_page()

    def signs_in(self, user: User, *, at: str = "/") -> None:
        """Come to ``at`` and be asked who they are first."""
        self.opens(at)
        self.enters(user.email, "Email address")
        self.types(PASSWORD, self.page.get_by_label("Password", exact=True))
        self.presses("Sign in")

    def follows(self, link: Words, *, within: Locator | None = None) -> None:
        """Click a link of the page, or of a part of it, that leads to another page."""
        place = within or self.main
        exact = isinstance(link, str)
        self._arrives_by(place.get_by_role("link", name=link, exact=exact).first)

    def goes_home(self) -> None:
        self._arrives_by(self.page.get_by_role("link", name="NHS Migration Tracker homepage"))

    def chooses(self, entry: str) -> None:
        """Click an entry of the menu."""
        menu = self.page.get_by_role("navigation", name="Menu")
        self._arrives_by(menu.get_by_role("link", name=entry, exact=True))

    def presses(self, button: Words, *, within: Locator | None = None) -> None:
        """Press a button that answers with a page."""
        place = within or self.main
        exact = isinstance(button, str)
        self._arrives_by(place.get_by_role("button", name=button, exact=exact))

    def _arrives_by(self, way: Locator) -> None:
        with self.page.expect_navigation():
            self.acts_on(way)
        self.inspects_the_page()

    def acts_on(self, way: Locator) -> None:
        """Work a link or a button."""
        way.click()

    def types(self, text: str, box: Locator) -> None:
        """Put this into a box, instead of what is there."""
        box.fill(text)

    def picks(self, option: Words) -> None:
        """Choose one of several round buttons."""
        self.main.get_by_role("radio", name=option).check()

    def selects(self, option: str, label: str) -> None:
        """Choose from a list that folds out."""
        self.main.get_by_label(label, exact=True).select_option(option)

    def unfolds(self, text: Words, *, within: Locator | None = None) -> None:
        """Open what is folded away under these words."""
        self.acts_on((within or self.main).locator("summary").filter(has_text=text))

    def enters(self, text: str, label: Words) -> None:
        """Type into the box with this label."""
        self.types(text, self.main.get_by_label(label, exact=isinstance(label, str)))

    def enters_day(self, day: date, question: str = "") -> Locator:
        """Type a day into three boxes, of this question or the page's only ones."""
        boxes = self.main.get_by_role("group", name=question).filter(
            has=self.page.get_by_label("Day", exact=True)
        )
        for part, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            self.types(str(value), boxes.get_by_label(part, exact=True))
        return boxes

    def enters_time(self, at: datetime, question: str = "") -> None:
        """Type a day and the time on a London clock."""
        local = to_london(at)
        boxes = self.enters_day(local, question)
        self.types(f"{local:%H:%M}", boxes.get_by_label("Time", exact=True))

    def downloads(self, link: str) -> bytes:
        """Save what a link hands out."""
        with self.page.expect_download() as saved:
            self.main.get_by_role("link", name=link).click()
        return saved.value.path().read_bytes()

    # What a person sees

    def is_on(self, heading: Words) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    def sees(self, *texts: Words, within: Locator | None = None) -> None:
        for text in texts:
            shown = (within or self.main).get_by_text(text).filter(visible=True)
            expect(shown.first).to_be_visible()

    def does_not_see(self, text: str, within: Locator | None = None) -> None:
        expect((within or self.main).get_by_text(text)).to_have_count(0)

    def is_told(self, *texts: Words) -> None:
        """A banner on top says what has been done."""
        banner = self.main.get_by_role("alert").filter(visible=True)
        for text in texts:
            expect(banner.first).to_contain_text(text)

    def task(self, code: str) -> Locator:
        """The row of a task in a list."""
        return self.main.get_by_role("listitem").filter(has=self.page.get_by_text(code, exact=True))

    def row(self, text: str) -> Locator:
        """The row of a table that holds this text."""
        return self.main.get_by_role("row").filter(has_text=text)

    def looks_at(self, address: str) -> None:
        """Type an address, and look at the page on a phone and on a wide screen."""
        answer = self.page.goto(address)
        assert answer
        assert answer.ok, address
        expect(self.page.get_by_role("heading", level=1)).to_have_count(1)
        self.page.evaluate(AXE)
        for size in (PHONE, WIDE):
            self.page.set_viewport_size(size)
            self.page.wait_for_function(FITS, arg=size["width"])
            assert self.page.evaluate(FAULTS, RULES) == [], (address, size)

    def inspects_the_page(self) -> None:
        """What holds for every page. One that shows no new kind of element is passed over.

        Also when it was another visitor who saw it: stories are told with the mouse, with the
        keyboard and without scripts, and lead over the same pages.
        """
        expect(self.page.get_by_role("heading", level=1)).to_have_count(1)
        assert self.abroad == []
        shape = (self.scripts, self.page.evaluate(SHAPE))
        if shape in INSPECTED:
            return
        INSPECTED.add(shape)
        window = self.page.viewport_size
        assert window
        self.page.set_viewport_size(PHONE)
        # The menu folds a moment after the window has become narrow.
        self.page.wait_for_function(FITS, arg=PHONE["width"])
        self.page.set_viewport_size(window)
        if self.scripts:
            self.page.evaluate(AXE)
            assert self.page.evaluate(FAULTS, RULES) == [], self.page.url


class WithoutMouse(Visitor):
    """Somebody who has a keyboard and nothing else."""

    def goes_to(self, target: Locator) -> None:
        """Tab until the target has the focus, or a round button of its group."""
        element = target.element_handle()  # looked for once: it takes longer than to press Tab
        for _ in range(MANY):
            self.page.keyboard.press("Tab")
            found = element.evaluate(HAS_THE_FOCUS)
            if found:
                return
            if found is None:
                element = target.element_handle()
        raise AssertionError(f"{target} is not within {MANY} presses of Tab")

    def acts_on(self, way: Locator) -> None:
        self.goes_to(way)
        self.page.keyboard.press("Enter")

    def types(self, text: str, box: Locator) -> None:
        self.goes_to(box)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def picks(self, option: Words) -> None:
        button = self.main.get_by_role("radio", name=option)
        self.goes_to(button)
        self.page.keyboard.press("Space")
        for _ in range(MANY):
            if button.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{option} is not within {MANY} presses of an arrow key")

    def selects(self, option: str, label: str) -> None:
        box = self.main.get_by_label(label, exact=True)
        self.goes_to(box)
        self.page.keyboard.type(option)
        expect(box.locator("option:checked")).to_have_text(option)


def mail(server: MailServer, *, to: str, about: str) -> EmailMessage:
    """Wait for a mail to this address whose subject holds these words."""

    def found() -> list[EmailMessage]:
        return [m for m in server.messages if m["To"] == to and about in m["Subject"]]

    with server.arrived:
        there = server.arrived.wait_for(lambda: bool(found()), timeout=30)
    assert there, f"{[(m['To'], m['Subject']) for m in server.messages]}"
    return found()[0]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(["plain"])
    assert part
    return str(part.get_content())


def first_address(message: EmailMessage) -> str:
    """The first link of a mail."""
    found = re.search(r"https?://\S+", text_of(message))
    assert found
    return found.group()
