"""A gate never waits for what can only be done once it is open."""

from practices.plans.rules import coverage
from practices.plans.yaml import read_plan

from .small import SMALL, changed


def covered(text, gate="go_live_data"):
    return coverage(read_plan(text, file="plan.yaml"))[gate]


def test_tasks_due_before_the_blocked_date_are_covered_and_the_rest_is_not():
    # CUT-03 is due after go-live, GL-01 signs the gate.
    assert covered(SMALL) == ("CUT-01", "CUT-02")


def test_a_task_due_at_the_very_moment_is_not_covered():
    text = changed("{from: GL, by: -1, unit: days}", "{from: FDP, by: 72, unit: hours}")
    assert covered(text) == ("CUT-01",)
    text = changed("{from: GL, by: -1, unit: days}", "{from: FDP, by: 71, unit: hours}")
    assert covered(text) == ("CUT-01", "CUT-02")


def test_a_gate_that_blocks_no_date_covers_later_tasks_but_never_its_own():
    assert covered(changed("    blocks: [GL]\n", "")) == ("CUT-01", "CUT-02", "CUT-03")


def test_a_task_that_records_the_blocked_date_is_not_covered():
    text = changed("records: FDP", "records: GL")
    assert covered(text) == ("CUT-02",)


def test_what_a_blocked_gate_waits_for_counts_too():
    other = SMALL[SMALL.index("  - key: go_live_data") : SMALL.index("clocks:")]
    other = other.replace("go_live_data", "earlier").replace("[GL]", "[gate:go_live_data]")
    text = SMALL.replace("clocks:\n", f"{other}clocks:\n")
    # Through the other gate it blocks go-live as well, and GL-01 signs what waits for it.
    assert covered(text, "earlier") == ("CUT-01", "CUT-02")
