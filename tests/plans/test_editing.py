"""Edits of a draft: small, on record, safe between two people, and possible to take back."""

import pytest

from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.plans.yaml import read_plan
from tests.factories import MONDAY, make_person

from .small import SMALL

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return make_person(name="Ann Admin")


@pytest.fixture
def bob():
    return make_person(name="Bob Admin")


@pytest.fixture
def draft():
    tree = read_plan(SMALL, file="plan.yaml")
    return services.load_plan(tree=tree, by=None, at=MONDAY).version


def now(draft):
    return PlanVersion.objects.get(pk=draft.pk)


def codes(draft):
    return [task.code for task in tree_of(now(draft)).tasks()]


def task(draft, code="CUT-02"):
    return next(task for task in tree_of(now(draft)).tasks() if task.code == code)


def set_task(draft, by, seen=0, code="CUT-02", **values):
    return services.set_fields(
        version=draft, kind="task", key=code, values=values, seen=seen, by=by, at=MONDAY
    )


class TestFields:
    def test_a_change_says_who_changed_what_from_what_to_what(self, draft, ann):
        edit = set_task(draft, ann, title="Check every record")
        assert (edit.by, edit.number) == (ann, 1)
        assert edit.summary == "Task CUT-02 Check the data changed"
        assert edit.steps == [
            {"do": "set", "kind": "task", "key": "CUT-02", "field": "title",
             "before": "Check the data", "after": "Check every record"}
        ]  # fmt: skip
        assert task(draft).title == "Check every record"

    def test_nothing_changed_leaves_no_trace(self, draft, ann):
        events = Event.objects.count()
        assert set_task(draft, ann, title="Check the data") is None
        assert (now(draft).revision, Event.objects.count()) == (0, events)

    def test_every_edit_is_an_event_with_the_mark_of_what_the_draft_says_now(self, draft, ann):
        set_task(draft, ann, title="Other")
        event = Event.objects.order_by("-pk")[0]
        assert (event.kind, event.by) == ("plan.edited", ann)
        assert event.data["digest"] == now(draft).digest != draft.digest
        assert "Other" not in str(event.data)

    def test_the_plan_itself_has_fields_too(self, draft, ann):
        services.set_fields(
            version=draft, kind="plan", key="", values={"title": "Ours"}, seen=0, by=ann, at=MONDAY
        )
        assert (now(draft).title, tree_of(now(draft)).title) == ("Ours", "Ours")

    def test_two_people_in_two_fields_do_not_meet(self, draft, ann, bob):
        set_task(draft, ann, title="Ann's title", guidance="Compare what came over.")
        set_task(draft, bob, title="Check the data", basis="estimate")
        assert (task(draft).title, task(draft).basis) == ("Ann's title", "estimate")

    def test_two_people_in_one_field_are_shown_both_values(self, draft, ann, bob):
        set_task(draft, ann, title="Ann's title")
        with pytest.raises(services.Clashing, match="Ann Admin changed this too") as met:
            set_task(draft, bob, title="Bob's title", basis="estimate")
        assert [(c.field, c.mine, c.theirs) for c in met.value.clashes] == [
            ("title", "Bob's title", "Ann's title")
        ]
        assert (task(draft).title, task(draft).basis) == ("Ann's title", "source")

    def test_who_has_seen_the_other_value_may_overwrite_it(self, draft, ann, bob):
        set_task(draft, ann, title="Ann's title")
        set_task(draft, bob, seen=1, title="Bob's title")
        assert task(draft).title == "Bob's title"

    def test_the_same_change_made_twice_is_one(self, draft, ann, bob):
        set_task(draft, ann, title="Better")
        assert set_task(draft, bob, title="Better") is None

    def test_a_part_that_was_removed_meanwhile_says_by_whom(self, draft, ann, bob):
        services.remove_part(version=draft, kind="task", key="CUT-02", by=ann, at=MONDAY)
        with pytest.raises(Conflict, match="Ann Admin removed this"):
            set_task(draft, bob, title="Bob's title")

    def test_a_published_version_is_not_edited(self, draft, ann):
        published = services.publish(version=draft, by=ann, at=MONDAY)
        with pytest.raises(Refused, match="Draft a new version"):
            set_task(published, ann, title="x")


