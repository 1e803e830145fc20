"""When the reminders of a plan are given."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.calendar import WorkingCalendar
from practices.common.time import london_date, london_time, to_london
from practices.plans.rules import Moment, ReminderNode
from practices.reminders.occasions import Anchor, is_occasion, newest_occasion

WORKING = WorkingCalendar().is_working
GO_LIVE = london_time(date(2027, 3, 15), time(9))  # a Monday
HAPPENED = Anchor(Moment.of_instant(GO_LIVE), happened=True)
PLANNED = Anchor(Moment.of_instant(GO_LIVE), happened=False)


def reminder(*offsets, unit="days", repeat=0, deliver="working_morning"):
    return ReminderNode(
        key="links",
        title="Links",
        anchor="GL",
        offsets=offsets,
        unit=unit,
        tell=("practice_manager",),
        advice="Do it.",
        repeat_every=repeat,
        deliver=deliver,
    )


def newest(node, now, anchor=HAPPENED):
    found = newest_occasion(node, anchor, now, WORKING)
    return found and f"{to_london(found):%a %d %b %H:%M}"


@pytest.mark.parametrize(
    ("node", "now", "said"),
    [
        # Seven days before a Monday is a Monday; a day before it a Sunday, so Friday.
        (reminder(-7, -1), datetime(2027, 3, 8, 8, tzinfo=UTC), "Mon 08 Mar 08:00"),
        (reminder(-7, -1), datetime(2027, 3, 12, 7, 59, tzinfo=UTC), "Mon 08 Mar 08:00"),
        (reminder(-7, -1), datetime(2027, 3, 12, 8, tzinfo=UTC), "Fri 12 Mar 08:00"),
        (
            reminder(-1, deliver="any_hour"),
            datetime(2027, 3, 14, 8, tzinfo=UTC),
            "Sun 14 Mar 08:00",
        ),
        (reminder(-1, deliver="any_hour"), datetime(2027, 3, 14, 7, tzinfo=UTC), None),
        # 24 hours after go-live is Tuesday 09:00; a working morning comes on Wednesday.
        (
            reminder(24, unit="hours", deliver="any_hour"),
            datetime(2027, 3, 16, 9, tzinfo=UTC),
            "Tue 16 Mar 09:00",
        ),
        (reminder(24, unit="hours"), datetime(2027, 3, 16, 12, tzinfo=UTC), None),
        (reminder(24, unit="hours"), datetime(2027, 3, 17, 8, tzinfo=UTC), "Wed 17 Mar 08:00"),
        # Working days leave out the weekend and Easter (26 and 29 March 2027).
        (
            reminder(5, unit="working_days"),
            datetime(2027, 3, 22, 8, tzinfo=UTC),
            "Mon 22 Mar 08:00",
        ),
        (reminder(9, unit="working_days"), datetime(2027, 3, 29, 8, tzinfo=UTC), None),
        (
            reminder(9, unit="working_days"),
            datetime(2027, 3, 30, 7, tzinfo=UTC),
            "Tue 30 Mar 08:00",
        ),
        # Every day from the second on, held over the weekend, said once on Monday.
        (reminder(2, repeat=1), datetime(2027, 3, 19, 8, tzinfo=UTC), "Fri 19 Mar 08:00"),
        (reminder(2, repeat=1), datetime(2027, 3, 21, 20, tzinfo=UTC), "Fri 19 Mar 08:00"),
        (reminder(2, repeat=1), datetime(2027, 3, 22, 8, tzinfo=UTC), "Mon 22 Mar 08:00"),
        (
            reminder(2, repeat=1, deliver="any_hour"),
            datetime(2027, 3, 21, 20, tzinfo=UTC),
            "Sun 21 Mar 08:00",
        ),
        (reminder(7, repeat=7), datetime(2027, 4, 4, 7, tzinfo=UTC), "Tue 30 Mar 08:00"),
        # After the clocks went forward it is still 08:00 on the wall.
        (reminder(14), datetime(2027, 3, 30, 7, tzinfo=UTC), "Tue 30 Mar 08:00"),
    ],
)
def test_a_reminder_is_given_at_its_time(node, now, said):
    assert newest(node, now) == said


def test_what_follows_a_date_waits_until_that_has_happened():
    late = GO_LIVE + timedelta(days=3)
    node = reminder(-7, 24, unit="hours", repeat=1, deliver="any_hour")
    assert newest(node, late, PLANNED) == "Mon 15 Mar 02:00"
    assert newest(node, late, HAPPENED) == "Thu 18 Mar 09:00"


def test_an_occasion_of_a_date_that_was_moved_is_none_any_more():
    node = reminder(-7, -1)
    at = newest_occasion(node, PLANNED, GO_LIVE - timedelta(days=6), WORKING)
    moved = Anchor(Moment.of_instant(GO_LIVE + timedelta(days=2)), happened=False)
    assert is_occasion(node, PLANNED, at, WORKING)
    assert not is_occasion(node, moved, at, WORKING)


DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


@given(
    day=DAYS,
    offsets=st.lists(st.integers(-60, 60), min_size=1, max_size=4, unique=True),
    repeat=st.integers(0, 10),
    unit=st.sampled_from(["hours", "days", "working_days"]),
    minutes=st.integers(0, 120 * 24 * 60),
)
def test_on_working_mornings_means_at_eight_on_a_working_day(day, offsets, repeat, unit, minutes):
    anchor = Anchor(Moment.of_instant(london_time(day, time(17))), True)
    now = anchor.moment.at + timedelta(minutes=minutes - 60 * 24 * 60)
    found = newest_occasion(reminder(*offsets, unit=unit, repeat=repeat), anchor, now, WORKING)
    if found:
        assert found <= now
        assert to_london(found).strftime("%H:%M") == "08:00"
        assert WORKING(london_date(found))


@given(
    day=DAYS,
    offset=st.integers(0, 20),
    repeat=st.integers(1, 10),
    deliver=st.sampled_from(["working_morning", "any_hour"]),
)
def test_walking_in_half_hours_meets_each_occasion_at_its_time_and_never_goes_back(
    day, offset, repeat, deliver
):
    anchor = Anchor(Moment.of_instant(london_time(day, time(12))), True)
    node = reminder(offset, repeat=repeat, deliver=deliver)
    before, now = None, anchor.moment.at - timedelta(days=1)
    for _ in range(40 * 24):
        found = newest_occasion(node, anchor, now, WORKING)
        if found != before:
            assert before is None or found > before
            assert timedelta(0) <= now - found < timedelta(hours=1)
        before, now = found, now + timedelta(hours=1)
