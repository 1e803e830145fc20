"""What a person is told before they press: what moves, what is unsigned or settled already."""

from datetime import timedelta

import pytest
from django.urls import reverse

from practices.tracking import services
from practices.tracking.services.dates import tasks_that_follow
from practices.tracking.services.gates import unsigned_before
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_plan_version, publish_rows

from .cast import make_cast
from .steps import correct, go_live, key_date, record, sign
from .test_dates_pages import messages, said

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def advised():
    """A cast whose one sign-off is planned before go-live and holds nothing up."""
    version = make_plan_version(publish=False)
    version.gates.update(blocks=[])
    publish_rows(version)
    return make_cast(plan_version=version)


def page(client, cast, *parts: str, who=None):
    client.force_login(who or cast.manager)
    return client.get(cast.url(*parts), follow=True)


class TestHowManyTasksFollowADate:
    def following(self, cast, key: str) -> int:
        return tasks_that_follow(cast.migration, key).count()

    def test_as_many_as_move_when_it_was_a_week_later(self, cast):
        expected = self.following(cast, "FDP")
        assert record(cast, "FDP", FDP_AT + WEEK).moved == expected > 0

    def test_those_of_later_dates_and_of_the_end_of_a_clock_are_counted(self, cast):
        record(cast, "FDP", FDP_AT)
        sign(cast)
        expected = self.following(cast, "GL")
        assert record(cast, "GL", GO_LIVE_AT + WEEK).moved == expected == 3

    def test_a_corrected_date_counts_alike(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        expected = self.following(cast, "GL")
        assert correct(cast, "GL", GO_LIVE_AT + WEEK).moved == expected > 0

    def test_a_date_by_hand_does_not_follow(self, cast):
        before = self.following(cast, "FDP")
        task = cast.task("CUT-02")
        services.pin_task(
            task=task,
            due_on=task.due_on + WEEK,
            seen_version=task.version,
            by=cast.manager,
            at=MONDAY,
        )
        assert self.following(cast, "FDP") == before - 1

    def test_the_page_says_so(self, client, cast):
        shown = said(page(client, cast, "dates", "FDP", "record"))
        assert f"{self.following(cast, 'FDP')} open tasks are due by this date" in shown


class TestASignOffThatHoldsNothingUp:
    def test_the_page_of_go_live_names_it_with_a_link_and_refuses_nothing(self, client, advised):
        record(advised, "FDP", FDP_AT)
        shown = said(page(client, advised, "dates", "GL", "record"))
        assert "Not signed yet" in shown
        assert f'<a href="{advised.url("sign-off", "go_live_data")}">Go-live data</a>' in shown
        assert record(advised, "GL", GO_LIVE_AT).changed

    def test_not_once_it_is_signed(self, client, advised):
        sign(advised)
        assert "Not signed yet" not in said(page(client, advised, "dates", "GL", "record"))

    def test_one_planned_for_later_is_not_missed(self, advised):
        assert not unsigned_before(advised.migration, key_date(advised, "FDP"))

    def test_one_that_holds_it_up_is_told_of_elsewhere(self, cast):
        assert not unsigned_before(cast.migration, key_date(cast, "GL"))


@pytest.mark.parametrize("act", ["blocked", "not-applicable", "due"])
def test_a_page_about_a_task_that_is_done_leads_back_with_a_sentence(client, cast, act):
    services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
    answer = page(client, cast, "tasks", "GL-02", act, who=cast.project_manager)
    assert answer.redirect_chain[-1][0] == cast.url("tasks", "GL-02")
    assert "GL-02 is done, by Alice Manager" in messages(answer)


def test_a_due_date_saved_as_it_was_changes_nothing(client, cast):
    task = cast.task("CUT-02")
    client.force_login(cast.project_manager)
    typed = {
        "due_on_day": task.due_on.day,
        "due_on_month": task.due_on.month,
        "due_on_year": task.due_on.year,
        "version": task.version,
    }
    answer = client.post(cast.url("tasks", "CUT-02", "due"), typed, follow=True)
    assert "Nothing changed" in messages(answer)
    after = cast.task("CUT-02")
    assert (after.pinned, after.due_at, after.version) == (False, task.due_at, task.version)


def test_a_practice_under_way_is_offered_no_form_to_start(client, cast):
    client.force_login(cast.project_manager)
    code = cast.migration.practice.organisation.code
    answer = said(client.get(reverse("tracking:start"), {"practice": code}))
    assert f'href="{cast.url()}"' in answer
    assert "Planned go-live" not in answer


@pytest.mark.parametrize(
    ("query", "sentence", "link"),
    [
        ({"go": "1", "q": "elm"}, "Select a practice to continue", "#id_practice"),
        ({"go": "1", "q": ""}, "Select a practice to continue", "#id_q"),
    ],
)
def test_going_on_without_a_practice_says_what_is_missing(client, cast, query, sentence, link):
    client.force_login(cast.project_manager)
    answer = said(client.get(reverse("tracking:start"), query, follow=True))
    assert f'<a href="{link}">{sentence}</a>' in answer
    assert f'value="{query["q"]}"' in answer


def test_searching_for_nothing_says_what_to_enter(client, cast):
    client.force_login(cast.project_manager)
    answer = said(client.get(reverse("directory:find"), {"q": " "}))
    assert '<a href="#id_q">Enter a name, ODS code, postcode or part of the address</a>' in answer
