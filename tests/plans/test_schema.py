"""The JSON Schema of plan files: it knows what the reader knows, and refuses what it refuses."""

import io
import json

import jsonschema
import pytest
import yaml
from django.core.management import call_command

from practices.accounts.roles import Owner
from practices.plans.rules import Basis, Delivery, Precision, System, Unit
from practices.plans.shipping import FOLDER
from practices.plans.yaml import PlanFileError, plan_schema, read_plan
from practices.plans.yaml.descriptions import DESCRIPTIONS

from .bad import BAD
from .small import SMALL, changed

SCHEMA = plan_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)

# Every field with a value, to be read and to be checked with the schema.
WHOLE = SMALL.replace("        basis: estimate\n", """\
        basis: estimate
        lesson: Begin early.
        mandatory: false
        condition: Only where there are any
        evidence: The list
        source: A
        applies_if: [dispensing]
        after: [{task: CUT-02, lag: 2, unit: days}]
""").replace("title: Order\n", "title: Order\n    source: A\n").replace(
    "    precision: day\n    clock: access", "    precision: day\n    clock: access\n    source: A"
) + """\
    enabled: true
    deliver: any_hour
    source: A
conditions:
  - key: dispensing
    title: Dispensing
    question: Does the practice dispense?
    known_from: {system: source, named: Alpha Care}
    source: A
"""  # fmt: skip


def refused(text: str) -> list[str]:
    try:
        plan = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [str(error)]
    return [error.message for error in CHECK.iter_errors(plan)]


def fields(schema: dict, within: str = "") -> dict[str, dict]:
    """Every field of a schema by its path."""
    found = {}
    for name, field in schema.get("properties", {}).items():
        path = f"{within}{name}"
        found[path] = field
        found |= fields(field, f"{path}.") | fields(field.get("items", {}), f"{path}.")
    return found


def test_it_is_a_schema_of_the_draft_it_names():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_plan_is_as_it_says(path):
    assert refused(path.read_text()) == []


def test_every_field_is_described_in_a_sentence_and_nothing_else_is():
    found = fields(SCHEMA)
    assert {path: field["description"] for path, field in found.items()} == DESCRIPTIONS
    assert all(text.endswith(".") for text in DESCRIPTIONS.values())


def test_closed_lists_are_those_of_the_program():
    found = fields(SCHEMA)
    for path, values in {
        "phases.tasks.owner": Owner,
        "phases.tasks.due.unit": Unit,
        "phases.tasks.after.unit": Unit,
        "phases.tasks.basis": Basis,
        "key_dates.precision": Precision,
        "reminders.deliver": Delivery,
        "conditions.known_from.system": System,
        "gates.confirm_to": Owner,
    }.items():
        assert found[path]["enum"] == list(values.values), path
    for path in ("phases.tasks.helps", "gates.seats.roles", "clocks.tell", "reminders.tell"):
        assert found[path]["items"]["enum"] == list(Owner.values), path


def test_a_field_that_the_reader_does_not_know_is_refused_everywhere():
    plan = yaml.safe_load(WHOLE)
    assert refused(WHOLE) == []
    read_plan(WHOLE, file="plan.yaml")
    for place in list(_mappings(plan)):
        place["colour"] = "red"
        assert any("colour" in error.message for error in CHECK.iter_errors(plan))
        with pytest.raises(PlanFileError, match=r"colour: There is no field of this name here"):
            read_plan(yaml.safe_dump(plan, sort_keys=False), file="plan.yaml")
        del place["colour"]


def _mappings(node):
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _mappings(inner)


# What fields say of each other, and what YAML says of nothing, only the upload can see.
BEYOND = {
    "unknown anchor", "same code twice", "same key twice", "same field twice", "an NHS number",
    "obligatory key date missing", "go-live counted from something", "no way to find a key date",
    "hours to a day", "the same as nothing", "bound to no clock", "a seat for nobody",
    "a seat for a contact", "a seat for staff", "a task whose owner may not sign",
    "records what is not there", "recorded twice", "signs no gate", "signs no seat",
    "hours from a day", "a clock from nowhere", "a clock to no task", "hours from a day date",
    "warned after the end", "nobody warned", "warned by letter", "a clock after no clock",
    "reminded of nothing", "reminded of no gate", "reminded before a gate waits",
    "reminded of a gate in hours", "reminded never", "reminded twice at once",
    "reminded in hours from a day", "reminded until nothing known", "reminded for ever",
    "reminded a patient group", "reminded nobody", "reminded without advice",
    "blocks nothing known", "blocks itself", "covers no phase",
    "not mandatory without a word", "an alias", "a link to a script", "a link to nowhere",
    "waits for no task", "waits for itself", "applies under nothing known", "tasks in a circle",
    "gates in a circle", "key dates in a circle", "a key date that hangs on itself",
}  # fmt: skip


@pytest.mark.parametrize("row", BAD, ids=[row[0] for row in BAD])
def test_what_is_wrong_by_itself_is_refused_in_the_editor_already(row):
    assert bool(refused(changed(*row[1]))) is (row[0] not in BEYOND)


def test_a_command_writes_it_for_editors():
    written = io.StringIO()
    call_command("plan_schema", stdout=written)
    assert json.loads(written.getvalue()) == SCHEMA
