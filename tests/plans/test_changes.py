"""What a new version changes, in words."""

import pytest

from practices.plans.rules import changes
from practices.plans.yaml import read_plan

from .small import SMALL, changed


def said(new, old=SMALL):
    trees = (read_plan(text, file="plan.yaml") for text in (old, new))
    return [str(change) for change in changes(*trees)]


def test_nothing_changes_nothing():
    assert said(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("limit: 45", "limit: 90", "Clock Old-system access: limit from 45 days to 90 days"),
        (
            "warn_after: [24, 72]",
            "warn_after: [24, 48, 72]",
            (
                "Clock Cut-over: warnings after the start "
                "from 24 hours and 72 hours to 24 hours, 48 hours and 72 hours"
            ),
        ),
        (
            "{from: GL, by: 30, unit: days}",
            "{from: FDP, by: 2, unit: working_days}",
            (
                "Task CUT-03 Repair degraded entries: due time from 30 days after go-live "
                "to 2 working days after final data production"
            ),
        ),
        (
            "by: [7, 14], unit: days}",
            "by: [7], unit: days}\n    repeat_every: 1",
            (
                "Reminder Degraded entries repaired: times from 7 days after go-live and "
                "14 days after go-live to 7 days after go-live, then every day"
            ),
        ),
        (
            "helps: [clinician]",
            "helps: []",
            "Task CUT-02 Check the data: helpers from clinician to none",
        ),
        (
            "Compare what came over with the old system.",
            "Compare what came over with the old system, patient by patient, on two screens each.",
            "Task CUT-02 Check the data: guidance reworded",
        ),
        (
            "roles: [practice_manager, lead_gp]",
            "roles: [practice_manager]",
            (
                "Gate Go-live data: seats from The practice (practice manager and lead GP) "
                "to The practice (practice manager)"
            ),
        ),
        (
            "{from: GL, by: -98, unit: days}",
            "{from: GL, by: -70, unit: days}",
            "Key date Order: place from 98 days before go-live to 70 days before go-live",
        ),
        ("title: A small plan", "title: A plan", "Plan: title from A small plan to A plan"),
    ],
)
def test_each_change_is_one_sentence(old, new, words):
    assert said(changed(old, new)) == [words]


def test_a_renamed_key_date_is_one_change_not_one_for_each_task():
    assert said(changed("title: Go-live\n", "title: Start of use\n")) == [
        "Key date Start of use: title from Go-live to Start of use"
    ]


def test_added_removed_and_moved_parts_are_said():
    start = SMALL.index("      - code: CUT-03")
    task = SMALL[start : SMALL.index("      - code: GL-01")]
    removed = SMALL.replace(task, "")
    assert said(removed) == ["Task CUT-03 Repair degraded entries: removed"]
    assert said(SMALL, old=removed) == ["Task CUT-03 Repair degraded entries: added"]
    moved = removed.replace("    tasks:\n", f"    tasks:\n{task}")
    assert said(moved) == ["Tasks: in another order"]


def test_a_long_text_carries_both_wordings_and_a_short_one_is_in_the_sentence():
    old = "Compare what came over with the old system."
    new = f"{old} Two people do it, on two screens, with twenty records each."
    small, reworded, limit = (
        read_plan(text, file="plan.yaml")
        for text in (SMALL, changed(old, new), changed("limit: 45", "limit: 90"))
    )
    (change,) = changes(small, reworded)
    assert change.text
    assert (change.text.before, change.text.after) == (old, new)
    assert [one.text for one in changes(small, limit)] == [None]
