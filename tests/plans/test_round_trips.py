"""Any valid plan goes out and comes in as it was: to others, through Excel, as edits."""

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from practices.plans.rules import content_of, inverse, key_of, steps_between, take, tree_from
from practices.plans.rules.content import KINDS
from practices.plans.xlsx import read_workbook, write_workbook
from practices.plans.yaml import plan_schema, read_plan, write_plan

from .strategies import plans

CHECK = Draft202012Validator(plan_schema())
quick = settings(max_examples=40)


@quick
@given(tree=plans())
def test_any_plan_exports_and_imports_to_the_same_bytes(tree):
    text = write_plan(tree)
    back = read_plan(text.encode(), file="plan.yaml")
    assert back == tree
    assert write_plan(back) == text
    assert list(CHECK.iter_errors(yaml.safe_load(text))) == []


@quick
@given(tree=plans())
def test_any_plan_comes_back_from_a_spreadsheet_as_it_was(tree):
    back = read_workbook(write_workbook(tree), file="plan.xlsx")
    assert back == tree
    assert write_plan(back) == write_plan(tree)


@quick
@given(tree=plans())
def test_any_plan_is_kept_as_a_draft_without_loss(tree):
    content = content_of(tree)
    assert json.loads(json.dumps(content)) == content
    assert tree_from(content, slug=tree.slug) == tree


@st.composite
def edited(draw, tree):
    """What a draft may have become: parts of another plan, in another order, some gone."""
    other = content_of(draw(plans()))
    content = {"plan": other["plan"]}
    for kind in KINDS:
        parts = {key_of(kind, part): part for part in content_of(tree)[kind]}
        parts |= {key_of(kind, part): part for part in other[kind]}
        keys = draw(st.permutations(list(parts)))
        content[kind] = [parts[key] for key in keys[: draw(st.integers(0, len(keys)))]]
    return content


@quick
@given(data=st.data(), tree=plans())
def test_steps_lead_from_any_state_of_a_draft_to_any_other_and_back(data, tree):
    before, after = content_of(tree), data.draw(edited(tree))
    steps = steps_between(before, after)
    there = take(before, steps)
    assert there["plan"] == after["plan"]
    for kind in KINDS:
        assert there[kind] == after[kind], kind
    assert take(there, inverse(steps)) == before
    assert (steps == []) is (before == after)
