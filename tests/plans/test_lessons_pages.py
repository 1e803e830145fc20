"""Lessons of finished migrations beside the draft, adopted with a press."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.tracking.models import Migration
from tests.factories import MONDAY, make_migration, make_person
from tests.tracking.cast import Cast, make_cast
from tests.tracking.test_lessons import LESSON, add, do_late, finish, note, set_aside

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(client):
    person = make_person(Role.ADMINISTRATOR, name="Ann Admin")
    client.force_login(person)
    return person


@pytest.fixture
def cast(ann):
    """A migration whose plan is being drafted anew."""
    cast = make_cast()
    services.draft_from(version=cast.migration.plan_version, by=ann, at=MONDAY)
    return cast


def home(cast: Cast) -> str:
    return f"/plans/{cast.migration.plan_version.plan.slug}/draft/"


def page(client, cast, path="lessons/"):
    answer = client.get(home(cast) + path)
    assert answer.status_code == 200
    return answer.content.decode()


def draft() -> PlanVersion:
    return PlanVersion.objects.get(state="draft")


def task(code="CUT-02"):
    return next(task for task in tree_of(draft()).tasks() if task.code == code)


def adopt(client, cast, row, path="tasks/CUT-02", **more):
    sort = "task" if path.startswith("phases") else "note"
    sent = {"said": f"{sort}-{row.pk}"} | more
    return client.post(f"{home(cast)}lessons/{path}/adopt/", sent, follow=True)


class TestReading:
    def test_before_any_migration_is_finished_the_page_says_so(self, client, cast):
        note(cast)
        assert "No migration on this plan is finished yet" in page(client, cast)

    def test_after_a_smooth_migration_it_says_that_too(self, client, cast):
        finish(cast)
        assert "No lesson was noted" in page(client, cast)

    def test_the_tasks_with_most_to_tell_come_first(self, client, cast):
        note(cast, code="CUT-03")
        note(cast, "One")
        note(cast, "Two")
        set_aside(cast, "We have no branch")
        do_late(cast, 2.5, code="GL-02")
        add(cast)
        finish(cast)
        shown = page(client, cast)
        places = [
            shown.index(text)
            for text in (
                "CUT-02 Check the data",
                "CUT-03 Check repeat",
                "We have no branch",
                "Done late in 1 of 1 migration, by 3 days",
                "Tell the care homes",
            )
        ]
        assert places == sorted(places)
        assert cast.migration.reference in shown

    def test_a_task_that_the_draft_lacks_is_named_but_takes_nothing_in(self, client, cast, ann):
        note(cast)
        finish(cast)
        services.remove_part(version=draft(), kind="task", key="CUT-02", by=ann, at=MONDAY)
        shown = page(client, cast)
        assert "CUT-02 Check the data" in shown
        assert "Not in this draft" in shown
        assert "Adopt" not in shown.replace("Adopted", "").split("Not in this draft")[1]

    def test_a_few_are_shown_and_a_page_has_them_all(self, client, cast):
        for number in range(7):
            note(cast, f"Lesson {number}", at=MONDAY + timedelta(days=number))
        finish(cast)
        for path in ("lessons/", "tasks/CUT-02/"):
            shown = page(client, cast, path)
            assert "Lesson 6" in shown
            assert "Lesson 3" not in shown
            assert "and 4 more" in shown
        shown = page(client, cast, "lessons/tasks/CUT-02/")
        assert all(f"Lesson {number}" in shown for number in range(7))

    def test_beside_the_form_stands_what_is_about_its_task_only(self, client, cast):
        note(cast)
        finish(cast)
        assert LESSON in page(client, cast, "tasks/CUT-02/")
        assert "What migrations tell" not in page(client, cast, "tasks/CUT-03/")

    @pytest.mark.parametrize("path", ["tasks/CUT-02", "phases/cut_over", "tasks/NONE", "phases/x"])
    def test_the_page_of_something_without_lessons_says_so(self, client, cast, path):
        assert "No finished migration tells" in page(client, cast, f"lessons/{path}/")

    def test_other_parts_of_a_plan_have_no_such_page(self, client, cast):
        for verb, path in ((client.get, ""), (client.post, "adopt/")):
            assert verb(f"{home(cast)}lessons/gates/go_live_data/{path}").status_code == 404

    def test_what_a_practice_typed_is_shown_as_text(self, client, cast):
        note(cast, "<script>alert(1)</script>")
        finish(cast)
        for path in ("lessons/", "tasks/CUT-02/", "lessons/tasks/CUT-02/"):
            assert "<script>alert(1)" not in page(client, cast, path)

    def test_more_migrations_take_no_more_statements(self, client, cast):
        def learn(one):
            own = add(one)
            note(one)
            note(one, code=own.code)
            set_aside(one, "We have no branch")
            finish(one)

        def statements(path):
            page(client, cast, path)
            with CaptureQueriesContext(connection) as queries:
                page(client, cast, path)
            return len(queries)

        learn(cast)
        paths = ("lessons/", "tasks/CUT-02/", "lessons/tasks/CUT-02/", "lessons/phases/cut_over/")
        few = [statements(path) for path in paths]
        for _ in range(4):
            learn(Cast(make_migration(plan_version=cast.migration.plan_version)))
        assert Migration.objects.filter(state="finished").count() == 5
        assert [statements(path) for path in paths] == few


class TestAdopting:
    def test_a_lesson_is_appended_and_marked_and_can_be_taken_back(self, client, cast, ann):
        services.set_fields(
            version=draft(),
            kind="task",
            key="CUT-02",
            values={"lesson": "Begin early"},
            seen=0,
            by=ann,
            at=MONDAY,
        )
        row = note(cast)
        finish(cast)
        answer = adopt(client, cast, row)
        assert task().lesson == f"Begin early\n\n{LESSON}"
        shown = answer.content.decode()
        assert "The lesson is added to" in shown
        assert ">Adopted</strong>" in shown
        assert "CUT-02 Check the data that came over: lesson adopted" in page(
            client, cast, "changes/"
        )
        client.post(f"{home(cast)}changes/2/take-back/")
        assert task().lesson == "Begin early"

    def test_pressing_twice_adopts_once(self, client, cast):
        row = note(cast)
        finish(cast)
        adopt(client, cast, row)
        assert "says that already" in adopt(client, cast, row).content.decode()
        assert task().lesson == LESSON
        assert draft().revision == 1

    def test_a_reason_can_be_adopted_too(self, client, cast):
        set_aside(cast, "Only with a branch", code="CUT-02")
        finish(cast)
        key = f"reason-{cast.task('CUT-02').pk}"
        client.post(f"{home(cast)}lessons/tasks/CUT-02/adopt/", {"said": key})
        assert task().lesson == "Only with a branch"

    def test_adopting_leads_back_to_where_it_was_pressed_and_nowhere_else(self, client, cast):
        row = note(cast)
        finish(cast)
        url = f"{home(cast)}lessons/tasks/CUT-02/adopt/"
        back = f"{home(cast)}tasks/CUT-02/"
        for told, led in ((back, back), ("https://evil.test/", f"{home(cast)}lessons/")):
            sent = {"said": f"note-{row.pk}", "next": told}
            assert client.post(url, sent)["Location"] == led

    def test_what_the_published_version_says_is_marked(self, client, cast, ann):
        row = note(cast)
        finish(cast)
        adopt(client, cast, row)
        services.publish(version=draft(), by=ann, at=MONDAY)
        newest = PlanVersion.objects.get(state="published")
        services.draft_from(version=newest, by=ann, at=MONDAY)
        assert ">Adopted</strong>" in page(client, cast)
        services.set_fields(
            version=draft(),
            kind="task",
            key="CUT-02",
            values={"lesson": ""},
            seen=0,
            by=ann,
            at=MONDAY,
        )
        shown = page(client, cast)
        assert "In the published version" in shown
        assert ">Adopt<" in shown

    def test_an_added_task_becomes_one_of_the_plan(self, client, cast):
        own = add(cast)
        note(cast, "Begin in March", code=own.code)
        finish(cast)
        answer = adopt(client, cast, own, "phases/cut_over")
        found = task("CUT-05")
        assert (found.title, found.guidance) == ("Tell the care homes", "By letter")
        assert (found.owner, found.lesson) == ("practice_manager", "Begin in March")
        assert (found.anchor, found.offset, found.unit) == ("GL", -5, "days")
        assert cast.migration.reference not in found.source
        assert "CUT-05" in answer.content.decode()
        assert "says that already" in adopt(client, cast, own, "phases/cut_over").content.decode()
        client.post(f"{home(cast)}changes/1/take-back/")
        assert "CUT-05" not in {one.code for one in tree_of(draft()).tasks()}

    def test_what_looks_like_an_nhs_number_is_not_adopted(self, client, cast):
        row = note(cast, "The letter of 943 476 5919 was missing")
        own = add(cast, "Ask about 943 476 5919")
        finish(cast)
        for what, path in ((row, "tasks/CUT-02"), (own, "phases/cut_over")):
            assert "could be an NHS number" in adopt(client, cast, what, path).content.decode()
        assert draft().revision == 0

    def test_a_lesson_that_is_too_long_for_the_plan_is_not_adopted(self, client, cast, ann):
        services.set_fields(
            version=draft(),
            kind="task",
            key="CUT-02",
            values={"lesson": "x" * 4_980},
            seen=0,
            by=ann,
            at=MONDAY,
        )
        row = note(cast)
        finish(cast)
        assert "5,000 is the most" in adopt(client, cast, row).content.decode()
        assert task().lesson == "x" * 4_980

    def test_what_has_been_hidden_since_is_not_adopted(self, client, cast):
        row = note(cast)
        finish(cast)
        row.text.hidden_at = MONDAY
        row.text.save(update_fields=["hidden_at"])
        assert "no longer there" in adopt(client, cast, row).content.decode()
        assert task().lesson == ""

    def test_a_task_removed_meanwhile_takes_nothing_in(self, client, cast, ann):
        row = note(cast)
        finish(cast)
        services.remove_part(version=draft(), kind="task", key="CUT-02", by=ann, at=MONDAY)
        assert "has been removed" in adopt(client, cast, row).content.decode()

    def test_only_what_was_told_of_this_task_is_adopted(self, client, cast):
        row = note(cast, code="CUT-03")
        finish(cast)
        assert "no longer there" in adopt(client, cast, row).content.decode()
        assert draft().revision == 0
