"""Any sequence of edits leaves a plan that either publishes or says why not."""

import hypothesis
import pytest
from django.db import transaction
from hypothesis import strategies as st

from practices.common.errors import Refused
from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.queries import (
    edits_of,
    part_rows,
    task_rows,
    tree_of,
    version_page,
    with_parts,
)
from practices.plans.rules import KINDS, check, content_of, key_of, sample
from practices.plans.views.places import place_of
from practices.plans.yaml import read_plan, write_plan
from tests.factories import MONDAY, make_person

from .small import SMALL

pytestmark = pytest.mark.django_db

DATES = ["FDP", "GL", "EOA", "ORDER", "NEW"]
PARTS = ["cut_over", "later", "access", "go_live_data", "signing"]
TASKS = ["CUT-01", "CUT-02", "CUT-03", "GL-01", "NEW-01"]
KEYS = st.sampled_from([*DATES, *PARTS, *TASKS])
ROLES = st.sampled_from(["practice_manager", "lead_gp", "pcse", "all", "nobody", ""])
FACTS = st.sampled_from(["FDP", "GL", "EOA", "NEW", "task:CUT-02", "breach:cut_over", "gate:*", ""])
NUMBERS = st.sampled_from([-3_000, -98, -1, 0, 1, 45, 90, 3_000, 4_000])
UNITS = st.sampled_from(["hours", "days", "working_days"])
TEXTS = st.sampled_from(["", "A", "Two\nlines", "x" * 400, "naïve “quotes”: #1"])
LINKS = st.lists(
    st.fixed_dictionaries({"task": KEYS, "lag": NUMBERS.filter(lambda n: n >= 0), "unit": UNITS}),
    max_size=2,
)
SEATS = st.lists(
    st.fixed_dictionaries({"key": KEYS, "title": TEXTS, "roles": st.lists(ROLES, max_size=2)}),
    max_size=2,
)
# What people and programs may write into each field, whether it makes sense or not.
VALUES = {
    **dict.fromkeys(("title", "guidance", "statement", "question", "condition", "source"), TEXTS),
    **dict.fromkeys(("owner", "confirm_to"), ROLES),
    **dict.fromkeys(("helps", "tell"), st.lists(ROLES, max_size=2)),
    **dict.fromkeys(("anchor", "starts", "stops", "until"), FACTS),
    **dict.fromkeys(("records", "same_as", "clock", "gate", "seat"), KEYS | st.just("")),
    **dict.fromkeys(("offset", "limit", "repeat_every"), NUMBERS),
    **dict.fromkeys(("offsets", "warn_after", "warn_before"), st.lists(NUMBERS, max_size=3)),
    **dict.fromkeys(("mandatory", "enabled", "different_people"), st.booleans()),
    **dict.fromkeys(("cover_phases", "cover_tasks", "blocks"), st.lists(KEYS, max_size=2)),
    "unit": UNITS,
    "precision": st.sampled_from(["day", "minute"]),
    "applies_if": st.lists(KEYS, max_size=2),
    "after": LINKS,
    "seats": SEATS,
}


class Editor:
    """Somebody who does anything to a draft that the services let them do."""

    def __init__(self, data, draft, person):
        self.draw, self.draft = data.draw, draft
        self.refusals = []
        self.who = {"version": draft, "by": person, "at": MONDAY}

    def acts(self):
        act = self.draw(st.sampled_from([self.sets, self.adds, self.removes, self.arranges]))
        try:
            with transaction.atomic():
                act()
        except Refused as refusal:
            self.refusals.append(str(refusal))

    def content(self):
        return PlanVersion.objects.get(pk=self.draft.pk).content

    def part(self, kind):
        parts = self.content()[kind]
        hypothesis.assume(parts)
        return self.draw(st.sampled_from(parts))

    def sets(self):
        kind = self.draw(st.sampled_from(KINDS))
        part = self.part(kind)
        field = self.draw(st.sampled_from(sorted(part.keys() & VALUES.keys())))
        value = self.draw(VALUES[field])
        key = key_of(kind, part)
        services.set_fields(**self.who, kind=kind, key=key, values={field: value}, seen=9_999)

    def adds(self):
        kind = self.draw(st.sampled_from(KINDS))
        part = dict(self.part(kind)) | {"code" if kind == "task" else "key": self.draw(KEYS)}
        services.add_part(**self.who, kind=kind, part=part)

    def removes(self):
        kind = self.draw(st.sampled_from(KINDS))
        services.remove_part(**self.who, kind=kind, key=self.draw(KEYS))

    def arranges(self):
        task, phase = key_of("task", self.part("task")), key_of("phase", self.part("phase"))
        moves = [
            lambda: services.move_to_phase(**self.who, code=task, phase=phase),
            lambda: services.shift_part(**self.who, kind="task", key=task, up=True),
            lambda: services.merge_phases(**self.who, key=self.draw(KEYS), into=phase),
            lambda: services.set_tasks(**self.who, codes=[task], values={"owner": "lead_gp"}),
            lambda: services.take_back(**self.who, number=self.draw(st.integers(1, 4))),
        ]
        self.draw(st.sampled_from(moves))()


@hypothesis.settings(max_examples=60)
@hypothesis.given(data=st.data())
def test_any_edits_leave_a_plan_that_publishes_or_says_why_not(data):
    with transaction.atomic():
        person = make_person()
        tree = read_plan(SMALL, file="plan.yaml")
        draft = services.load_plan(tree=tree, by=None, at=MONDAY).version
        editor = Editor(data, draft, person)
        for _ in range(data.draw(st.integers(1, 8), label="edits")):
            editor.acts()
        assert all(refusal.endswith(".") for refusal in editor.refusals), editor.refusals
        draft = with_parts().get(pk=draft.pk)
        said = tree_of(draft)
        assert content_of(said)["plan"] == (draft.content or {})["plan"]
        _can_be_read(draft, said)
        _publishes_or_says_why_not(draft, said, person)
        transaction.set_rollback(True)


def _can_be_read(draft, said):
    """Every page of the draft bears whatever it says."""
    version_page(draft)
    edits_of(draft)
    for kind in KINDS:
        rows = task_rows(said, "cut_over") if kind == "task" else part_rows(said, kind)
        assert all(row.key for row in rows)
    sample_of = {"slug": "small", "go_live_at": MONDAY, "is_working": lambda _: True}
    for kind in ("key_date", "task", "clock", "reminder"):
        for part in draft.content[kind]:
            sample(draft.content, kind, key_of(kind, part), **sample_of)


def _publishes_or_says_why_not(draft, said, person):
    faults = check(said)
    if faults:
        for fault in faults:
            assert place_of(draft, said, fault)[1].startswith("/plans/small/draft/")
        with pytest.raises(Refused) as met, transaction.atomic():
            services.publish(version=draft, by=person, at=MONDAY)
        assert faults[0].message in str(met.value)
        assert tree_of(with_parts().get(pk=draft.pk)) == said
        return
    services.publish(version=draft, by=person, at=MONDAY)
    published = with_parts().get(pk=draft.pk)
    assert tree_of(published) == said
    assert read_plan(write_plan(said), file="again.yaml") == said
    version_page(published)
