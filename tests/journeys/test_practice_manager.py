"""A practice manager's way: from home through cut-over and go-live to the end of access."""

import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from practices.common import clock
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date
from practices.reminders import tasks as reminders

from .given import NEW_SUPPLIER, a_practice_whose_cut_over_begins, the_day
from .visitor import Visitor, first_address, mail, text_of

WAITING = "the results of the last ten"


class Journey:
    """The steps, in the order of the story below."""

    def __init__(self, visitor: Visitor) -> None:
        self.given = a_practice_whose_cut_over_begins()
        self.visitor = visitor
        self.final_extract = the_day(-2, time(18, 30))
        self.live = the_day(-1, time(22, 15))
        self.today = london_date(clock.now())

    def when_she_signs_in(self):
        self.visitor.signs_in(self.given.manager)

    def then_home_says_what_to_do_next(self):
        v = self.visitor
        v.is_on("Your migration")
        v.sees("What to do next", "Elm Tree Surgery", "Tomorrow", "are late", "01632 960101")
        assert v.main.get_by_role("button", name="Mark as done").count() == 5

    def when_she_ticks_the_first_of_them(self):
        v = self.visitor
        row = v.main.get_by_role("listitem").filter(
            has=v.page.get_by_role("button", name="Mark as done")
        )
        self.title = row.first.get_by_role("link").first.inner_text()
        v.sent.clear()
        row.first.get_by_role("button", name="Mark as done").click()

    def then_it_is_done_with_one_press(self):
        v = self.visitor
        if v.scripts:
            undo = v.main.get_by_role("button", name="Undo").filter(has_text=self.title)
            expect(undo).to_be_visible()
            assert len(v.sent) == 1, v.sent
            v.inspects_the_page()
        else:
            v.is_told("is done")
        v.sees("1 of 73 done")

    def when_she_opens_the_checklist(self, phase: str):
        self.visitor.goes_home()
        self.visitor.follows(phase)
        self.visitor.is_on(phase)

    def when_she_goes_back_to_the_checklist(self):
        """... by the way above the page."""
        v = self.visitor
        v.follows("Cut-over", within=v.page.get_by_role("navigation", name="Breadcrumb"))

    def when_she_ticks(self, *codes: str):
        for code in codes:
            self.visitor.task(code).get_by_role("checkbox").check()
        self.visitor.presses("Mark selected tasks as done")

    def then_she_is_told(self, *texts: str):
        self.visitor.is_told(*texts)

    def when_one_task_does_not_apply(self, code: str, reason: str):
        v = self.visitor
        self.when_she_opens_the_task(code)
        v.follows("It does not apply here")
        v.enters(reason, "Why it does not apply here")
        v.presses("Mark as not applicable")
        v.is_told(f"{code} is marked as not applicable")
        v.sees("Not applicable", reason)

    def when_one_task_has_to_wait(self, code: str, reason: str):
        v = self.visitor
        self.when_she_opens_the_task(code)
        v.follows("It cannot be done now")
        v.enters(reason, "What it is waiting for")
        v.presses("Mark as blocked")
        v.is_told(f"{code} is marked as blocked")
        v.sees(f"Waiting for: {reason}")

    def when_she_opens_the_task(self, code: str):
        self.visitor.follows(re.compile("."), within=self.visitor.task(code))

    def when_she_ticked_one_by_mistake(self, code: str):
        """... and takes it back."""
        v = self.visitor
        for button, sign in (("Mark as done", "Undo"), ("Undo", "Mark as done")):
            v.task(code).get_by_role("button", name=button).click()
            expect(v.task(code).get_by_role("button", name=sign)).to_be_visible()

    def when_she_notes_what_she_heard(self, code: str):
        v = self.visitor
        self.when_she_opens_the_task(code)
        v.enters("Rang the help desk. They call back on Monday.", "Add a note")
        v.presses("Add note")
        v.is_told("Your note is added")
        v.sees("They call back on Monday.")

    def when_she_shows_where_the_evidence_is(self):
        v = self.visitor
        v.unfolds("Add a link or a file")
        v.enters("https://documents.example.test/manual-log", "Web address")
        v.presses("Add evidence")
        v.is_told("The evidence is added")
        address = "https://documents.example.test/manual-log"
        link = v.main.get_by_role("link", name=address, exact=True)
        expect(link).to_be_visible()

    def when_she_records_the_final_extract(self):
        v = self.visitor
        v.goes_home()
        v.follows("Record final data production")
        v.enters_time(self.final_extract)
        v.presses("Record it")

    def then_she_is_told_when_cut_over_has_to_end(self):
        v = self.visitor
        end = uk_datetime(self.final_extract + timedelta(hours=72))
        v.is_told("Final data production is recorded", "72 hours", end)
        v.goes_home()
        v.sees(re.compile(r"hours? .*left of 72"), end)

    def when_she_wants_to_go_live(self):
        self.visitor.goes_home()
        self.visitor.follows("Record go-live")

    def then_the_sign_off_is_needed_first(self):
        v = self.visitor
        v.sees("This cannot be recorded before")
        v.follows("Go-live data")
        v.sees("satisfied that all of its data is across")

    def when_everything_else_of_cut_over_is_done(self, *, apart_from: str):
        v = self.visitor
        self.when_she_opens_the_checklist("Cut-over")
        boxes = v.main.get_by_role("checkbox")
        for box in boxes.all():
            box.check()
        v.task(apart_from).get_by_role("checkbox").uncheck()
        v.presses("Mark selected tasks as done")
        v.is_told("tasks are done")

    def when_she_signs_the_go_live_data(self, *, apart_from: str, because: str):
        v = self.visitor
        v.goes_home()
        v.follows("Go-live data")
        v.presses("Read and sign")
        v.enters(because, re.compile(apart_from))
        v.presses("Continue")
        v.is_on("Check and sign")
        v.sees(because)
        v.enters(self.given.manager.name, "Your full name")
        v.main.get_by_role("checkbox", name="I declare").check()
        v.presses("Sign")

    def then_the_sign_off_is_complete(self):
        v = self.visitor
        v.is_on("Signed: Go-live data")
        v.sees("Reference", "The sign-off is complete", "new supplier")

    def when_she_records_go_live(self):
        v = self.visitor
        v.goes_home()
        v.follows("Record go-live")
        v.enters_time(self.live)
        v.presses("Record it")

    def then_cut_over_has_stopped_and_access_runs(self):
        v = self.visitor
        self.last_day = uk_date(london_date(self.live) + timedelta(days=45))
        took = (self.live - self.final_extract) // timedelta(hours=1)
        v.is_told("Go-live is recorded", f"took {took} hours 45 minutes, within", self.last_day)
        v.goes_home()
        v.sees("Within the limit", "44 days left of 45", self.last_day)

    def when_she_records_the_end_of_access(self):
        v = self.visitor
        v.goes_home()
        v.follows("Record the end of old-system access")
        v.enters_day(self.today)
        v.presses("Record it")
        v.sees("days before the planned date", self.last_day)
        v.presses("Yes, record it")

    def then_access_has_ended(self):
        v = self.visitor
        v.is_told("End of old-system access is recorded")
        v.goes_home()
        v.sees("Access ended")
        v.does_not_see("days left of 45")


