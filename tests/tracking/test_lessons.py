"""What finished migrations tell about their plan."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.plans import services as plans
from practices.tracking import services
from practices.tracking.models import Migration, Task, TaskNote
from practices.tracking.queries.lessons import lessons_of
from tests.factories import MONDAY, make_migration, make_person, make_plan_version

from .cast import Cast, make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db
LESSON = "Ask the laboratory two weeks earlier"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def ann():
    return make_person(Role.ADMINISTRATOR, name="Ann Admin")


def another(cast: Cast) -> Cast:
    """A further migration on the same version."""
    return Cast(make_migration(plan_version=cast.migration.plan_version))


def finish(*casts: Cast) -> None:
    Migration.objects.filter(pk__in=[cast.migration.pk for cast in casts]).update(
        state=Migration.State.FINISHED, ended_at=MONDAY
    )


def note(cast: Cast, body: str = LESSON, *, code: str = "CUT-02", by=None, at=MONDAY, lesson=True):
    by = by or cast.migration.project_manager
    return services.add_note(task=cast.task(code), body=body, by=by, at=at, is_lesson=lesson)


def set_aside(cast: Cast, reason: str, *, code: str = "POST-01"):
    task, by = cast.task(code), cast.migration.project_manager
    services.set_task_aside(task=task, reason=reason, by=by, at=MONDAY)


def do_late(cast: Cast, days: float, *, code: str = "CUT-02"):
    """As if it had been ticked so many days after it was due."""
    task = cast.task(code)
    Task.objects.filter(pk=task.pk).update(
        state="done",
        settled_by=cast.migration.project_manager,
        settled_at=task.due_at + timedelta(days=days),
    )


def add(cast: Cast, title: str = "Tell the care homes", *, phase: str = "cut_over"):
    return services.add_task(
        phase=cast.migration.phases.get(key=phase),
        title=title,
        guidance="By letter",
        owner="practice_manager",
        due_on=cast.migration.key_dates.get(key="GL").planned_on - timedelta(days=5),
        assignee=None,
        by=cast.migration.project_manager,
        at=MONDAY,
    )


def told(cast: Cast, reader, most=3, **about):
    return lessons_of(cast.migration.plan_version.plan_id, reader=reader, most=most, **about)


def texts(found, code="CUT-02"):
    return [said.text for said in found.tasks[code].lessons.newest]


class TestNoting:
    def test_a_note_is_a_lesson_where_its_writer_says_so(self, client, cast):
        client.force_login(cast.manager)
        url = cast.url("tasks", "CUT-02", "notes")
        client.post(url, {"note": LESSON, "is_lesson": "on"})
        client.post(url, {"note": "Rang them"})
        assert list(TaskNote.objects.values_list("is_lesson", flat=True)) == [True, False]
        page = said(client.get(cast.url("tasks", "CUT-02")))
        assert page.count("Lesson for other practices") == 1

    def test_the_same_words_are_a_note_and_then_a_lesson(self, cast):
        note(cast, lesson=False)
        note(cast)
        note(cast)
        assert TaskNote.objects.count() == 2

    def test_what_was_ticked_stays_with_a_note_that_is_refused(self, client, cast):
        client.force_login(cast.manager)
        answer = client.post(cast.url("tasks", "CUT-02", "notes"), {"note": "", "is_lesson": "on"})
        assert answer.status_code == 422
        assert answer.context["note_form"]["is_lesson"].value() is True


class TestCollecting:
    def test_a_lesson_says_where_and_when(self, cast, ann):
        note(cast)
        finish(cast)
        (lesson,) = told(cast, ann).tasks["CUT-02"].lessons.newest
        assert (lesson.text, lesson.reference) == (LESSON, cast.migration.reference)
        assert (lesson.at, lesson.url) == (MONDAY, cast.url("tasks", "CUT-02"))

    def test_migrations_that_run_or_were_cancelled_tell_nothing(self, cast, ann):
        note(cast)
        assert told(cast, ann).tasks == {}

    def test_notes_that_are_no_lessons_stay_in_their_migration(self, cast, ann):
        note(cast, lesson=False)
        finish(cast)
        assert told(cast, ann).tasks == {}

    def test_any_version_of_the_plan_counts_and_no_other_plan(self, cast, ann):
        published = cast.migration.plan_version
        draft = plans.draft_from(version=published, by=ann, at=MONDAY)
        plans.set_fields(
            version=draft,
            kind="task",
            key="CUT-02",
            values={"title": "Check it"},
            seen=0,
            by=ann,
            at=MONDAY,
        )
        newer = Cast(make_migration(plan_version=plans.publish(version=draft, by=ann, at=MONDAY)))
        stranger = Cast(make_migration(plan_version=make_plan_version()))
        for one, body in ((cast, "Of one"), (newer, "Of two"), (stranger, "Of another")):
            note(one, body)
        finish(cast, newer, stranger)
        assert sorted(texts(told(cast, ann))) == ["Of one", "Of two"]

    def test_reasons_are_told_but_not_of_what_fell_away_by_an_answer(self, cast, ann):
        other = another(cast)
        set_aside(cast, "We have no branch")
        set_aside(other, "Set aside by an answer")
        other.migration.tasks.filter(code="POST-01").update(fell_away=True)
        finish(cast, other)
        reasons = told(cast, ann).tasks["POST-01"].reasons
        assert [reason.text for reason in reasons.newest] == ["We have no branch"]

    def test_overruns_are_counted_with_the_days_in_the_middle(self, cast, ann):
        casts = [cast, another(cast), another(cast), another(cast)]
        for one, days in zip(casts, (-1, 1, 3, 8), strict=True):
            do_late(one, days)
        finish(*casts)
        about = told(cast, ann).tasks["CUT-02"]
        assert (about.done, about.late, about.median_days) == (4, 3, 3)

    def test_what_is_done_in_time_is_not_worth_telling(self, cast, ann):
        do_late(cast, -1)
        finish(cast)
        assert told(cast, ann).tasks == {}

    def test_added_tasks_come_by_phase_with_their_lessons(self, cast, ann):
        own = add(cast)
        note(cast, "Begin in March", code=own.code)
        finish(cast)
        found = told(cast, ann)
        (added,) = found.added["cut_over"].newest
        assert (added.said.text, added.guidance) == ("Tell the care homes", "By letter")
        assert (added.owner, added.days) == ("practice_manager", -5)
        assert added.lessons == ["Begin in March"]
        assert found.tasks == {}

    def test_an_added_task_that_did_not_apply_after_all_is_left_out(self, cast, ann):
        own = add(cast)
        set_aside(cast, "It was there already", code=own.code)
        finish(cast)
        assert told(cast, ann).added == {}

    def test_the_newest_come_first_and_the_others_are_counted(self, cast, ann):
        for day in range(5):
            note(cast, f"Lesson {day}", at=MONDAY + timedelta(days=day))
        finish(cast)
        found = told(cast, ann, most=2)
        assert texts(found) == ["Lesson 4", "Lesson 3"]
        assert found.tasks["CUT-02"].lessons.more == 3
        assert len(texts(told(cast, ann, most=None))) == 5

    def test_one_task_or_one_phase_may_be_asked_for(self, cast, ann):
        note(cast)
        note(cast, code="CUT-03")
        add(cast)
        add(cast, "Ring the school", phase="go_live")
        finish(cast)
        found = told(cast, ann, code="CUT-03")
        assert (set(found.tasks), found.added) == ({"CUT-03"}, {})
        found = told(cast, ann, phase="go_live")
        assert (found.tasks, set(found.added)) == ({}, {"go_live"})


class TestWhoReads:
    def test_hidden_and_redacted_words_are_never_told(self, cast, ann):
        own = add(cast)
        for row in (note(cast), note(cast, "Begin in March", code=own.code)):
            row.text.hidden_at = MONDAY
            row.text.save(update_fields=["hidden_at"])
        guidance = cast.task(own.code).own_guidance
        guidance.redacted_at = MONDAY
        guidance.save(update_fields=["redacted_at"])
        finish(cast)
        found = told(cast, ann)
        (lesson,) = found.tasks["CUT-02"].lessons.newest
        assert (lesson.text, lesson.is_shown) == ("(hidden while it is checked)", False)
        (added,) = found.added["cut_over"].newest
        assert (added.guidance, added.lessons) == ("", [])

    def test_what_a_supplier_wrote_for_itself_is_told_to_administrators(self, cast, ann):
        note(cast, by=cast.old_supplier)
        finish(cast)
        (lesson,) = told(cast, ann).tasks["CUT-02"].lessons.newest
        assert lesson.supplier == "Old supplier"

    @pytest.mark.parametrize("who", ["new_supplier", "old_supplier", "manager"])
    def test_nobody_else_is_told_of_it(self, cast, who):
        note(cast, by=cast.old_supplier)
        reader = getattr(cast, who)
        finish(cast)
        assert told(cast, reader).tasks == {}

    def test_who_does_not_see_a_migration_is_told_nothing_of_it(self, cast):
        note(cast)
        add(cast)
        finish(cast)
        found = told(cast, cast.stranger)
        assert (found.migrations, found.tasks, found.added) == (0, {}, {})


def test_ten_migrations_take_no_more_statements_than_one(cast, ann):
    casts = [cast]

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            told(cast, ann)
        return len(queries)

    def learn(one: Cast) -> None:
        own = add(one)
        note(one, code=own.code)
        note(one)
        set_aside(one, "We have no branch")
        do_late(one, 2, code="CUT-03")
        finish(one)

    learn(cast)
    assert ann.sees_all, "her roles are looked up once"
    few = statements()
    for _ in range(9):
        casts.append(another(cast))
        learn(casts[-1])
    assert told(cast, ann).migrations == 10
    assert statements() == few == 6