class TestParts:
    def test_a_task_is_added_behind_another_and_only_once(self, draft, ann):
        part = {**services_part(draft), "code": "CUT-09", "title": "New"}
        services.add_part(version=draft, kind="task", part=part, behind="CUT-02", by=ann, at=MONDAY)
        assert codes(draft) == ["CUT-01", "CUT-02", "CUT-09", "CUT-03", "GL-01"]
        with pytest.raises(Refused, match="CUT-09 is there already"):
            services.add_part(version=draft, kind="task", part=part, by=ann, at=MONDAY)

    def test_parts_are_moved_up_and_down(self, draft, ann):
        for behind, order in (("CUT-03", "1 3 2"), ("", "2 1 3")):
            services.move_part(
                version=draft, kind="task", key="CUT-02", behind=behind, by=ann, at=MONDAY
            )
            assert codes(draft)[:3] == [f"CUT-0{number}" for number in order.split()]

    def test_phases_are_merged_and_gates_follow(self, draft, ann):
        services.add_part(
            version=draft,
            kind="phase",
            part={"key": "later", "title": "Later", "duration": "", "source": ""},
            by=ann,
            at=MONDAY,
        )
        services.move_to_phase(version=draft, code="CUT-03", phase="later", by=ann, at=MONDAY)
        assert [len(phase.tasks) for phase in tree_of(now(draft)).phases] == [3, 1]
        services.merge_phases(version=draft, key="cut_over", into="later", by=ann, at=MONDAY)
        tree = tree_of(now(draft))
        assert [phase.key for phase in tree.phases] == ["later"]
        assert codes(draft) == ["CUT-03", "CUT-01", "CUT-02", "GL-01"]
        assert tree.gates[0].cover_phases == ("later",)

    def test_several_tasks_are_changed_at_once(self, draft, ann):
        edit = services.set_tasks(
            version=draft,
            codes=["CUT-02", "CUT-03"],
            values={"owner": "lead_gp"},
            by=ann,
            at=MONDAY,
        )
        assert edit.summary == "2 tasks changed at once"
        assert [task.owner for task in tree_of(now(draft)).tasks()][1:3] == ["lead_gp"] * 2

    def test_a_draft_with_a_fault_is_kept_and_not_published(self, draft, ann):
        services.remove_part(version=draft, kind="key_date", key="FDP", by=ann, at=MONDAY)
        with pytest.raises(Refused, match=r"cannot be published yet. Every plan needs .* FDP"):
            services.publish(version=now(draft), by=ann, at=MONDAY)


class TestTakingBack:
    def test_every_kind_of_edit_is_taken_back(self, draft, ann):
        before = now(draft).content
        edits = [
            set_task(draft, ann, title="Other"),
            services.remove_part(version=draft, kind="task", key="CUT-03", by=ann, at=MONDAY),
            services.move_part(
                version=draft, kind="task", key="GL-01", behind="", by=ann, at=MONDAY
            ),
            services.merge_phases(
                version=add_phase(draft, ann), key="cut_over", into="more", by=ann, at=MONDAY
            ),
        ]
        for edit in reversed(edits):
            services.take_back(version=draft, number=edit.number, by=ann, at=MONDAY)
        services.remove_part(version=draft, kind="phase", key="more", by=ann, at=MONDAY)
        assert now(draft).content == before

    def test_a_phase_that_comes_back_has_its_tasks_in_their_order(self, draft, ann):
        add_phase(draft, ann)
        for code in ("CUT-02", "CUT-03"):
            services.move_to_phase(version=draft, code=code, phase="more", by=ann, at=MONDAY)
        before = now(draft).content
        edit = services.remove_part(version=draft, kind="phase", key="more", by=ann, at=MONDAY)
        services.take_back(version=draft, number=edit.number, by=ann, at=MONDAY)
        assert now(draft).content == before

    def test_an_edit_is_taken_back_past_others_that_leave_it_alone(self, draft, ann, bob):
        first = set_task(draft, ann, title="Ann's title")
        set_task(draft, bob, seen=1, basis="estimate")
        services.take_back(version=draft, number=first.number, by=bob, at=MONDAY)
        assert (task(draft).title, task(draft).basis) == ("Check the data", "estimate")

    def test_what_was_changed_again_is_not_taken_back_and_says_by_whom(self, draft, ann, bob):
        first = set_task(draft, ann, title="Ann's title")
        set_task(draft, bob, seen=1, title="Bob's title")
        with pytest.raises(Conflict, match="changed again by Bob Admin"):
            services.take_back(version=draft, number=first.number, by=ann, at=MONDAY)
        assert task(draft).title == "Bob's title"

    def test_taking_back_twice_is_once_and_can_be_taken_back_itself(self, draft, ann):
        edit = set_task(draft, ann, title="Ann's title")
        back = services.take_back(version=draft, number=edit.number, by=ann, at=MONDAY)
        again = services.take_back(version=draft, number=edit.number, by=ann, at=MONDAY)
        assert back == again
        services.take_back(version=draft, number=back.number, by=ann, at=MONDAY)
        assert task(draft).title == "Ann's title"


class TestNewPlans:
    def test_a_blank_plan_has_the_dates_that_every_plan_needs(self, ann):
        version = services.new_plan(slug="ours", title="Ours", by=ann, at=MONDAY)
        assert [node.key for node in tree_of(version).key_dates] == ["FDP", "GL", "EOA"]

    def test_a_copy_says_the_same_under_another_name(self, draft, ann):
        published = services.publish(version=draft, by=ann, at=MONDAY)
        copy = services.new_plan(slug="ours", title="Ours", copied=published, by=ann, at=MONDAY)
        assert [task.code for task in tree_of(copy).tasks()] == codes(draft)
        with pytest.raises(Refused, match="short name ours"):
            services.new_plan(slug="ours", title="Ours", by=ann, at=MONDAY)

    def test_a_plan_has_one_draft(self, draft, ann, bob):
        published = services.publish(version=draft, by=ann, at=MONDAY)
        first = services.draft_from(version=published, by=ann, at=MONDAY)
        assert services.draft_from(version=published, by=bob, at=MONDAY) == first
        assert codes(first) == ["CUT-01", "CUT-02", "CUT-03", "GL-01"]


def services_part(draft):
    """A task's fields, as a form gives them."""
    return {**next(part for part in now(draft).content["task"] if part["code"] == "CUT-02")}


def add_phase(draft, by):
    part = {"key": "more", "title": "More", "duration": "", "source": ""}
    services.add_part(version=draft, kind="phase", part=part, by=by, at=MONDAY)
    return draft
