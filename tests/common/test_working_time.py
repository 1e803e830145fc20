"""Working days and core hours, against a slow way of counting that knows nothing of the code.

The bank holidays of England are written out here as gov.uk and guide.md I have them.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practices.common.calendar import WorkingCalendar
from practices.common.time import add_working_days, in_core_hours, last_working_day

DAYS_OFF = {
    2026: ["1 1", "3 4", "6 4", "4 5", "25 5", "31 8", "25 12", "28 12"],
    2027: ["1 1", "26 3", "29 3", "3 5", "31 5", "30 8", "27 12", "28 12"],
    2028: ["3 1", "14 4", "17 4", "1 5", "29 5", "28 8", "25 12", "26 12"],
}
BANK_HOLIDAYS = {
    date(year, *map(int, reversed(day.split()))) for year, days in DAYS_OFF.items() for day in days
}
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
WORKED = [
    day
    for day in (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    if day.strftime("%a") not in ("Sat", "Sun") and day not in BANK_HOLIDAYS
]
is_working = WorkingCalendar().is_working
MINUTE = timedelta(minutes=1)


def test_the_calendar_knows_the_working_days_of_three_years():
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    assert [day for day in days if is_working(day)] == WORKED


@given(st.dates(date(2026, 3, 1), date(2028, 10, 31)), st.integers(-30, 30))
def test_working_days_are_counted_as_on_a_calendar_on_the_wall(day, number):
    if number > 0:
        expected = [one for one in WORKED if one > day][number - 1]
    elif number < 0:
        expected = [one for one in WORKED if one < day][number]
    else:
        expected = day
    assert add_working_days(day, number, is_working) == expected


@given(st.dates(date(2026, 1, 10), LAST))
def test_the_last_working_day_is_the_day_itself_or_the_nearest_before(day):
    assert last_working_day(day, is_working) == max(one for one in WORKED if one <= day)


LONDON = ZoneInfo("Europe/London")


def slowly(started: datetime, stopped: datetime) -> timedelta:
    """Minute by minute, each looked at on a London clock."""
    inside = timedelta(0)
    while started < stopped:
        local = started.astimezone(LONDON)
        if time(8) <= local.time() < time(18, 30) and local.date() in WORKED_SET:
            inside += MINUTE
        started += MINUTE
    return inside


WORKED_SET = set(WORKED)
STARTS = st.one_of(
    st.integers(0, 1_000 * 24 * 60).map(lambda n: datetime(2026, 1, 2, tzinfo=UTC) + n * MINUTE),
    # Around the clock changes and Easter of 2027.
    st.integers(0, 5 * 24 * 60).map(lambda n: datetime(2027, 3, 25, tzinfo=UTC) + n * MINUTE),
    st.integers(0, 5 * 24 * 60).map(lambda n: datetime(2027, 10, 28, tzinfo=UTC) + n * MINUTE),
)


@settings(max_examples=25)
@given(STARTS, st.integers(0, 80 * 60))
def test_core_hours_are_counted_as_minute_by_minute(started, minutes):
    stopped = started + minutes * MINUTE
    assert in_core_hours(started, stopped, is_working) == slowly(started, stopped)


@pytest.mark.parametrize(
    ("started", "stopped", "hours"),
    [
        # Friday 18:30 to Monday 08:00: none; into Monday afternoon: some; a whole Wednesday: all.
        ("2027-06-11T17:30", "2027-06-14T07:00", 0),
        ("2027-06-11T17:30", "2027-06-14T11:30", 4.5),
        ("2027-06-16T00:00", "2027-06-17T00:00", 10.5),
        # Over Easter nobody is kept waiting.
        ("2027-03-25T18:30", "2027-03-30T07:00", 0),
    ],
)
def test_core_hours_of_known_cut_overs(started, stopped, hours):
    first, last = (datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (started, stopped))
    assert in_core_hours(first, last, is_working) == timedelta(hours=hours)
