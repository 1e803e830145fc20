"""A project manager's way: start a migration, plan it again, see it among the others."""

import csv
import io
import re
from datetime import time, timedelta

from playwright.sync_api import expect

from practices.common.templatetags.uk import uk_datetime
from tests.factories import make_commissioner, make_practice

from .given import a_practice_whose_cut_over_begins, the_day
from .visitor import Visitor


class Journey:
    """The steps, in the order of the story below."""

    def __init__(self, visitor: Visitor) -> None:
        self.given = a_practice_whose_cut_over_begins()
        make_practice("Oak Street Surgery", commissioner=make_commissioner("NHS Other ICB"))
        self.visitor = visitor
        self.go_live = the_day(60, time(8))
        self.later = self.go_live + timedelta(days=14)

    def when_she_signs_in(self):
        self.visitor.signs_in(self.given.project_manager)

    def then_she_sees_her_migrations(self):
        v = self.visitor
        v.is_on("Portfolio")
        expect(v.row("Elm Tree Surgery")).to_have_count(1)

    def when_she_finds_the_practice(self):
        v = self.visitor
        v.chooses("Start a migration")
        v.page.get_by_role("searchbox", name="Find a practice").fill("oak str")
        v.presses("Search")
        v.main.get_by_role("radio", name="Oak Street Surgery").check()
        v.presses("Continue")
        v.is_on("Start a migration")

    def when_she_says_what_is_planned(self, *, hours: float):
        """... with so many hours of cut-over."""
        v = self.visitor
        v.main.get_by_role("radio", name="NHS cut-over to post go-live").check()
        v.main.get_by_label("Old system").select_option("Old Record")
        v.main.get_by_label("New system").select_option("New Record")
        v.enters_time(self.go_live, "Planned go-live")
        v.enters_time(self.go_live - timedelta(hours=hours), "Planned final data production")
        contact = v.main.get_by_role("group", name="New supplier")
        contact.get_by_label("Name").fill("Tess Target")
        contact.get_by_label("Telephone").fill("01632 960101")
        v.presses("Show the dates")

    def then_she_is_warned(self, *texts: str):
        v = self.visitor
        v.is_on("Check the dates")
        v.sees(*texts)
        expect(v.row("Go-live").first).to_contain_text(uk_datetime(self.go_live))

    def when_she_plans_a_shorter_cut_over(self):
        v = self.visitor
        v.presses("Change")
        expect(v.main.get_by_label("Name").first).to_have_value("Tess Target")
        v.enters_time(self.go_live - timedelta(hours=61), "Planned final data production")
        v.presses("Show the dates")
        v.is_on("Check the dates")
        v.does_not_see("over 72")

    def when_she_starts_it(self):
        self.visitor.presses("Start the migration")

    def then_the_overview_shows_it(self):
        v = self.visitor
        v.is_told("is started")
        v.is_on("Oak Street Surgery")
        v.sees("60 days to go", uk_datetime(self.go_live), "0 of 73 done", "Tess Target")

    def when_go_live_moves_by_two_weeks(self):
        v = self.visitor
        v.follows("Change go-live")
        v.enters_time(self.later)
        v.presses("Show what moves")

    def then_she_sees_everything_that_moves(self):
        v = self.visitor
        v.sees("Nothing is changed yet", re.compile("73 open tasks that move"))
        for name in ("Final data production", "Go-live", "End of old-system access"):
            expect(v.row(name).first).to_be_visible()
        expect(v.row("Go-live").first).to_contain_text(uk_datetime(self.later))

    def when_she_confirms(self):
        self.visitor.presses("Confirm the new dates")

    def then_the_dates_have_moved_and_the_old_ones_are_kept(self):
        v = self.visitor
        v.is_told("73 open tasks moved")
        expect(v.row("Go-live").first).to_contain_text(uk_datetime(self.later))
        v.follows("history")
        change = v.row("Go-live").first
        expect(change).to_contain_text(uk_datetime(self.go_live))
        expect(change).to_contain_text(uk_datetime(self.later))

    def when_she_opens_her_portfolio(self):
        self.visitor.chooses("Portfolio")

    def then_both_are_there(self):
        v = self.visitor
        expect(v.row("Oak Street Surgery")).to_contain_text(uk_datetime(self.later))
        expect(v.row("Elm Tree Surgery")).to_be_visible()

    def then_each_counter_opens_exactly_what_it_counts(self):
        v = self.visitor
        cards = v.main.get_by_role("list", name="What needs somebody").get_by_role("listitem")
        counted = {
            card.get_by_role("link").inner_text(): int(card.locator("p").inner_text())
            for card in cards.all()
        }
        assert counted["With overdue tasks"] == 1
        for text, number in counted.items():
            v.follows(text)
            assert self._practices().count() == number, text
            self.when_she_opens_her_portfolio()

    def _practices(self):
        return self.visitor.main.get_by_role("rowheader")

    def when_she_filters_by_practice(self, words: str):
        v = self.visitor
        v.unfolds("Filter the list")
        v.enters(words, "Practice name or ODS code")
        v.presses("Filter")

    def then_she_sees_and_downloads_only(self, name: str):
        v = self.visitor
        expect(self._practices()).to_have_count(1)
        expect(self._practices()).to_contain_text(name)
        rows = csv.DictReader(io.StringIO(v.downloads("Download").decode("utf-8-sig")))
        assert [row["Practice"] for row in rows] == [name]


def test_from_start_to_dashboard(visitor):
    she = Journey(visitor)

    she.when_she_signs_in()
    she.then_she_sees_her_migrations()
    she.when_she_finds_the_practice()
    she.when_she_says_what_is_planned(hours=80)
    she.then_she_is_warned("8 hours over")
    she.when_she_plans_a_shorter_cut_over()
    she.when_she_starts_it()
    she.then_the_overview_shows_it()

    she.when_go_live_moves_by_two_weeks()
    she.then_she_sees_everything_that_moves()
    she.when_she_confirms()
    she.then_the_dates_have_moved_and_the_old_ones_are_kept()

    she.when_she_opens_her_portfolio()
    she.then_both_are_there()
    she.then_each_counter_opens_exactly_what_it_counts()
    she.when_she_filters_by_practice("oak")
    she.then_she_sees_and_downloads_only("Oak Street Surgery")
