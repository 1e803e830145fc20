"""Plans as YAML: a safe reader, one canonical form, and the same bytes after a round trip."""

import hashlib
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from practices.common.services import clean_text
from practices.plans.rules import (
    ClockNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    ReminderNode,
    TaskNode,
)
from practices.plans.yaml import MAX_BYTES, PlanFileError, plan_digest, read_plan, write_plan

from .bad import BAD
from .small import SMALL, changed

TEXTS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=300)
    .map(clean_text)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
PROSE = st.lists(st.one_of(TEXTS, st.just("")), max_size=4).map("\n".join).map(clean_text)


def small_tree(title: str, guidance: str) -> PlanTree:
    return PlanTree(
        slug="small",
        title="Small",
        summary=guidance,
        key_dates=(
            KeyDateNode("FDP", "Start", "minute", offset=-72, unit="hours"),
            KeyDateNode("GL", "Go-live", "minute"),
            KeyDateNode("EOA", "End", "day", clock="access"),
        ),
        phases=(
            PhaseNode(
                "all",
                "All",
                (
                    TaskNode(
                        code="CUT-01",
                        title=title,
                        owner="practice_manager",
                        anchor="GL",
                        offset=0,
                        unit="days",
                        basis="source",
                        guidance=guidance,
                    ),
                ),
            ),
        ),
        gates=(),
        clocks=(ClockNode("access", "Access", "GL", "EOA", 45, "days"),),
        reminders=(
            ReminderNode(
                "all_done", title[:100].strip(), "gate:*", (0, 2), "days", ("lead_gp",), title
            ),
        ),
    )


