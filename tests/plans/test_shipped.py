"""The three plans that come with the software, against a summary of the domain's task list."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from practices.common.time import local_to_utc
from practices.plans.rules import check, coverage, key_dates_for
from practices.plans.shipping import FOLDER
from practices.plans.yaml import read_plan, write_plan

TASKS = list(
    csv.DictReader((Path(__file__).parent / "fixtures/tasks.csv").read_text().splitlines())
)
FULL, SMALL = "nhs-full-migration", "nhs-cut-over-to-post-go-live"
NEWER = "nhs-full-migration-90-days"
EARLIER = {"DC-16", "COP-03", "COP-21", "COP-36", "TRN-04", "TRN-08", "TRN-09"}


def read(slug):
    file = FOLDER / f"{slug}.yaml"
    return read_plan(file.read_bytes(), file=file.name)


@pytest.fixture(scope="module")
def full():
    return read(FULL)


@pytest.fixture(scope="module")
def newer():
    return read(NEWER)


@pytest.fixture(scope="module")
def small():
    return read(SMALL)


def rows(tree):
    """The tasks of a plan, as the summary lists them."""
    return [
        {
            "code": task.code,
            "phase": phase.key,
            "owner": task.owner,
            "anchor": task.anchor,
            "offset": str(task.offset),
            "unit": task.unit,
            "basis": task.basis,
            "sign_off": "yes" if task.gate else "",
        }
        for phase in tree.phases
        for task in phase.tasks
    ]


@pytest.mark.parametrize("slug", [FULL, SMALL, NEWER])
class TestEach:
    def test_are_in_their_canonical_form_byte_for_byte(self, slug):
        assert write_plan(read(slug)).encode() == (FOLDER / f"{slug}.yaml").read_bytes()

    def test_say_where_every_part_comes_from(self, slug):
        tree = read(slug)
        parts = [
            *tree.key_dates,
            *tree.phases,
            *tree.tasks(),
            *tree.gates,
            *tree.clocks,
            *tree.reminders,
        ]
        assert [part for part in parts if not part.source] == []

    def test_hold_no_word_of_the_working_notes(self, slug):
        text = (FOLDER / f"{slug}.yaml").read_text(encoding="utf-8")
        for word in ("Conditional", "SIGN-OFF", "my suggestion", "Gate G", "Lesson:"):
            assert word not in text

    def test_warn_as_the_issue_says(self, slug):
        clocks = {clock.key: clock for clock in read(slug).clocks}
        cut_over, access = clocks.pop("cut_over"), clocks.pop("old_system_access")
        assert (cut_over.starts, cut_over.stops) == ("FDP", "GL")
        assert (cut_over.limit, cut_over.unit, cut_over.enabled) == (72, "hours", True)
        assert cut_over.warn_after == (24, 48, 60, 66, 72)
        assert (access.starts, access.stops) == ("GL", "EOA")
        limit = 90 if slug == NEWER else 45
        assert (access.limit, access.unit, access.enabled) == (limit, "days", True)
        assert access.warn_before[-5:] == (14, 7, 3, 1, 0)
        # The report of an overrun is asked for when there was one; all else has to be wanted.
        assert [clock.starts for clock in clocks.values() if clock.enabled] in (
            [],
            ["breach:cut_over"],
        )

    def test_remind_by_the_guide_of_what_reaches_patients(self, slug):
        reminders = {node.key: node for node in read(slug).reminders if node.enabled}
        for key, task in (("prescriptions_on", "GL-10"), ("results_on", "GL-11")):
            assert (reminders[key].anchor, reminders[key].offsets) == ("GL", (24,))
            assert (reminders[key].repeat_every, reminders[key].deliver) == (1, "any_hour")
            assert reminders[key].until == f"task:{task}"
        assert (reminders["gate_waiting"].anchor, reminders["gate_waiting"].offsets) == (
            "gate:*",
            (2,),
        )


class TestFullMigration:
    def test_has_every_task_with_its_owner_and_its_time(self, full):
        found = rows(full)
        assert found == TASKS
        assert (len(full.phases), len(found)) == (15, 307)

    def test_gives_each_of_twenty_sign_off_tasks_a_seat_of_its_own(self, full):
        signed = [(task.gate, task.seat) for task in full.tasks() if task.gate]
        assert len(set(signed)) == len(signed) == 20
        assert {gate for gate, _ in signed} == {gate.key for gate in full.gates}

    def test_stops_only_what_the_guide_stops(self, full):
        assert {gate.key: gate.blocks for gate in full.gates if gate.blocks} == {
            "business_case": ("ORDER",),
            "data_quality": ("FDP",),
            "readiness": ("FDP",),
            "go_live_data": ("GL",),
            "reentry_complete": ("finish",),
            "new_system": ("finish",),
            "commissioner_signoff": ("finish",),
            "closure": ("finish",),
        }

    def test_records_each_key_date_with_one_task(self, full):
        recorded = {task.records: task.code for task in full.tasks() if task.records}
        assert recorded == {
            "ORDER": "ORD-03",
            "EXTRACT_REQ": "ORD-12",
            "KO": "KO-07",
            "TS": "TS-02",
            "IDP": "IDP-01",
            "FDP": "FDP-07",
            "GL": "GL-03",
            "EOA": "END-06",
        }

    def test_lays_out_the_default_timeline(self, full):
        go_live = local_to_utc(datetime(2026, 6, 8, 8))  # noqa: DTZ001
        days = {key: moment.on for key, moment in key_dates_for(full, go_live_at=go_live).items()}
        monday = date(2026, 6, 8)
        assert {key: (day - monday).days for key, day in days.items()} == {
            "ORDER": -98,
            "EXTRACT_REQ": -91,
            "KO": -84,
            "TS": -81,
            "IDP": -56,
            "FDP": -3,
            "GL": 0,
            "CUT_END": 0,
            "EOA": 45,
        }
        assert days["EOA"] == date(2026, 7, 23)
        # Five weeks' notice of the extract is given by its request (guide.md A.17).
        assert days["IDP"] - timedelta(days=35) == days["EXTRACT_REQ"]

    def test_makes_eight_tasks_conditional(self, full):
        conditional = [task.code for task in full.tasks() if not task.mandatory]
        assert conditional == [
            "TS-05", "TS-06", "PRE-33", "RCK-03", "RCK-05", "COP-32", "CUT-33", "GL-20",
        ]  # fmt: skip

    def test_the_go_live_data_cover_only_what_can_be_done_before_go_live(self, full):
        named = [
            task.code
            for phase in full.phases
            if phase.key in ("final_data_production", "cutover")
            for task in phase.tasks
        ]
        covered = coverage(full)["go_live_data"]
        left_out = ["CUT-13", "CUT-14", "CUT-26", "CUT-32", "CUT-33"]
        assert [code for code in named if code not in covered] == left_out


class TestNinetyDays:
    """The newer national rule (guide.md 0.2): what differs from the earlier editions."""

    def test_has_every_task_of_the_guide_at_the_same_time(self, newer):
        assert rows(newer) == TASKS

    def test_lets_the_old_system_be_read_for_ninety_days(self, newer):
        go_live = local_to_utc(datetime(2026, 6, 8, 8))  # noqa: DTZ001
        days = {key: moment.on for key, moment in key_dates_for(newer, go_live_at=go_live).items()}
        assert (days["EOA"] - days["GL"]).days == 90
        # 12 to 16 weeks, from the order to go-live.
        assert 84 <= (days["GL"] - days["ORDER"]).days <= 112

    def test_meets_four_weeks_before_and_has_links_off_one_to_two_days_before(self, newer):
        due = {task.code: (task.anchor, task.offset, task.unit) for task in newer.tasks()}
        assert due["COP-01"] == ("FDP", -28, "days")
        assert (due["COP-05"], due["FDP-02"]) == (("FDP", -2, "days"), ("FDP", -1, "days"))

    def test_asks_about_the_practice_what_decides_on_tasks(self, newer):
        asked: dict[str, list[str]] = {}
        for task in newer.tasks():
            for key in task.applies_if:
                asked.setdefault(key, []).append(task.code)
        assert asked == {
            "dispensing": ["TS-05", "TS-06", "PRE-33", "COP-32", "GL-20"],
            "mesh_mailbox": ["CUT-28", "GL-15"],
        }
        assert [node.key for node in newer.conditions] == list(asked)

    def test_lets_nothing_come_back_before_go_live_is_recorded(self, newer):
        after = {
            task.code: [link.task for link in task.after] for task in newer.tasks() if task.after
        }
        assert after == {
            "IDP-03": ["IDP-01"],
            "IDP-04": ["IDP-03"],
            "GL-10": ["GL-03"],
            "GL-11": ["GL-03"],
            "PGL-16": ["GL-03"],
        }


class TestCutOverToPostGoLive:
    def test_is_made_of_the_tasks_that_two_chapters_name(self, full, small):
        named = {
            task.code
            for task in full.tasks()
            if {"S1", "S2"} & {source.strip() for source in task.source.split(";")}
        }
        phases = {phase.key: {task.code for task in phase.tasks} for phase in small.phases}
        assert list(phases) == ["cutover", "go_live", "post_go_live"]
        assert set().union(*phases.values()) == named
        assert len(named) == 73
        assert EARLIER | {"FDP-07", "FDP-11"} <= phases["cutover"]
        assert "END-03" in phases["post_go_live"]

    def test_says_of_each_task_what_the_full_plan_says(self, full, small):
        whole = {task.code: task for task in full.tasks()}
        assert [task.code for task in small.tasks() if task != whole[task.code]] == []

    def test_signs_with_four_gates(self, small):
        assert {task.gate for task in small.tasks() if task.gate} == {
            gate.key for gate in small.gates
        }
        assert [gate.key for gate in small.gates] == [
            "go_live_data", "go_live_approval", "reentry_complete", "extended_access",
        ]  # fmt: skip

    def test_has_only_key_dates_that_are_used(self, small):
        assert [node.key for node in small.key_dates] == ["IDP", "FDP", "GL", "EOA"]


def test_nothing_is_wrong_with_any(full, small, newer):
    assert check(full) == check(small) == check(newer) == []
