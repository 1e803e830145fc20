"""What is asked about a practice: as a migration starts, and on a page of its own."""

import pytest
import time_machine

from practices.tracking.models import Migration
from tests.factories import MONDAY

from . import steps
from .cast import assert_sound, count_queries
from .dependent import answer, cast_with, plan_with, states, tick
from .test_dates_pages import messages, said
from .test_start import URL, at_work, typed, world

pytestmark = pytest.mark.usefixtures("db")
__all__ = ["at_work", "world"]
PLAN = {
    "conditions": {"dispensing": {}, "old": {"system": "source", "named": "Alpha Care"}},
    "applies": {"CUT-02": ["dispensing"], "CUT-03": ["not:old"], "GL-02": ["not:dispensing"]},
}


@pytest.fixture
def asking(world):
    return {**world, "plan": plan_with(**PLAN)}


class TestStarting:
    def test_the_plan_s_questions_come_before_the_dates_answered_as_far_as_known(
        self, at_work, asking
    ):
        page = at_work.post(URL, typed(asking))
        form = page.context["form"]
        assert "Is it dispensing?" in said(page)
        assert form["answer_old"].value() == "yes"
        assert form["answer_dispensing"].value() == "unknown"
        assert not Migration.objects.exists()

    def test_a_question_without_an_answer_is_asked_again(self, at_work, asking):
        page = at_work.post(URL, {**typed(asking), "answered": "1", "answer_old": "no"})
        assert page.status_code == 422
        assert "Select yes, no or not known yet: Is it dispensing?" in said(page)
        assert page.context["form"]["answer_old"].value() == "no"

    def test_the_preview_says_how_many_fall_away_and_the_start_sets_them_aside(
        self, at_work, asking
    ):
        sent = {
            **typed(asking),
            "answered": "1",
            "answer_old": "yes",
            "answer_dispensing": "no",
        }
        page = said(at_work.post(URL, sent))
        assert "8 tasks, of which 2 do not apply" in page
        assert page.count("Does not apply") == 2
        assert 'name="answer_dispensing" value="no"' in page
        at_work.post(URL, {**sent, "confirm": "1"})
        migration = Migration.objects.get()
        fell = set(migration.tasks.filter(fell_away=True).values_list("code", flat=True))
        assert fell == {"CUT-02", "CUT-03"}
        assert (migration.not_applicable_count, migration.open_count) == (2, 6)
        assert_sound(migration)

    def test_going_back_keeps_the_answers(self, at_work, asking):
        sent = {**typed(asking), "answered": "1", "answer_old": "no", "answer_dispensing": "yes"}
        back = at_work.post(URL, {**sent, "back": "1"})
        assert 'name="answer_dispensing" value="yes"' in said(back)
        del sent["answered"]
        assert at_work.post(URL, sent).context["form"]["answer_dispensing"].value() == "yes"

    def test_a_plan_that_asks_nothing_goes_on_to_the_dates(self, at_work, world):
        assert "Nothing is started yet" in said(at_work.post(URL, typed(world)))


@pytest.fixture
def cast():
    return cast_with(**PLAN)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(MONDAY, tick=False):
        yield


def save(client, cast, who=None, **sent):
    client.force_login(who or cast.manager)
    return client.post(cast.url("practice", "dispensing"), sent, follow=True)


def test_a_task_nobody_knows_about_yet_says_on_what_it_hangs(cast, client):
    client.force_login(cast.manager)
    shown = said(client.get(cast.url("phases", "cut_over")))
    assert ">If dispensing practice</strong>" in shown
    assert ">If not dispensing practice</strong>" in said(client.get(cast.url("tasks", "GL-02")))
    answer(cast, "dispensing", True)
    assert "If dispensing practice" not in said(client.get(cast.url("phases", "cut_over")))


