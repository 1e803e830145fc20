"""What is said about dates that make a cut-over harder, and about ends on days nobody works."""

from datetime import UTC, date, datetime, timedelta

import pytest

from practices.common.calendar import WorkingCalendar
from practices.common.models import BankHolidayOverride
from practices.plans.models import PlanClock
from practices.plans.rules import Moment
from practices.tracking.rules import end_note, planning_warnings
from practices.tracking.services import preview_replan, preview_start
from tests.factories import MONDAY, make_plan_version

from .cast import make_cast
from .steps import go_live, hours

ENGLAND = WorkingCalendar()
CUT_OVER = PlanClock(title="Cut-over", starts="FDP", stops="GL", limit=72, unit="hours")


def warned(fdp: str, go_live: str, calendar: WorkingCalendar = ENGLAND) -> list[str]:
    """The names of the warnings about a cut-over between two UTC times."""
    dates = {
        key: Moment.of_instant(datetime.fromisoformat(at).replace(tzinfo=UTC))
        for key, at in (("FDP", fdp), ("GL", go_live))
    }
    return [said.partition(":")[0] for said in planning_warnings([CUT_OVER], dates, calendar)]


BANK, QOF, CHANGE = "Bank-holiday weekend", "QOF year end", "Clock change"


@pytest.mark.parametrize(
    ("fdp", "go_live", "names"),
    [
        ("2027-06-11T17:30", "2027-06-14T07:00", []),
        # Into the Tuesday after a bank-holiday Monday: 85 and a half hours.
        ("2027-04-30T17:30", "2027-05-04T07:00", ["over", BANK]),
        # The Saturday and Sunday before a bank-holiday Monday are its weekend.
        ("2027-05-01T08:00", "2027-05-02T08:00", [BANK]),
        # Christmas Day 2027 is a Saturday; the days in its place are Monday and Tuesday.
        ("2027-12-24T18:00", "2027-12-26T08:00", [BANK]),
        ("2027-03-31T17:30", "2027-04-02T07:00", [QOF]),
        ("2027-03-12T18:00", "2027-03-15T08:00", []),
        ("2027-04-09T17:30", "2027-04-12T07:00", []),
        ("2027-10-29T17:30", "2027-11-01T08:00", [CHANGE]),
        ("2026-10-23T17:30", "2026-10-26T08:00", [CHANGE]),
        # The clocks had changed before it began, or change after it ended.
        ("2027-10-31T02:00", "2027-11-01T08:00", []),
        ("2027-10-29T17:30", "2027-10-31T00:30", []),
        # Easter 2027: everything at once.
        ("2027-03-25T18:30", "2027-03-28T18:00", [BANK, QOF, CHANGE]),
    ],
)
def test_a_cut_over_on_awkward_dates_is_warned_of_by_name(fdp, go_live, names):
    found = warned(fdp, go_live)
    assert [("over" if "over the limit" in name else name) for name in found] == names


def test_a_one_off_bank_holiday_is_named_and_one_that_is_worked_is_not():
    monday = date(2027, 6, 14)
    crowned = BankHolidayOverride(day=monday, name="Coronation", is_working=False)
    calendar = WorkingCalendar({monday: crowned})
    assert warned("2027-06-11T17:30", "2027-06-14T07:00", calendar) == [BANK]
    may_day = date(2027, 5, 3)
    worked = BankHolidayOverride(day=may_day, name="Moved to Friday", is_working=True)
    assert warned("2027-05-01T08:00", "2027-05-02T08:00", WorkingCalendar({may_day: worked})) == []


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 7, 23), ""),
        (date(2026, 9, 6), "That is a Sunday: the last working day before it is Friday 4 Sep"),
        (date(2027, 3, 29), "That is a bank holiday (Easter Monday): the last working day before"),
        (date(2027, 3, 29), "it is Thursday 25 March 2027."),
        (date(2027, 12, 28), "it is Friday 24 December 2027."),
    ],
)
def test_an_end_on_a_day_nobody_works_says_the_last_working_day_before_it(day, said):
    note = end_note(day, ENGLAND)
    assert said in note
    assert bool(note) == bool(said)


def test_the_clocks_changing_is_said_with_what_it_does_to_limits():
    friday = datetime(2027, 3, 26, 9, tzinfo=UTC)
    dates = {
        "FDP": Moment.of_instant(friday),
        "GL": Moment.of_instant(friday + timedelta(hours=70)),
    }
    said = planning_warnings([CUT_OVER], dates, ENGLAND)[-1]
    assert "the clocks go forward on Sunday 28 March 2027" in said
    assert "an hour later by the clock on the wall" in said


EASTER_MONDAY = datetime(2027, 3, 29, 7, tzinfo=UTC)
THURSDAY_BEFORE = datetime(2027, 3, 25, 18, 30, tzinfo=UTC)


def said_names(warnings: list[str]) -> list[str]:
    return [said.partition(":")[0] for said in warnings if ":" in said]


@pytest.mark.django_db
class TestWhereTheyAreSaid:
    def test_before_a_migration_starts(self):
        preview = preview_start(
            plan_version=make_plan_version(),
            go_live_at=EASTER_MONDAY,
            fdp_at=THURSDAY_BEFORE,
            at=MONDAY,
        )
        assert "over the limit of 72 hours" in preview.warnings[0]
        assert said_names(preview.warnings[1:]) == [BANK, QOF, CHANGE]

    def test_before_a_date_is_planned_again(self):
        cast = make_cast()
        to = Moment.of_instant(EASTER_MONDAY)
        plan = preview_replan(migration=cast.migration, key="GL", to=to, at=MONDAY)
        assert said_names(plan.warnings) == [BANK, QOF, CHANGE]

    def test_no_more_once_the_practice_has_gone_live(self):
        cast = make_cast()
        go_live(cast, EASTER_MONDAY - hours(60), EASTER_MONDAY)
        to = Moment.of_day(date(2027, 3, 1))
        plan = preview_replan(migration=cast.migration, key="KO", to=to, at=MONDAY)
        assert said_names(plan.warnings) == []
