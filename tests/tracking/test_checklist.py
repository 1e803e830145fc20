"""Lists of tasks in a browser's eyes: a phase as a checklist, and every task."""

import re
from datetime import timedelta

import pytest
import time_machine

from practices.common.templatetags.uk import uk_datetime
from practices.tracking import services
from practices.tracking.models import Task
from tests.factories import GO_LIVE_AT, MONDAY

from .cast import assert_sound, count_queries, make_big_plan, make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db
PHASE = ("phases", "go_live")


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def get(client):
    def get(who, url, now=MONDAY):
        with time_machine.travel(now, tick=False):
            client.force_login(who)
            return client.get(url)

    return get


def shown(response):
    """Codes in the order of the page."""
    return re.findall(r'id="task-([A-Z]+-\d+)"', response.content.decode())


def test_mandatory_tasks_come_first(get):
    cast = make_cast(plan_version=make_big_plan(8))
    response = get(cast.manager, cast.url(*PHASE))
    assert shown(response)[-2:] == ["MORE-4", "MORE-8"]
    page = response.content.decode()
    assert page.index("Mandatory tasks") < page.index("Optional tasks")


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", {"GL-01", "GL-02"}),
        ("?show=mine", {"GL-01"}),
        ("?show=open", {"GL-01"}),
        ("?show=overdue", set()),
        ("?show=all", {"GL-01", "GL-02"}),
        ("?show=nonsense", {"GL-01", "GL-02"}),
    ],
)
def test_filters(cast, get, query, codes):
    services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
    assert set(shown(get(cast.manager, cast.url(*PHASE) + query))) == codes


def test_each_filter_says_how_many_and_shows_exactly_those(get):
    cast = make_cast(plan_version=make_big_plan(20))
    now = GO_LIVE_AT - timedelta(days=60)
    for url in (cast.url(*PHASE), cast.url("tasks")):
        for key, text in get(cast.manager, url, now).context["shown"].choices:
            response = get(cast.manager, f"{url}?show={key}", now)
            assert text.endswith(f"({len(shown(response))})")


def test_by_due_date_the_soonest_is_first(get):
    cast = make_cast(plan_version=make_big_plan(8))
    response = get(cast.manager, cast.url("tasks") + "?show=open&sort=due")
    due = [row.task.due_at for row in response.context["rows"]]
    assert due == sorted(due)


def test_many_tasks_are_shown_in_pages(get):
    cast = make_cast(plan_version=make_big_plan(60))
    first = get(cast.manager, cast.url("tasks") + "?show=all")
    second = get(cast.manager, cast.url("tasks") + "?show=all&page=2")
    assert len(shown(first)) == 50
    assert len(set(shown(first)) | set(shown(second))) == 68


def test_guidance_and_lesson_are_one_press_away(get):
    cast = make_cast(plan_version=make_big_plan(3))
    page = get(cast.manager, cast.url(*PHASE)).content.decode()
    assert "How and why" in page
    assert "What somebody learnt." in page


class TestTickingSeveral:
    def post(self, client, cast, who, *codes, query=""):
        client.force_login(who)
        return client.post(cast.url(*PHASE, "tick") + query, {"code": codes})

    def test_all_chosen_are_done_and_the_filter_stays(self, client):
        cast = make_cast(plan_version=make_big_plan(3))
        response = self.post(client, cast, cast.manager, "MORE-1", "MORE-2", query="?show=open")
        assert response.headers["Location"] == cast.url(*PHASE) + "?show=open"
        page = client.get(response.headers["Location"])
        assert "2 tasks are done." in page.content.decode()
        assert shown(page) == ["GL-01", "GL-02", "MORE-3"]
        assert_sound(cast.migration)

    def test_what_somebody_else_did_already_is_named(self, client, cast):
        services.tick_task(task=cast.task("GL-02"), by=cast.project_manager, at=MONDAY)
        response = self.post(client, cast, cast.manager, "GL-02")
        page = client.get(response.headers["Location"]).content.decode()
        assert (
            f"GL-02 was already done, by {cast.project_manager} on {uk_datetime(MONDAY)}." in page
        )
        assert cast.events("GL-02") == ["task.done"]

    def test_none_chosen_asks_for_one(self, client, cast):
        response = self.post(client, cast, cast.manager)
        assert response.status_code == 422
        assert "Select at least one task" in response.content.decode()
        assert "<title>Error: " in response.content.decode()

    def test_a_code_with_a_nul_is_no_task(self, client, cast):
        assert self.post(client, cast, cast.manager, "\x00").status_code == 422
        assert self.post(client, cast, cast.manager, "\x00", "GL-02").status_code == 302
        assert cast.task("GL-02").state == Task.State.DONE

    def test_a_date_is_not_recorded_by_the_way(self, client, cast):
        response = self.post(client, cast, cast.manager, "GL-01", "GL-02")
        page = client.get(response.headers["Location"]).content.decode()
        assert "GL-01 records a date" in page
        assert cast.task("GL-02").state == Task.State.DONE

    def test_nobody_ticks_what_is_not_theirs(self, client, cast):
        assert self.post(client, cast, cast.staff, "GL-02").status_code == 403
        assert self.post(client, cast, cast.national_viewer, "GL-02").status_code == 403
        assert self.post(client, cast, cast.stranger, "GL-02").status_code == 404
        assert cast.task("GL-02").state == Task.State.OPEN