class TestRoundTrip:
    @given(title=TEXTS.map(lambda text: text[:200].strip()), guidance=PROSE)
    def test_any_text_comes_back_as_it_was(self, title, guidance):
        tree = small_tree(title, guidance)
        text = write_plan(tree)
        assert read_plan(text, file="plan.yaml") == tree
        assert write_plan(read_plan(text.encode(), file="plan.yaml")) == text

    @given(text=TEXTS.map(lambda text: text[:200].strip()))
    def test_another_yaml_reader_understands_the_file_the_same_way(self, text):
        loaded = yaml.safe_load(write_plan(small_tree(text, text)))
        assert loaded["phases"][0]["tasks"][0]["title"] == text
        assert loaded["summary"] == text

    @pytest.mark.parametrize(
        "title", ["No", "45", "~x", "2027-02-06", "1:30", "- a", "# b", "'", "a: b"]
    )
    def test_words_that_yaml_takes_for_something_else_stay_words(self, title):
        tree = read_plan(write_plan(small_tree(title, "")), file="plan.yaml")
        assert tree.phases[0].tasks[0].title == title

    def test_the_order_of_fields_and_the_way_of_quoting_make_no_other_plan(self):
        tree = read_plan(SMALL, file="plan.yaml")
        other = SMALL.replace(
            "slug: small\ntitle: A small plan", 'title: "A small plan"\nslug: small'
        )
        other = other.replace("warn_after: [24, 72]", "warn_after:\n      - 24\n      - 72")
        assert read_plan(other, file="plan.yaml") == tree
        assert read_plan(b"\xef\xbb\xbf" + SMALL.encode(), file="plan.yaml") == tree
        assert read_plan(SMALL.replace("\n", "\r\n"), file="plan.yaml") == tree

    def test_the_digest_is_that_of_the_exported_file(self):
        tree = read_plan(SMALL, file="plan.yaml")
        assert plan_digest(tree) == hashlib.sha256(write_plan(tree).encode()).hexdigest()

    def test_british_texts_are_readable_in_the_file(self):
        assert "£5 for “Ysbyty Gwynedd”" in write_plan(small_tree("£5 for “Ysbyty Gwynedd”", ""))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("old_new", "field", "word"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
    )
    def test_each_fault_is_named_by_file_line_and_field(self, old_new, field, word):
        text = changed(*old_new)
        with pytest.raises(PlanFileError) as refused:
            read_plan(text, file="plan.yaml")
        problems = refused.value.problems
        found = [
            p
            for p in problems
            if re.sub(r"\.\d+$", "", p.field).endswith(field) and word in p.message
        ]
        assert found, [str(problem) for problem in problems]
        assert str(refused.value).startswith("plan.yaml, line ")
        lines = [
            number
            for number, line in enumerate(text.split("\n"), 1)
            if line not in SMALL.split("\n")
        ]
        if lines and field:
            assert any(abs(p.place.line - lines[0]) <= 3 for p in found), (found, lines)

    def test_all_faults_are_found_not_only_the_first(self):
        text = changed("owner: source_supplier", "owner: boss").replace("limit: 45", "limit: many")
        with pytest.raises(PlanFileError) as refused:
            read_plan(text, file="plan.yaml")
        assert [problem.field for problem in refused.value.problems] == [
            "phases.cut_over.tasks.CUT-01.owner",
            "clocks.access.limit",
        ]

    def test_gates_that_wait_for_each_other_are_a_fault(self):
        second = SMALL[SMALL.index("  - key: go_live_data") : SMALL.index("clocks:")]
        second = second.replace("go_live_data", "other").replace("[GL]", "[gate:go_live_data]")
        text = SMALL.replace("blocks: [GL]", "blocks: [gate:other]").replace(
            "clocks:\n", second + "clocks:\n"
        )
        with pytest.raises(PlanFileError, match="wait for each other: go_live_data, other"):
            read_plan(text, file="plan.yaml")

    def test_key_dates_that_wait_for_each_other_are_a_fault(self):
        with pytest.raises(PlanFileError, match="wait for each other"):
            read_plan(
                changed("starts: GL\n    stops: EOA", "starts: EOA\n    stops: EOA"), file="x"
            )

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "The file is empty."),
            (b"# nothing but a comment\n", "The file is empty."),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8 text"),
            ("title: x".encode("utf-16"), "not UTF-8 text"),
            (b"title: a\x00b", "U\\+0000"),
            (b"x" * (MAX_BYTES + 1), "at most 2 MB"),
            (b"just a sentence", "Write fields here"),
            (b"- a\n- list", "Write fields here"),
            (b"format: 1\n---\nformat: 1\n", "Only one plan"),
            (b"format: 1\ntitle: 'open", "not well-formed YAML"),
            (b"[" * 5000, "nested more than"),
            (b"? [a]\n: b\n", "name must be a word"),
        ],
    )  # fmt: skip
    def test_what_is_no_plan_at_all_gets_one_clear_sentence(self, content, sentence):
        with pytest.raises(PlanFileError, match=sentence):
            read_plan(content, file="plan.yaml")

    def test_a_billion_laughs_stay_a_short_text(self):
        bomb = "format: 1\na: &a [x, x]\n" + "".join(
            f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n"
            for a, b in zip("abcdefghi", "bcdefghij", strict=True)
        )
        with pytest.raises(PlanFileError, match="aliases such as"):
            read_plan(bomb, file="plan.yaml")

    def test_a_hundred_faults_are_enough(self):
        text = SMALL + "".join(f"field{number}: x\n" for number in range(150))
        with pytest.raises(PlanFileError, match="and 50 more") as refused:
            read_plan(text, file="plan.yaml")
        assert len(refused.value.problems) == 100

    def test_a_chain_of_key_dates_without_end_is_refused_not_followed(self):
        chain = "".join(
            f"  - {{key: K{number}, title: x, precision: minute, same_as: K{number + 1}}}\n"
            for number in range(2000)
        )
        with pytest.raises(PlanFileError, match="at most 100 here"):
            read_plan(changed("key_dates:\n", f"key_dates:\n{chain}"), file="plan.yaml")
