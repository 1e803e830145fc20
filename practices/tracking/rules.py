"""Pure rules of one migration: its states, its dates around go-live, spans of time in words.

No database and no present time in here: instants are arguments.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from practices.common.calendar import WorkingCalendar
from practices.common.templatetags.uk import uk_date
from practices.common.time import (
    end_of_london_day,
    last_working_day,
    start_of_london_day,
    to_london,
)
from practices.plans.rules import NOT_PREFIX, Moment, Unit, listed

from .models import Migration

FDP, GL, EOA = "FDP", "GL", "EOA"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

State = Migration.State
# Every allowed change of a migration's state, by what happens to it.
TRANSITIONS: dict[tuple[str, str], str] = {
    (State.PLANNING, "record FDP"): State.CUT_OVER,
    (State.CUT_OVER, "clear FDP"): State.PLANNING,
    (State.CUT_OVER, "record GL"): State.POST_GO_LIVE,
    (State.POST_GO_LIVE, "clear GL"): State.CUT_OVER,
    (State.POST_GO_LIVE, "record EOA"): State.ACCESS_ENDED,
    (State.ACCESS_ENDED, "clear EOA"): State.POST_GO_LIVE,
    (State.ACCESS_ENDED, "finish"): State.FINISHED,
    (State.PLANNING, "cancel"): State.CANCELLED,
    (State.PLANNING, "delete"): State.DELETED,
}
STAGE_DATES = (FDP, GL, EOA)


def offset_from_go_live(moment: Moment, go_live: Moment, *, has_time: bool) -> int:
    """How far a date lies from go-live: minutes for a time, days for a day."""
    if has_time:
        return (moment.at - go_live.at) // MINUTE
    return (moment.on - go_live.on).days


def from_go_live(offset: int, go_live: Moment, *, has_time: bool) -> Moment:
    """The inverse of :func:`offset_from_go_live`."""
    if has_time:
        return Moment.of_instant(go_live.at + offset * MINUTE)
    return Moment.of_day(go_live.on + offset * DAY)


def clock_start(moment: Moment, *, has_time: bool) -> datetime:
    """When a clock starts that a date starts: at its minute, or as its day begins."""
    return moment.at if has_time else start_of_london_day(moment.on)


def over_by(started: datetime, stopped: datetime, limit_hours: int) -> timedelta:
    """How far a span of elapsed time is over its limit; zero when it fits."""
    return max(stopped - started - limit_hours * HOUR, timedelta(0))


class Limit(Protocol):
    """A clock of a plan, as far as planned dates can break it."""

    title: Any
    starts: Any
    stops: Any
    limit: Any
    unit: Any


def limit_warning(clock: Limit, dates: Mapping[str, Moment]) -> str:
    """A sentence where planned dates already break a limit of elapsed hours (guide.md I)."""
    if clock.unit != Unit.HOURS or clock.starts not in dates or clock.stops not in dates:
        return ""
    started, stopped = dates[clock.starts].at, dates[clock.stops].at
    over = over_by(started, stopped, clock.limit)
    if not over:
        return ""
    return (
        f"The planned {clock.title.lower()} lasts {in_hours(stopped - started)}, "
        f"{in_hours(over)} over the limit of {in_hours(clock.limit * HOUR)}."
    )


# Practices finish the year's QOF work by 31 March, and its figures are read in the days after.
# How long before and after is our reading: guide.md I names the day only.
QOF_YEAR_END = ((3, 17), (4, 7))


def planning_warnings(
    clocks: Iterable[Limit], dates: Mapping[str, Moment], calendar: WorkingCalendar
) -> list[str]:
    """What deserves a second look about a cut-over on these dates: sentences, never refusals.

    A limit that it breaks, a bank-holiday weekend, QOF year end, a clock change
    (guide.md I: when to avoid). ``clocks`` are those that still count.
    """
    found = [limit_warning(clock, dates) for clock in clocks]
    if FDP in dates and GL in dates:
        span = dates[FDP], dates[GL]
        found += [_bank_holidays(*span, calendar), _qof_year_end(*span), _clock_change(*span)]
    return [sentence for sentence in found if sentence]


def _bank_holidays(fdp: Moment, go_live: Moment, calendar: WorkingCalendar) -> str:
    """Bank holidays in the cut-over, or in the weekend that it begins or ends on."""
    first, last = fdp.on, go_live.on
    while not calendar.is_working(first) and not calendar.is_working(first - DAY):
        first -= DAY
    while not calendar.is_working(last) and not calendar.is_working(last + DAY):
        last += DAY
    named = [
        f"{name} ({uk_date(day)})"
        for day in _days(first, last)
        if (name := calendar.holiday_name(day))
    ]
    if not named:
        return ""
    return (
        f"Bank-holiday weekend: {listed(named)}. "
        "Check that both suppliers and everybody you need can be reached."
    )


def _qof_year_end(fdp: Moment, go_live: Moment) -> str:
    for year in {fdp.on.year, go_live.on.year}:
        first, last = (date(year, *day) for day in QOF_YEAR_END)
        if fdp.on <= last and go_live.on >= first:
            return (
                "QOF year end: the cut-over is close to 31 March, when practices finish the "
                "year's QOF work and its figures are read."
            )
    return ""


def _clock_change(fdp: Moment, go_live: Moment) -> str:
    for day in _days(fdp.on, go_live.on):
        first = max(start_of_london_day(day), fdp.at)
        last = min(end_of_london_day(day), go_live.at)
        before, after = (to_london(at).utcoffset() or timedelta(0) for at in (first, last))
        if before != after:
            ahead = after > before
            return (
                f"Clock change: the clocks go {'forward' if ahead else 'back'} on {uk_date(day)}, "
                "within the cut-over. Limits count the hours that pass, so they end an hour "
                f"{'later' if ahead else 'earlier'} by the clock on the wall."
            )
    return ""


def _days(first: date, last: date) -> Iterable[date]:
    return (first + number * DAY for number in range((last - first).days + 1))


def end_note(day: date, calendar: WorkingCalendar) -> str:
    """Where a limit ends on a weekend or bank holiday: the last working day before (guide.md I)."""
    if calendar.is_working(day):
        return ""
    name = calendar.holiday_name(day)
    what = f"a bank holiday ({name})" if name else f"a {day:%A}"
    before = last_working_day(day, calendar.is_working)
    return f"That is {what}: the last working day before it is {uk_date(before)}."


def same_name(typed: str, name: str) -> bool:
    """Whether somebody typed their name: capitals and spacing do not matter."""
    return " ".join(typed.split()).casefold() == " ".join(name.split()).casefold()


def in_hours(span: timedelta) -> str:
    """``85 hours 30 minutes``; the sign is left out."""
    hours, minutes = divmod(abs(span) // MINUTE, 60)
    return _said((hours, "hour"), (minutes, "minute")) or "0 minutes"


def in_words(span: timedelta) -> str:
    """A span of time as people say it: ``4 days 3 hours``, ``41 hours``, ``5 minutes``.

    Up to 72 hours are said in hours, as the cut-over clock is; the sign is left out.
    """
    hours = abs(span) // HOUR
    if hours <= 72:
        return in_hours(span)
    days, hours = divmod(hours, 24)
    return _said((days, "day"), (hours, "hour"))


def _said(*parts: tuple[int, str]) -> str:
    return " ".join(
        f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in parts if number
    )


def cannot_hold(applies_if: Iterable[str], answers: Mapping[str, bool | None]) -> str:
    """The condition for which a task does not apply, given the answers; empty where it may.

    ``applies_if`` are the conditions of a plan task, ``not:KEY`` for one that must not hold. What
    is not answered may still hold.
    """
    for name in applies_if:
        key = name.removeprefix(NOT_PREFIX)
        answer = answers.get(key)
        if answer is not None and answer == name.startswith(NOT_PREFIX):
            return key
    return ""
