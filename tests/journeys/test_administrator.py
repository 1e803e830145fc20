"""An administrator's way: practices from a list, a plan with another limit, a start from both."""

import re
from datetime import time, timedelta
from typing import Any

from playwright.sync_api import FilePayload, expect

from practices.accounts.roles import Role
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date
from tests.directory.lists import epraccur, line, many
from tests.factories import make_person, make_system

from .given import a_project_manager, shipped_plan, the_day
from .visitor import Visitor

PRACTICE = "Rowan Lane Surgery"


def a_file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


class Journey:
    """The steps, in the order of the story below."""

    def __init__(self, visitor: Visitor) -> None:
        shipped_plan()
        a_project_manager()
        make_system("Old Record")
        make_system("New Record")
        self.administrator = make_person(Role.ADMINISTRATOR, name="Ada Admin")
        self.visitor = visitor
        self.go_live = the_day(60, time(8))

    def when_he_signs_in(self):
        self.visitor.signs_in(self.administrator)
        self.visitor.is_on("Administration")

    def when_he_imports_the_list_of_practices(self, content: bytes):
        v = self.visitor
        v.follows("Practices")
        v.follows("Import practices")
        v.main.get_by_label("Practice list").set_input_files(a_file("epraccur.csv", content))
        v.presses("Import practices")

    def then_he_sees_what_became_of_each_line(self, **numbers: int):
        v = self.visitor
        expect(v.main.get_by_text("The practices are imported")).to_be_visible(timeout=30_000)
        v.inspects_the_page()
        for name, number in numbers.items():
            term = v.main.get_by_role("term").filter(has_text=name.capitalize())
            expect(term.locator("xpath=..")).to_contain_text(re.compile(rf"\b{number}\b"))
        assert b"A CODE WITH A SPACE" in v.downloads("download the rejected lines")
        v.follows("See the practices")
        v.sees(PRACTICE)

    def when_he_exports_the_plan(self):
        v = self.visitor
        v.chooses("Plans")
        v.follows("NHS cut-over to post go-live")
        self.plan = v.downloads("Export as YAML").decode()

    def when_he_uploads_it_with_another_limit(self, old: str, new: str):
        v = self.visitor
        assert self.plan.count(old) == 1
        changed = self.plan.replace(old, new).encode()
        v.chooses("Plans")
        v.presses("Upload a plan")
        v.main.get_by_label("Plan file").set_input_files(a_file("plan.yaml", changed))
        v.presses("Check and load")

    def then_he_reads_the_change_in_words(self, *words: str):
        v = self.visitor
        v.is_told("is loaded as a draft")
        changes = v.main.get_by_role("table", name="Changes since the published version")
        expect(changes.get_by_role("row")).to_have_count(2)
        for text in words:
            expect(changes).to_contain_text(text)

    def when_he_publishes_it(self):
        v = self.visitor
        v.presses("Publish")
        v.enters("Access to the old system lasts 90 days", "What is new, in a few words")
        v.presses("Publish")
        v.is_told("version 2 is published")

    def when_he_plans_a_migration_from_it(self):
        v = self.visitor
        v.chooses("Start a migration")
        v.page.get_by_role("searchbox", name="Find a practice").fill("rowan")
        v.presses("Search")
        v.main.get_by_role("radio", name=PRACTICE).check()
        v.presses("Continue")
        v.main.get_by_role("radio", name="version 2").check()
        v.main.get_by_label("Old system").select_option("Old Record")
        v.main.get_by_label("New system").select_option("New Record")
        v.main.get_by_label("Project manager").select_option("Priya Shah, Example Delivery Partner")
        v.enters_time(self.go_live, "Planned go-live")
        v.presses("Show the dates")

    def then_access_ends_on_day(self, number: int):
        v = self.visitor
        last = uk_date(london_date(self.go_live) + timedelta(days=number))
        expect(v.row("End of old-system access")).to_contain_text(last)

    def when_he_starts_it(self):
        self.visitor.presses("Start the migration")
        self.visitor.is_told("is started")
        self.visitor.sees(uk_datetime(self.go_live))


def a_list_of_practices() -> bytes:
    """Forty practices, one line that is none, one that is no GP practice."""
    bad = line("Z9 1", "A CODE WITH A SPACE")
    hospital = line("Z91999", "A HOSPITAL", prescribing_setting="3")
    return epraccur(line("Z91001", PRACTICE.upper()), *many(39), bad, hospital)


def test_from_a_list_of_practices_to_a_migration(visitor: Visitor, celery_worker: Any):
    he = Journey(visitor)

    he.when_he_signs_in()
    he.when_he_imports_the_list_of_practices(a_list_of_practices())
    he.then_he_sees_what_became_of_each_line(created=40, updated=0, unchanged=0, rejected=1)

    he.when_he_exports_the_plan()
    he.when_he_uploads_it_with_another_limit("limit: 45\n", "limit: 90\n")
    he.then_he_reads_the_change_in_words("45 days", "90 days")
    he.when_he_publishes_it()

    he.when_he_plans_a_migration_from_it()
    he.then_access_ends_on_day(90)
    he.when_he_starts_it()
