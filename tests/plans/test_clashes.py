"""Two administrators who change the same part: each decides only what both have touched."""

import pytest

from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.rules import find
from tests.factories import MONDAY

from .test_workbench import CUT_02, HOME, ann, change, draft, posted
from .test_workbench_together import bob

__all__ = ["ann", "bob", "draft"]
pytestmark = pytest.mark.django_db
GATE = f"{HOME}gates/go_live_data/"


def part(kind, key):
    return find(PlanVersion.objects.get(state="draft").content, kind, key)


def fields(answer):
    """What the table of a clash asks about."""
    return [one.field for one in answer.context["clashes"]]


@pytest.mark.parametrize(
    ("kind", "key", "url", "others"),
    [
        ("task", "CUT-02", CUT_02, {"by": "9", "helps": ["it_lead"], "mandatory": "no"}),
        ("task", "CUT-02", CUT_02, {"after_1_task": "CUT-01", "after_1_lag": "3"}),
        ("gate", "go_live_data", GATE, {"statement": "Other.", "seat_1_title": "The GPs"}),
        ("gate", "go_live_data", GATE, {"different_people": "", "cover_tasks": "CUT-02"}),
        ("clock", "access", f"{HOME}clocks/access/", {"limit": "90", "warn_before": "28"}),
        ("clock", "access", f"{HOME}clocks/access/", {"enabled": "", "repeat_every": "7"}),
        ("key_date", "ORDER", f"{HOME}key-dates/ORDER/", {"by": "40", "precision": "minute"}),
        ("key_date", "ORDER", f"{HOME}key-dates/ORDER/", {"how": "same_as", "same_as": "EOA"}),
        ("reminder", "repair", f"{HOME}reminders/repair/", {"advice": "Ask.", "offsets": "1"}),
        ("phase", "cut_over", f"{HOME}phases/cut_over/", {"duration": "Two days"}),
        ("plan", "", f"{HOME}details/", {"summary": "For all.", "source": "Us"}),
    ],
)
def test_what_one_did_not_touch_stays_as_the_other_saved_it(
    client, bob, draft, kind, key, url, others
):
    before = posted(bob.get(url))
    assert change(client, url, title="Ann's title", **others).status_code == 302
    saved = part(kind, key)
    answer = bob.post(url, before | {"title": "Bob's title"})
    assert (answer.status_code, fields(answer)) == (409, ["title"])
    assert posted(answer) == posted(client.get(url)) | {"title": "Bob's title"}
    assert bob.post(url, posted(answer)).status_code == 302
    assert part(kind, key) == saved | {"title": "Bob's title"}


def test_a_question_that_two_people_change_asks_only_about_that(client, bob, draft):
    add = {"title": "Dispensing", "question": "Does it?"}
    client.post(f"{HOME}add/conditions/", add)
    url = f"{HOME}conditions/dispensing/"
    before = posted(bob.get(url))
    change(client, url, question="Does it dispense?", system="source", named="Old Record")
    answer = bob.post(url, before | {"question": "Is it dispensing?"})
    assert fields(answer) == ["question"]
    bob.post(url, posted(answer))
    said = part("condition", "dispensing")
    assert (said["question"], said["named"]) == ("Is it dispensing?", "Old Record")


def test_both_who_touch_a_due_time_decide_it_whole_and_the_rest_stays(client, bob, draft):
    before = posted(bob.get(CUT_02))
    change(client, CUT_02, by="9", evidence="A note")
    answer = bob.post(CUT_02, before | {"unit": "working_days", "source": "Us"})
    assert fields(answer) == ["due time"]
    bob.post(CUT_02, posted(answer))
    task = part("task", "CUT-02")
    assert (task["offset"], task["unit"]) == (-1, "working_days")
    assert (task["evidence"], task["source"]) == ("A note", "Us")


def test_who_opened_the_page_with_more_rows_loses_none_of_them(client, bob, draft):
    three = {f"after_{number}_task": code for number, code in enumerate(("CUT-01", "GL-01"), 1)}
    change(client, CUT_02, **three)
    before = posted(bob.get(CUT_02))
    change(client, CUT_02, after_1_task="", after_2_task="")
    answer = bob.post(CUT_02, before | {"after_4_task": "CUT-03", "after_4_lag": "2"})
    assert fields(answer) == ["what it waits for"]
    assert "CUT-01, GL-01 and 2 days after CUT-03" in answer.content.decode()
    bob.post(CUT_02, posted(answer))
    assert [link["task"] for link in part("task", "CUT-02")["after"]] == [
        "CUT-01",
        "GL-01",
        "CUT-03",
    ]


@pytest.mark.parametrize(
    ("url", "first", "then", "theirs"),
    [
        (
            GATE,
            {},
            {"seat_1_title": "", "seat_1_roles": [], "seat_2_title": "Second GP",
             "seat_2_roles": ["lead_gp"]},
            {"statement": "Bob's words"},
        ),
        (
            CUT_02,
            {"helps": ["it_lead", "clinician"]},
            {"helps": ["clinician", "lead_gp"]},
            {"evidence": "Bob's words"},
        ),
        (
            CUT_02,
            {"after_1_task": "CUT-01", "after_2_task": "GL-01", "after_3_task": "CUT-03"},
            {"after_1_task": "", "after_2_task": "", "after_3_task": ""},
            {"evidence": "Bob's words"},
        ),
    ],
)  # fmt: skip
def test_lists_that_one_did_not_touch_are_no_clash(
    client, bob, ann, draft, url, first, then, theirs
):
    change(client, url, **first)
    before = posted(bob.get(url))
    change(client, url, **then)
    kind, key = ("gate", "go_live_data") if url == GATE else ("task", "CUT-02")
    saved = part(kind, key)
    assert bob.post(url, before | theirs).status_code == 302
    assert part(kind, key) == saved | theirs


def test_in_another_draft_all_that_differs_is_shown_before_it_is_overwritten(
    client, bob, ann, draft
):
    services.publish(version=draft, by=ann, at=MONDAY)
    services.draft_from(version=draft, by=ann, at=MONDAY)
    before = posted(bob.get(CUT_02))
    services.discard(version=PlanVersion.objects.get(state="draft"), by=ann, at=MONDAY)
    services.draft_from(version=draft, by=ann, at=MONDAY)
    change(client, CUT_02, by="9")
    answer = bob.post(CUT_02, before | {"title": "Bob's title"})
    assert fields(answer) == ["title", "due time"]
    assert "9 days before go-live" in answer.content.decode()
    assert bob.post(CUT_02, posted(answer)).status_code == 302