class TestAddingATask:
    data = {
        "title": "Move the fish tank",
        "guidance": "",
        "owner": "practice_staff",
        "due_on_day": "1",
        "due_on_month": "3",
        "due_on_year": "2027",
        "assignee": "",
    }

    def test_it_stands_in_the_list(self, client, cast):
        client.force_login(cast.manager)
        response = client.post(cast.url(*PHASE, "add"), self.data)
        assert response.headers["Location"] == cast.url(*PHASE) + "#task-OWN-01"
        page = client.get(cast.url(*PHASE)).content.decode()
        assert "Move the fish tank" in page

    def test_what_was_typed_stays_when_something_is_wrong(self, client, cast):
        client.force_login(cast.manager)
        response = client.post(
            cast.url(*PHASE, "add"), self.data | {"due_on_day": "31", "due_on_month": "2"}
        )
        assert response.status_code == 422
        assert 'value="Move the fish tank"' in response.content.decode()

    def test_the_same_again_is_refused_with_a_sentence(self, client, cast):
        client.force_login(cast.manager)
        client.post(cast.url(*PHASE, "add"), self.data)
        response = client.post(cast.url(*PHASE, "add"), self.data)
        assert response.status_code == 422
        assert "This phase already has that task, as OWN-01." in response.content.decode()

    def test_only_who_may_edit_tasks(self, client, cast):
        for who, status in ((cast.staff, 403), (cast.trainer, 403), (cast.stranger, 404)):
            client.force_login(who)
            assert client.get(cast.url(*PHASE, "add")).status_code == status
            assert client.post(cast.url(*PHASE, "add"), self.data).status_code == status


@pytest.mark.parametrize("path", [PHASE, ("tasks",)])
def test_a_list_takes_the_same_queries_for_any_number_of_tasks(client, path):
    counted = []
    for more in (1, 150):
        cast = make_cast(plan_version=make_big_plan(more))
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
        counted.append(count_queries(client, cast.manager, cast.url(*path) + "?show=all"))
    assert counted[0] == counted[1] <= 12


@pytest.mark.parametrize("path", [PHASE, ("tasks",), ("phases", "no-such-phase")])
def test_strangers_find_nothing(cast, get, path):
    assert get(cast.stranger, cast.url(*path)).status_code == 404


def test_an_unknown_phase_is_not_found(cast, get):
    assert get(cast.manager, cast.url("phases", "nowhere")).status_code == 404


class TestWhenTheAssigneeHasLeft:
    @pytest.fixture
    def left(self, cast):
        """GL-01, a task of the practice manager, given to somebody who then leaves."""
        task = cast.task("GL-01")
        services.assign_task(task=task, assignee=cast.staff, by=cast.manager, at=MONDAY)
        cast.staff.memberships.update(valid_to=MONDAY.date())
        return task

    def test_it_is_a_task_of_its_role_again_and_says_why(self, cast, get, left):
        page = get(cast.manager, cast.url(*PHASE) + "?show=mine")
        assert shown(page) == ["GL-01"]
        text = said(page)
        assert "<span>Practice manager (yours)</span>" in text
        assert "Was assigned to Bob Reception, who has left" in text
        page = get(cast.manager, cast.url("tasks", "GL-01"))
        assert "Was assigned to Bob Reception, who has left" in said(page)

    def test_whoever_holds_the_role_may_tick_it(self, cast, client):
        task = cast.task("CUT-03")
        services.assign_task(task=task, assignee=cast.staff, by=cast.manager, at=MONDAY)
        with time_machine.travel(MONDAY, tick=False):
            client.force_login(cast.clinician)
            assert client.post(cast.url("tasks", "CUT-03", "tick")).status_code == 403
            cast.staff.memberships.update(valid_to=MONDAY.date())
            assert client.post(cast.url("tasks", "CUT-03", "tick")).status_code == 302
        assert cast.task("CUT-03").state == Task.State.DONE

    def test_who_is_to_do_it_is_asked_again(self, cast, get, left):
        page = said(get(cast.manager, cast.url("tasks", "GL-01", "assign")))
        assert "Anybody who is: practice manager" in page
        assert "Bob Reception</option>" not in page

    def test_it_is_theirs_again_when_they_come_back(self, cast, get, left):
        cast.staff.memberships.update(valid_to=None)
        assert shown(get(cast.manager, cast.url(*PHASE) + "?show=mine")) == []
        page = get(cast.manager, cast.url(*PHASE))
        assert "<span>Bob Reception</span>" in said(page)
        assert "who has left" not in said(page)

    def test_many_take_as_many_statements_as_one(self, cast, client, left):
        url = cast.url("tasks") + "?show=all"
        one = count_queries(client, cast.manager, url)
        cast.migration.tasks.update(assignee=cast.staff)
        assert count_queries(client, cast.manager, url) == one
