"""Administrators shape a plan: another limit, a lesson, two at once, a fault that is mended.

Each is told with a mouse, without JavaScript and with the keyboard alone.
"""

import re
from datetime import time, timedelta

import pytest
from django.db.models import F
from playwright.sync_api import expect

from practices.accounts.roles import Role
from practices.common import clock
from practices.common.templatetags.uk import uk_short_date
from practices.common.time import london_date
from practices.plans.services import adopt_lesson, draft_from
from practices.tracking.models import Migration
from practices.tracking.services import add_note, add_task, set_task_aside
from tests.factories import make_migration, make_person, make_practice, make_system

from .given import CUT_OVER_PLAN, a_project_manager, shipped_plan, the_day
from .visitor import Visitor

PRACTICE = "Rowan Lane Surgery"
HOME = f"/plans/{CUT_OVER_PLAN}/draft/"
LESSON = "Ask the laboratory two weeks earlier"


@pytest.fixture(params=["mouse", "no scripts", "keyboard"])
def a_visitor(request, new_visitor):
    """Makes visitors of one kind, each a person of their own."""

    def make() -> Visitor:
        return new_visitor(scripts=request.param != "no scripts", mouse=request.param != "keyboard")

    return make


@pytest.fixture
def learnt(live_app):
    """A finished migration with a lesson and a task of its own, and an administrator."""
    version = shipped_plan()
    migration = make_migration(plan_version=version)
    by = migration.project_manager
    task = migration.tasks.get(code="CUT-16")
    for body in ("And the pharmacy", LESSON):
        add_note(task=task, body=body, by=by, at=clock.now(), is_lesson=True)
    set_task_aside(task=task, reason="We do not dispense", by=by, at=clock.now())
    migration.tasks.filter(code="CUT-32").update(
        state="done", settled_by=by, settled_at=F("due_at") + timedelta(days=3)
    )
    add_task(
        phase=migration.phases.get(key="cutover"),
        title="Tell the care homes",
        guidance="By letter",
        owner="practice_manager",
        due_on=london_date(clock.now()),
        assignee=None,
        by=by,
        at=clock.now(),
    )
    Migration.objects.update(state=Migration.State.FINISHED, ended_at=clock.now())
    ann = make_person(Role.ADMINISTRATOR, name="Ann Admin")
    draft = draft_from(version=version, by=ann, at=clock.now())
    adopt_lesson(version=draft, code="CUT-16", text="And the pharmacy", by=ann, at=clock.now())
    return ann


def publishes(v: Visitor, notes: str) -> None:
    """From any page of the draft."""
    v.opens(HOME)
    v.presses("Publish")
    v.enters(notes, "What is new, in a few words")
    v.presses("Publish")


def test_a_migration_starts_with_90_days_of_access(a_visitor):
    # Given the plan as shipped, with 45 days, and a practice to plan for
    shipped_plan()
    a_project_manager()
    make_practice(PRACTICE)
    make_system("Old Record")
    make_system("New Record")
    v: Visitor = a_visitor()
    v.signs_in(make_person(Role.ADMINISTRATOR, name="Ada Admin"), at="/plans/")

    # When she drafts a new version and says 90
    v.follows("NHS cut-over to post go-live")
    v.presses("Draft a new version")
    v.follows("Clocks")
    v.follows("Old-system access")
    v.enters("90", "Limit")
    v.presses("Save")
    v.is_told("“Old-system access” is saved.")

    # Then publishing says in words what changed
    publishes(v, "Access to the old system lasts 90 days")
    v.is_told("version 2 is published")

    # And a migration that is started shows day 90
    v.opens("/migrations/start/")
    v.types("rowan", v.page.get_by_role("searchbox", name="Find a practice"))
    v.presses("Search")
    v.picks(PRACTICE)
    v.presses("Continue")
    v.picks(re.compile("version 2"))
    v.selects("Old Record", "Old system")
    v.selects("New Record", "New system")
    v.selects("Priya Shah, Example Delivery Partner", "Project manager")
    go_live = the_day(60, time(8))
    v.enters_time(go_live, "Planned go-live")
    v.presses("Show the dates")
    v.presses("Start the migration")
    v.is_told("is started")
    v.opens(f"/migrations/{Migration.objects.get().reference}/dates/")
    last = london_date(go_live) + timedelta(days=90)
    expect(v.row("End of old-system access")).to_contain_text(f"{uk_short_date(last)} {last.year}")