def test_home_leads_to_what_is_known_and_everybody_reads_it(cast, client):
    for who, may in ((cast.manager, True), (cast.project_manager, True), (cast.staff, False)):
        client.force_login(who)
        assert cast.url("practice") in said(client.get(cast.url()))
        shown = said(client.get(cast.url("practice")))
        assert "Is it dispensing?" in shown
        assert (cast.url("practice", "dispensing") in shown) is may


def test_home_says_what_nobody_has_answered_yet(cast, client):
    client.force_login(cast.manager)
    home = f"/migrations/{cast.migration.reference}/"
    assert "2 questions about this practice have no answer yet" in said(client.get(home))
    answer(cast, "dispensing", True)
    assert "1 question about this practice has no answer yet" in said(client.get(home))
    answer(cast, "old", True)
    assert "no answer yet" not in said(client.get(home))


def test_each_answer_says_what_it_would_do_and_does_it(cast, client):
    tick(cast, "CUT-02")
    client.force_login(cast.manager)
    asked = said(client.get(cast.url("practice", "dispensing")))
    assert "1 task no longer to do: GL-02" in asked
    assert "done, set aside by somebody or needed by later steps" in asked
    saved = save(client, cast, seen="unknown", answer="yes")
    assert messages(saved) == "The answer is saved. No longer to do: GL-02."
    assert states(cast, "CUT-02", "GL-02") == ["done", "not_applicable"]
    saved = save(client, cast, seen="yes", answer="no")
    assert "To do again: GL-02. Left as they are: CUT-02." in messages(saved)
    assert_sound(cast.migration)


def test_the_history_of_a_task_says_which_answer_set_it_aside(cast, client):
    save(client, cast, seen="unknown", answer="no")
    shown = said(client.get(cast.url("tasks", "CUT-02")))
    assert "Answered “Is it dispensing?”: no; does not apply: CUT-02" in shown
    assert "Does not apply: dispensing practice (answered no)" in shown
    assert "Answered “Is it dispensing?”" in said(client.get(cast.url("history")))


def test_a_stale_answer_is_a_conflict_that_shows_how_it_is_now(cast, client):
    answer(cast, "dispensing", True)
    stale = save(client, cast, seen="unknown", answer="no")
    assert stale.status_code == 409
    assert "has answered “yes”" in said(stale)
    assert stale.context["form"]["seen"].value() == "yes"
    assert states(cast, "GL-02") == ["not_applicable"]


def test_the_same_answer_says_that_nothing_changed(cast, client):
    saved = save(client, cast, seen="unknown", answer="unknown")
    assert messages(saved) == "It was answered so already. Nothing changed."


@pytest.mark.parametrize("sent", [{}, {"seen": "unknown", "answer": "perhaps"}, {"answer": "no"}])
def test_what_is_no_answer_changes_nothing(cast, client, sent):
    assert save(client, cast, **sent).status_code == 422
    assert cast.migration.conditions.get(key="dispensing").answer is None


def test_a_sign_off_over_what_comes_back_needs_a_reason(cast, client):
    answer(cast, "dispensing", False)
    steps.sign(cast)
    asked = save(client, cast, seen="no", answer="yes")
    assert asked.status_code == 422
    assert "Enter a reason: the sign-off “Go-live data” will be withdrawn" in said(asked)
    saved = save(client, cast, seen="no", answer="yes", reason="They do dispense")
    assert "To do again: CUT-02" in messages(saved)


def test_the_page_takes_the_same_statements_for_few_and_many_tasks(client):
    one = {"conditions": {"dispensing": {}}}
    few = cast_with(**one, applies={"CUT-02": ["dispensing"]})
    many = cast_with(
        **one, applies={code: ["dispensing"] for code in ("CUT-02", "CUT-03", "GL-02", "POST-01")}
    )
    for parts in (("practice",), ("practice", "dispensing"), ("tasks",)):
        counts = [count_queries(client, cast.manager, cast.url(*parts)) for cast in (few, many)]
        assert counts[0] == counts[1], parts
