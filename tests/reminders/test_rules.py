"""When reminders are due, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.calendar import WorkingCalendar
from practices.common.time import LONDON, london_date
from practices.plans.models import PlanClock
from practices.plans.rules import clock_end
from practices.reminders.rules import (
    is_given_up,
    is_refused_for_good,
    newest_due,
    overdue_day,
    wait_before_retry,
    warnings,
)
from practices.tracking.models import ClockRun

HALF_HOUR = timedelta(minutes=30)
is_working = WorkingCalendar().is_working
Instants = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - made aware right below
    max_value=datetime(2028, 1, 1),  # noqa: DTZ001
).map(lambda naive: naive.replace(tzinfo=UTC))


def a_run(started_at, *, limit=72, unit="hours", after=(), before=(), again=0):
    end = clock_end(started_at=started_at, limit=limit, unit=unit, is_working=is_working)
    return ClockRun(
        plan_clock=PlanClock(
            warn_after=list(after), warn_before=list(before), repeat_every=again, title="A clock"
        ),
        started_at=started_at,
        limit=limit,
        unit=unit,
        ends_on=end.on,
        ends_at=end.at,
    )


def cut_over(started_at):
    return a_run(started_at, after=(24, 48, 60, 66, 72))


def access(started_at):
    return a_run(started_at, limit=45, unit="days", before=(14, 7, 3, 1, 0))


def walk(run, start, stop):
    """Each warning with the tick at which it first was the newest, half an hour apart."""
    seen: dict[str, datetime] = {}
    tick = start
    while tick <= stop:
        warn = newest_due(run, tick, is_working)
        if warn:
            seen.setdefault(warn.key, tick)
        tick += HALF_HOUR
    return seen


def london(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=LONDON).astimezone(UTC)


def test_the_cut_over_is_warned_of_after_24_48_60_66_and_72_hours():
    start = london(2027, 4, 9, 18, 30)
    assert [
        (w.key, (w.due_at - start) / timedelta(hours=1))
        for w in warnings(cut_over(start), is_working)
    ] == [
        ("after-24", 24),
        ("after-48", 48),
        ("after-60", 60),
        ("after-66", 66),
        ("after-72", 72),
    ]


@pytest.mark.parametrize(
    ("start", "breach_in_words"),
    [
        (london(2027, 3, 26, 9), "Mon 29 Mar 10:00 BST"),  # the clocks go forward on 28 March
        (london(2027, 10, 29, 9), "Mon 01 Nov 08:00 GMT"),  # and back on 31 October
    ],
)
def test_72_hours_stay_72_hours_when_the_clocks_change(start, breach_in_words):
    seen = walk(cut_over(start), start, start + timedelta(hours=80))
    hours = {"after-24": 24, "after-48": 48, "after-60": 60, "after-66": 66, "over-0": 72}
    assert seen == {key: start + timedelta(hours=n) for key, n in hours.items()}
    assert f"{seen['over-0'].astimezone(LONDON):%a %d %b %H:%M %Z}" == breach_in_words


@pytest.mark.parametrize(
    ("start", "mornings_utc"),
    [
        # 45 days end on 28 March 2027, the day the clocks go forward: 08:00 is 07:00Z only then.
        (
            london(2027, 2, 11, 9),
            [(3, 14, 8), (3, 21, 8), (3, 25, 8), (3, 27, 8), (3, 28, 7), (3, 29, 7)],
        ),
        # They end on 31 October 2027, the day the clocks go back.
        (
            london(2027, 9, 16, 9),
            [(10, 17, 7), (10, 24, 7), (10, 28, 7), (10, 30, 7), (10, 31, 8), (11, 1, 8)],
        ),
    ],
)
def test_days_are_told_at_08_00_uk_time_across_the_clock_changes(start, mornings_utc):
    seen = walk(access(start), start, start + timedelta(days=50))
    assert list(seen) == [*(f"before-{n}" for n in (14, 7, 3, 1, 0)), "over-0"]
    assert [(t.month, t.day, t.hour) for t in seen.values()] == mornings_utc
    assert {t.astimezone(LONDON).hour for t in seen.values()} == {8}


def test_a_go_live_late_in_the_evening_of_summer_counts_from_its_london_day():
    run = access(datetime(2027, 6, 30, 23, 30, tzinfo=UTC))  # 00:30 on 1 July in London
    assert london_date(warnings(run, is_working)[-1].due_at) == date(2027, 8, 15)


@given(start=Instants, waited=st.timedeltas(timedelta(0), timedelta(days=50)))
def test_nothing_is_ever_due_early_and_only_the_newest_counts(start, waited):
    now = start + waited
    for run in (cut_over(start), access(start)):
        warn = newest_due(run, now, is_working)
        due = [w for w in warnings(run, is_working) if w.due_at <= now]
        if warn and warn.key.startswith("over-"):
            assert run.ends_at <= warn.due_at <= now
            assert all(w.due_at <= warn.due_at for w in due)
        else:
            assert warn == (max(due) if due else None)


def test_working_days_are_counted_over_easter():
    run = a_run(london(2027, 3, 24, 10), limit=5, unit="working_days", after=(1,), before=(3, 0))
    # Thursday is the first working day; Good Friday and Easter Monday are none.
    assert [(w.key, london_date(w.due_at)) for w in warnings(run, is_working)] == [
        ("after-1", date(2027, 3, 25)),
        ("before-3", date(2027, 3, 30)),
        ("before-0", date(2027, 4, 2)),
    ]


def test_hours_can_be_counted_back_from_the_end():
    start = london(2027, 4, 9, 18, 30)
    run = a_run(start, before=(6,))
    assert [w.due_at for w in warnings(run, is_working)] == [start + timedelta(hours=66)]


def test_what_was_due_before_the_clock_started_is_left_out():
    run = a_run(london(2027, 4, 12, 9), limit=10, unit="days", before=(10, 3))
    assert [w.key for w in warnings(run, is_working)] == ["before-3"]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (london(2027, 3, 27, 7, 59), None),
        (london(2027, 3, 27, 8), date(2027, 3, 27)),
        (datetime(2027, 3, 28, 6, 59, tzinfo=UTC), None),
        (datetime(2027, 3, 28, 7, tzinfo=UTC), date(2027, 3, 28)),
        (datetime(2027, 10, 31, 7, 59, tzinfo=UTC), None),
        (datetime(2027, 10, 31, 8, tzinfo=UTC), date(2027, 10, 31)),
        (london(2027, 7, 1, 23, 59), date(2027, 7, 1)),
        (london(2027, 7, 2, 0, 30), None),
    ],
)
def test_overdue_tasks_are_told_from_08_00_to_the_end_of_the_london_day(now, day):
    morning = overdue_day(now)
    assert (morning and morning[0]) == day
    if morning:
        assert morning[1].astimezone(LONDON).hour == 8


def test_retries_wait_longer_each_time_and_at_most_an_hour():
    minutes = [wait_before_retry(n, 1.0) / timedelta(minutes=1) for n in (1, 2, 3, 6, 7, 8, 50)]
    assert minutes == [1, 2, 4, 32, 60, 60, 60]
    assert wait_before_retry(1, 0.8) == timedelta(seconds=48)


def test_a_mail_is_given_up_after_a_day_of_failing():
    first = london(2027, 4, 9, 18, 30)
    assert not is_given_up(first, first + timedelta(hours=23, minutes=59))
    assert is_given_up(first, first + timedelta(hours=24))


@pytest.mark.parametrize(
    ("code", "for_good"),
    [(250, False), (421, False), (451, False), (550, True), (552, True), (554, True), (530, False)],
)
def test_a_refusal_of_the_mail_is_for_good_but_not_one_to_talk_to_us(code, for_good):
    assert is_refused_for_good(code) is for_good


def test_a_cut_over_that_goes_on_is_said_again_every_day_after_its_end():
    start = london(2027, 4, 9, 18, 30)
    seen = walk(a_run(start, after=(72,), again=24), start, start + timedelta(hours=122))
    assert seen == {
        "over-0": start + timedelta(hours=72),
        "over-24": start + timedelta(hours=96),
        "over-48": start + timedelta(hours=120),
    }


def test_access_that_was_not_ended_is_said_on_the_next_morning_and_every_week_from_then_on():
    # The clocks go back on 31 October 2027, between the two.
    run = a_run(london(2027, 9, 13, 9), limit=45, unit="days", before=(0,), again=7)
    assert run.ends_on == date(2027, 10, 28)
    seen = walk(run, run.started_at, run.ends_at + timedelta(days=15))
    assert seen == {
        "before-0": london(2027, 10, 28, 8),
        "over-0": london(2027, 10, 29, 8),
        "over-7": london(2027, 11, 5, 8),
        "over-14": london(2027, 11, 12, 8),
    }
