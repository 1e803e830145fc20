"""Two administrators in one draft, what was changed, and publishing it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.shipping import load_shipped_plans
from tests.factories import MONDAY, make_person

from .test_workbench import CUT_02, HOME, TASKS, ann, change, draft, posted, tree

__all__ = ["ann", "draft"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    """Another administrator, at a browser of their own."""
    browser = Client()
    browser.force_login(make_person(Role.ADMINISTRATOR, name="Bob Admin"))
    return browser


def task(code="CUT-02"):
    return next(task for task in tree().tasks() if task.code == code)


class TestTwoAtOnce:
    def test_both_values_are_shown_and_saving_again_overwrites(self, client, bob, draft):
        before = posted(bob.get(CUT_02))
        change(client, CUT_02, title="Ann's title")
        answer = bob.post(CUT_02, before | {"title": "Bob's title"})
        page = answer.content.decode()
        assert answer.status_code == 409
        for words in ("Ann&#x27;s title", "Bob&#x27;s title", "Ann Admin changed this too"):
            assert words in page
        assert task().title == "Ann's title"
        assert answer.context["form"]["title"].value() == "Bob's title"
        again = before | {"title": "Bob's title", "seen": answer.context["seen"]}
        assert bob.post(CUT_02, again).status_code == 302
        assert task().title == "Bob's title"

    def test_two_people_in_two_fields_do_not_meet(self, client, bob, draft):
        before = posted(bob.get(CUT_02))
        change(client, CUT_02, title="Ann's title")
        assert bob.post(CUT_02, before | {"evidence": "Bob's note"}).status_code == 302
        assert (task().title, task().evidence) == ("Ann's title", "Bob's note")

    def test_an_offset_is_not_torn_from_its_unit(self, client, bob, draft):
        before = posted(bob.get(CUT_02))
        change(client, CUT_02, by="5")
        answer = bob.post(CUT_02, before | {"unit": "working_days"})
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "5 days before go-live" in page
        assert "1 working day before go-live" in page
        bob.post(CUT_02, before | {"unit": "working_days", "seen": answer.context["seen"]})
        assert (task().offset, task().unit) == (-1, "working_days")

    def test_a_part_that_was_removed_meanwhile_says_so_and_keeps_what_was_typed(
        self, client, bob, draft
    ):
        before = posted(bob.get(CUT_02))
        client.post(f"{CUT_02}remove/")
        answer = bob.post(CUT_02, before | {"title": "Bob's title"})
        assert answer.status_code == 409
        assert "Ann Admin removed this" in answer.content.decode()
        assert answer.context["form"]["title"].value() == "Bob's title"

    def test_another_draft_in_its_place_is_not_overwritten(self, client, bob, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        services.draft_from(version=draft, by=ann, at=MONDAY)
        before = posted(bob.get(CUT_02))
        services.discard(version=PlanVersion.objects.get(state="draft"), by=ann, at=MONDAY)
        services.draft_from(version=draft, by=ann, at=MONDAY)
        answer = bob.post(CUT_02, before | {"title": "Bob's title"})
        assert answer.status_code == 409
        assert "discarded or replaced" in answer.content.decode()
        assert task().title == "Check the data"

    def test_what_was_sent_to_a_draft_that_is_gone_is_given_back(self, client, bob, ann, draft):
        before = posted(bob.get(CUT_02))
        services.publish(version=draft, by=ann, at=MONDAY)
        answer = bob.post(CUT_02, before | {"title": "Bob's title"})
        assert answer.status_code == 409
        assert "has no draft any more" in answer.content.decode()
        assert "Bob&#x27;s title" in answer.content.decode()
        names = [name for name, _ in answer.context["typed"]]
        assert {"Title", "Before or after"} <= set(names)
        assert not {"Seen", "Side"} & set(names)
        answer = bob.post(TASKS, {"bulk-unit": "days", "task": ["CUT-02"]})
        assert answer.context["typed"] == [("Unit", "days"), ("Task", "CUT-02")]
        assert "What you sent" not in bob.post(f"{CUT_02}move/", {"to": "up"}).content.decode()
        assert bob.get(CUT_02)["Location"] == "/plans/small/1/"
        assert bob.get("/plans/nothing/draft/").status_code == 404


class TestChanges:
    def test_a_change_says_who_changed_what_and_is_taken_back(self, client, draft):
        change(client, CUT_02, by="3", guidance="Short.")
        page = client.get(f"{HOME}changes/").content.decode()
        assert "due time from 1 day before go-live to 3 days before go-live" in page
        assert "Ann Admin" in page
        answer = client.post(f"{HOME}changes/1/take-back/", follow=True)
        assert "The change is taken back." in answer.content.decode()
        assert "Taken back by Ann Admin" in answer.content.decode()
        assert task().offset == -1

    def test_the_home_of_a_draft_shows_both_wordings_of_a_long_text(self, client, draft):
        change(client, CUT_02, guidance="Look at each record twice. " * 5)
        page = client.get(HOME).content.decode()
        assert "guidance reworded" in page
        for words in ("Compare what came over", "Look at each record twice."):
            assert words in page

    def test_each_change_says_what_it_started_from(self, client, draft):
        for by in ("2", "3", "4"):
            change(client, CUT_02, by=by)
        client.post(f"{CUT_02}remove/")
        client.post(f"{HOME}changes/4/take-back/")
        page = client.get(f"{HOME}changes/").content.decode()
        for before, after in (("1 day", "2 days"), ("2 days", "3 days"), ("3 days", "4 days")):
            assert f"due time from {before} before go-live to {after} before go-live" in page
        for words in ("Task CUT-02 Check the data: removed", "Task CUT-02 Check the data: added"):
            assert words in page

    def test_what_was_changed_again_is_not_taken_back(self, client, bob, draft):
        change(client, CUT_02, title="First")
        change(bob, CUT_02, title="Second")
        page = client.post(f"{HOME}changes/1/take-back/", follow=True).content.decode()
        assert "It was not taken back." in page
        assert "was changed again by Bob Admin" in page
        assert task().title == "Second"

    def test_old_changes_are_on_further_pages(self, client, ann, draft):
        for number in range(30):
            change(client, f"{HOME}details/", title=f"Plan {number}")
        page = client.get(f"{HOME}changes/?page=2").content.decode()
        assert "title from Plan 3 to Plan 4" in page
        assert "title from A small plan to Plan 0" in page


class TestDueLine:
    DAY = {"go_live_day": "12", "go_live_month": "3", "go_live_year": "2027"}

    def test_the_date_is_there_without_scripts(self, client, draft):
        client.post(f"{HOME}go-live/", self.DAY)
        page = client.get(CUT_02).content.decode()
        assert "For a go-live on Friday 12 March 2027 this is due Thursday 11 March 2027." in page

    def test_it_follows_the_boxes_as_they_stand(self, client, draft):
        client.post(f"{HOME}go-live/", self.DAY)
        boxes = {"by": "24", "unit": "working_days", "side": "before", "anchor": "GL"}
        page = client.get(f"{HOME}due/tasks/?of=CUT-02", boxes | {"of": "CUT-02"})
        assert "this is due Monday 8 February 2027." in page.content.decode()
        page = client.get(f"{HOME}due/tasks/", boxes | {"by": "x"}).content.decode()
        assert "Fill in all of these boxes" in page

    def test_what_a_task_waits_for_moves_it(self, client, draft):
        client.post(f"{HOME}go-live/", self.DAY)
        boxes = {"by": "24", "unit": "days", "side": "before", "anchor": "GL", "of": "CUT-02"}
        wait = {"after_1_task": "GL-01", "after_1_lag": "2", "after_1_unit": "days"}
        page = client.get(f"{HOME}due/tasks/", boxes | wait).content.decode()
        assert "this is due Sunday 14 March 2027" in page
        assert "Without waiting for GL-01 it would be due Tuesday 16 February 2027" in page

    @pytest.mark.parametrize(
        ("path", "sentence"),
        [
            ("key-dates/ORDER", "this is on Friday 4 December 2026."),
            ("key-dates/FDP", "this is on Tuesday 9 March 2027 at 08:00."),
            ("clocks/access", "runs from Friday 12 March 2027 at 08:00 to Monday 26 April 2027."),
            ("add/tasks/?phase=cut_over", "Fill in all of these boxes to see the date."),
        ],
    )
    def test_every_offset_has_its_line(self, client, draft, path, sentence):
        client.post(f"{HOME}go-live/", self.DAY)
        page = client.get(HOME + path + ("" if "?" in path else "/")).content.decode()
        assert sentence in page

    def test_a_day_that_is_none_is_said(self, client, draft):
        answer = client.post(f"{HOME}go-live/", self.DAY | {"go_live_month": "13"})
        assert answer.status_code == 422
        htmx = {"HX-Request": "true"}
        sent = self.DAY | {"go_live_month": "13", "kind": "tasks", "of": "CUT-02"}
        page = client.post(f"{HOME}go-live/", sent, headers=htmx).content.decode()
        assert "must be a real date" in page


class TestPublishing:
    PUBLISH = "/plans/small/1/publish/"

    def test_faults_block_and_lead_to_where_they_are_mended(self, client, draft):
        change(client, CUT_02, mandatory="no")
        client.post(f"{HOME}key-dates/FDP/remove/")
        page = client.get(self.PUBLISH).content.decode()
        assert f'href="{CUT_02}"' in page
        assert f'href="{HOME}key-dates/"' in page
        assert "Every plan needs the key date FDP." in page
        assert 'name="notes"' not in page
        answer = client.post(self.PUBLISH, {"seen": PlanVersion.objects.get().digest})
        assert answer.status_code == 422
        assert "cannot be published yet" in answer.content.decode()
        assert PlanVersion.objects.get().state == "draft"

    def test_a_draft_is_published_with_what_changed(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        client.post("/plans/small/1/draft/")
        change(client, f"{HOME}clocks/access/", limit="90")
        page = client.get("/plans/small/2/publish/")
        assert "Limit from 45 days to 90 days" in page.content.decode()
        sent = {"seen": page.context["version"].digest, "notes": "90 days agreed"}
        answer = client.post("/plans/small/2/publish/", sent, follow=True)
        assert "is published: new migrations start from it" in answer.content.decode()

    def test_a_draft_that_says_nothing_new_is_not_published(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        client.post("/plans/small/1/draft/")
        page = client.get("/plans/small/2/publish/")
        assert "There is nothing to publish" in page.text
        assert 'name="notes"' not in page.text
        assert 'href="/plans/small/2/discard/"' in page.text
        answer = client.post("/plans/small/2/publish/", {"seen": page.context["version"].digest})
        assert answer.status_code == 422
        assert "This draft says what version 1 says" in answer.text
        assert PlanVersion.objects.get(number=2).state == "draft"


class TestQueries:
    PATHS = ("", "changes/", "key-dates/", "phases/", "gates/", "clocks/", "reminders/")

    def test_pages_take_the_same_queries_however_long_the_plan_is(self, client, ann, draft):
        load_shipped_plans(at=MONDAY)
        slug = "nhs-full-migration"
        version = PlanVersion.objects.get(plan__slug=slug)
        long = services.draft_from(version=version, by=ann, at=MONDAY)
        for one, code in ((draft, "CUT-02"), (long, "CUT-16")):
            for number in range(2 if one is draft else 12):
                services.set_fields(
                    version=one,
                    kind="task",
                    key=code,
                    values={"title": f"Title {number}"},
                    seen=99,
                    by=ann,
                    at=MONDAY,
                )
        pairs = [(f"{HOME}{path}", f"/plans/{slug}/draft/{path}") for path in self.PATHS]
        pairs += [
            (CUT_02, f"/plans/{slug}/draft/tasks/CUT-16/"),
            (TASKS, f"/plans/{slug}/draft/phases/cutover/tasks/"),
        ]
        for few, many in pairs:
            counts = []
            for address in (few, many):
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(address).status_code == 200, address
                counts.append(len(queries))
            assert counts[0] == counts[1] <= 15, (few, counts)