@pytest.mark.timeout(300)  # sixty pages, on a machine that may be busy
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_home_to_the_end_of_access(new_visitor, smtp_server, request, scripts):
    she = Journey(new_visitor(scripts=scripts))

    she.when_she_signs_in()
    she.then_home_says_what_to_do_next()
    she.when_she_ticks_the_first_of_them()
    she.then_it_is_done_with_one_press()

    she.when_she_opens_the_checklist("Cut-over")
    she.when_she_ticks("CUT-01", "CUT-11", "CUT-30")
    she.then_she_is_told("3 tasks are done")
    she.when_one_task_does_not_apply("CUT-15", "All our equipment is new")
    she.when_she_goes_back_to_the_checklist()
    she.when_one_task_has_to_wait("CUT-20", WAITING)
    she.when_she_goes_back_to_the_checklist()
    she.when_she_ticked_one_by_mistake("CUT-28")
    she.when_she_notes_what_she_heard("CUT-06")
    she.when_she_shows_where_the_evidence_is()

    she.when_she_records_the_final_extract()
    she.then_she_is_told_when_cut_over_has_to_end()
    if scripts:
        request.getfixturevalue("celery_worker")
        reminders.sweep.delay()
        reminder = mail(smtp_server, to=she.given.manager.email, about="of 72 h used")
        she.visitor.opens(first_address(reminder))
        she.visitor.is_on("Your migration")

    she.when_she_wants_to_go_live()
    she.then_the_sign_off_is_needed_first()
    she.when_everything_else_of_cut_over_is_done(apart_from="CUT-20")
    she.when_she_signs_the_go_live_data(
        apart_from="CUT-20", because="Ten of twenty are compared, and all were right"
    )
    she.then_the_sign_off_is_complete()
    she.when_she_records_go_live()
    she.then_cut_over_has_stopped_and_access_runs()
    if scripts:
        reminders.sweep.delay()
        confirmation = mail(smtp_server, to=NEW_SUPPLIER, about="Signed off")
        assert "Alice Manager" in text_of(confirmation)

    she.when_she_opens_the_checklist("Post go-live")
    she.when_she_ticks("PGL-02", "PGL-05", "PGL-14")
    she.then_she_is_told("3 tasks are done")
    she.when_she_records_the_end_of_access()
    she.then_access_has_ended()