def test_two_administrators_in_one_task(a_visitor):
    # Given a draft that Ann and Ben have open at the same task
    ann, ben = (make_person(Role.ADMINISTRATOR, name=f"{name} Admin") for name in ("Ann", "Ben"))
    draft_from(version=shipped_plan(), by=ann, at=clock.now())
    hers, his = a_visitor(), a_visitor()
    for v, person in ((hers, ann), (his, ben)):
        v.signs_in(person, at=f"{HOME}tasks/CUT-16/")

    # When she saves another title, and he saves one too
    hers.enters("Map every medicine", "Title")
    hers.presses("Save")
    hers.is_told("is saved")
    his.enters("Check the medicines", "Title")
    his.enters("On the list of the pharmacist", "Evidence to keep")
    his.presses("Save")

    # Then he is shown both, and nothing of his is lost
    his.sees("Ann Admin changed this too")
    both = his.main.get_by_role("table", name="What you both changed")
    expect(both).to_contain_text("Map every medicine")
    expect(both).to_contain_text("Check the medicines")
    expect(his.main.get_by_label("Title", exact=True)).to_have_value("Check the medicines")

    # When he decides, then his is saved and the list of changes has both
    his.presses("Save")
    his.is_told("is saved")
    his.opens(f"{HOME}changes/")
    his.sees("title from Map every medicine to Check the medicines")
    his.sees("EPS to Map every medicine")


def test_a_fault_keeps_a_draft_from_being_published_until_it_is_mended(a_visitor):
    # Given a draft whose reminder goes on until a task that somebody takes out
    ann = make_person(Role.ADMINISTRATOR, name="Ann Admin")
    draft_from(version=shipped_plan(), by=ann, at=clock.now())
    v: Visitor = a_visitor()
    v.signs_in(ann, at=f"{HOME}tasks/CUT-16/")
    v.follows("Remove this task")
    v.presses(re.compile("^Remove"))
    v.is_told("is removed")

    # When she wants to publish
    v.opens(HOME)
    v.presses("Publish")

    # Then she reads why not, and no button publishes
    v.sees("What must be mended first", "CUT-16 is no task of this plan.")
    expect(v.main.get_by_role("button", name="Publish")).to_have_count(0)

    # When she follows the link to the reminder and lets it end with another task
    v.follows("Reminder dm+d mapping checked")
    v.enters("CUT-32", "Code of the task that ends it")
    v.presses("Save")

    # Then it is published
    publishes(v, "Nobody maps medicines any more")
    v.is_told("version 2 is published")


def test_what_a_practice_learnt_and_added_comes_into_the_plan(a_visitor, learnt):
    v: Visitor = a_visitor()
    v.signs_in(learnt, at=HOME)

    # When she reads what migrations tell, and adopts a lesson and a task
    v.follows("What migrations tell")
    v.presses(f"Adopt {LESSON}")
    v.is_told("The lesson is added to CUT-16")
    v.presses("Adopt Tell the care homes")
    v.is_told("The task is added to the plan as")

    # Then both are in the draft, and stand among its changes
    v.opens(f"{HOME}tasks/CUT-16/")
    expect(v.main.get_by_label("What other practices learnt")).to_have_value(re.compile(LESSON))
    v.opens(f"{HOME}changes/")
    v.sees(re.compile("Tell the care homes: adopted"), re.compile("EPS: lesson adopted"))


def test_the_pages_of_lessons_fit_and_have_no_fault(new_visitor, learnt):
    v: Visitor = new_visitor()
    v.signs_in(learnt, at=HOME)
    for path in ("lessons/", "lessons/tasks/CUT-16/", "tasks/CUT-16/"):
        v.looks_at(HOME + path)
        v.sees(LESSON)


def test_ten_running_migrations_are_moved_to_a_new_task(a_visitor, celery_worker):
    # Given ten migrations that run on the plan, and a draft of its next version
    version = shipped_plan()
    project_manager, partner = a_project_manager()
    for _ in range(10):
        make_migration(plan_version=version, run_by=partner, project_manager=project_manager)
    ann = make_person(Role.ADMINISTRATOR, name="Ann Admin")
    draft_from(version=version, by=ann, at=clock.now())
    v: Visitor = a_visitor()
    v.signs_in(ann, at=f"{HOME}add/tasks/?phase=cutover")

    # When she adds a task with a lesson, and publishes
    v.enters("CUT-90", "Code")
    v.enters("Tell the care homes", "Title")
    v.selects("Practice manager", "Owner")
    v.enters("5", "How many")
    v.selects("Go-live", "Key date")
    v.enters(LESSON, "What other practices learnt")
    v.presses("Save")
    v.is_told("“Tell the care homes” is added.")
    publishes(v, "Care homes are told")
    v.is_told("version 2 is published")

    # And moves all that run to it
    v.follows("Move running migrations to this version")
    v.presses(re.compile("See what changes for all 10"))
    v.sees("10 migrations would be moved")
    v.presses("Move 10 migrations")
    report = v.main.get_by_role("table", name="What became of each")
    refresh = v.main.get_by_role("link", name="Refresh")
    while not v.scripts and refresh.count():
        v.follows("Refresh")
    expect(report).to_be_visible(timeout=30_000)

    # Then each has the task, with its lesson
    expect(report.get_by_text("Moved", exact=True)).to_have_count(10)
    for migration in Migration.objects.all():
        assert migration.tasks.get(code="CUT-90").lesson == LESSON
    v.opens(f"/migrations/{migration.reference}/tasks/CUT-90/")
    v.sees(LESSON)
