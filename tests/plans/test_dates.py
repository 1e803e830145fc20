"""Due times: hours in UTC, days in London, checked against an independent way of counting."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.time import LONDON, local_to_utc
from practices.plans.rules import (
    ClockNode,
    KeyDateNode,
    Moment,
    PlanDates,
    clock_end,
    due,
    key_dates_for,
)

INSTANTS = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone)
    max_value=datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def weekdays(day):
    return day.weekday() < 5


def london(*parts):
    return local_to_utc(datetime(*parts))  # noqa: DTZ001


def midnight_after(day):
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=LONDON)


def plan(limit=45, *extra):
    return PlanDates(
        key_dates=(
            KeyDateNode("EOA", "End of access", "day", clock="access"),
            KeyDateNode("KO", "Kick-off", "day", offset=-84, unit="days"),
            KeyDateNode("FDP", "Final data production", "minute", offset=-72, unit="hours"),
            KeyDateNode("CUT_END", "Cut-over ended", "minute", same_as="GL"),
            KeyDateNode("GL", "Go-live", "minute"),
            *extra,
        ),
        clocks=(ClockNode("access", "Old-system access", "GL", "EOA", limit, "days"),),
    )


class TestDue:
    @pytest.mark.parametrize(
        ("start", "end"),
        [
            # Spring forward: the wall clock gains an hour. Guide.md I.
            (london(2026, 3, 27, 18, 30), london(2026, 3, 30, 19, 30)),
            # Autumn back: it loses one.
            (london(2026, 10, 23, 18, 30), london(2026, 10, 26, 17, 30)),
            # Easter 2027: Good Friday, clock change and Easter Monday at once.
            (london(2027, 3, 25, 18, 30), london(2027, 3, 28, 19, 30)),
        ],
    )
    def test_72_hours_are_elapsed_hours_over_a_clock_change(self, start, end):
        moment = clock_end(started_at=start, limit=72, unit="hours", is_working=weekdays)
        assert moment == Moment(on=end.astimezone(LONDON).date(), at=end)

    @given(start=INSTANTS, hours=st.integers(-500, 500))
    def test_hours_count_the_same_in_any_season(self, start, hours):
        moment = due(
            anchor_on=start.astimezone(LONDON).date(),
            anchor_at=start,
            offset=hours,
            unit="hours",
            is_working=weekdays,
        )
        assert (moment.at - start).total_seconds() == hours * 3600
        assert moment.on == moment.at.astimezone(LONDON).date()

    @given(start=INSTANTS, days=st.integers(-400, 400))
    def test_a_day_is_due_at_the_start_of_the_next_london_day(self, start, days):
        day = start.astimezone(LONDON).date()
        moment = due(anchor_on=day, anchor_at=start, offset=days, unit="days", is_working=weekdays)
        assert (moment.on - day).days == days
        assert moment.at == midnight_after(moment.on)

    @pytest.mark.parametrize(
        ("offset", "day"),
        [
            (0, date(2026, 6, 6)),
            (1, date(2026, 6, 8)),
            (5, date(2026, 6, 12)),
            (-1, date(2026, 6, 5)),
        ],
    )
    def test_working_days_skip_the_weekend_and_never_count_the_start(self, offset, day):
        moment = due(
            anchor_on=date(2026, 6, 6),
            anchor_at=None,
            offset=offset,
            unit="working_days",
            is_working=weekdays,
        )
        assert moment == Moment.of_day(day)

    def test_hours_need_an_anchor_with_a_time(self):
        with pytest.raises(ValueError, match="date with a time"):
            due(
                anchor_on=date(2026, 6, 8),
                anchor_at=None,
                offset=1,
                unit="hours",
                is_working=weekdays,
            )


class TestKeyDates:
    def test_follow_from_go_live_in_the_order_of_the_plan(self):
        moments = key_dates_for(plan(), go_live_at=london(2026, 6, 8, 8))
        assert list(moments) == ["EOA", "KO", "FDP", "CUT_END", "GL"]
        assert moments["KO"] == Moment.of_day(date(2026, 3, 16))
        assert moments["FDP"] == Moment.of_instant(london(2026, 6, 5, 8))
        assert moments["CUT_END"] == moments["GL"] == Moment.of_instant(london(2026, 6, 8, 8))

    @pytest.mark.parametrize(("limit", "last"), [(45, date(2026, 7, 23)), (90, date(2026, 9, 6))])
    def test_access_ends_with_its_clock_and_the_last_day_is_whole(self, limit, last):
        moments = key_dates_for(plan(limit), go_live_at=london(2026, 6, 8, 8))
        assert moments["EOA"].on == last
        assert moments["EOA"].at == midnight_after(last)

    def test_a_go_live_after_eleven_on_a_summer_night_counts_from_the_next_london_day(self):
        moments = key_dates_for(plan(), go_live_at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
        assert moments["EOA"].on == date(2026, 8, 15)

    def test_a_time_some_days_away_keeps_the_hands_of_the_clock(self):
        survey = KeyDateNode("TS", "Survey", "minute", offset=-81, unit="days")
        moments = key_dates_for(plan(45, survey), go_live_at=london(2026, 6, 8, 8))
        assert moments["TS"].at == london(2026, 3, 19, 8)

    @given(go_live=INSTANTS)
    def test_agree_with_the_access_clock_itself(self, go_live):
        moments = key_dates_for(plan(), go_live_at=go_live)
        clock = clock_end(started_at=go_live, limit=45, unit="days", is_working=weekdays)
        assert moments["EOA"] == clock
        assert moments["GL"].at - moments["FDP"].at == timedelta(hours=72)
