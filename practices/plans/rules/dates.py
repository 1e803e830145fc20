"""When things fall due: key dates from go-live, tasks and clocks from key dates.

Hours are elapsed hours, counted in UTC. Days are London calendar days and last
until the start of the next one, an exclusive bound (house.md decision 5).
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from practices.common.time import (
    add_working_days,
    end_of_london_day,
    london_date,
    london_time,
    to_london,
)

from .tree import GO_LIVE, Precision, Unit

FARTHEST = 2**15  # of any unit: more than a column holds, and counting it would take for ever


@dataclass(frozen=True)
class Moment:
    """A due time. ``at`` is exclusive: late from that instant on.

    A day has no time of its own, so its ``at`` is the start of the next London
    day; a date and time has its instant.
    """

    on: date
    at: datetime

    @classmethod
    def of_day(cls, day: date) -> "Moment":
        """All of a London day."""
        return cls(on=day, at=end_of_london_day(day))

    @classmethod
    def of_instant(cls, instant: datetime) -> "Moment":
        """A minute, with the London day it falls on."""
        return cls(on=london_date(instant), at=instant)


class KeyDateLike(Protocol):
    """A key date of a plan: a stored row or a node of the tree."""

    @property
    def key(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def offset(self) -> int | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def same_as(self) -> str: ...
    @property
    def clock(self) -> str: ...


class ClockLike(Protocol):
    """A clock of a plan: a stored row or a node of the tree."""

    @property
    def key(self) -> str: ...
    @property
    def starts(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def unit(self) -> str: ...


class DatedPlan(Protocol):
    """Whatever has both: a PlanTree, or rows read from the database."""

    @property
    def key_dates(self) -> Iterable[KeyDateLike]: ...
    @property
    def clocks(self) -> Iterable[ClockLike]: ...


@dataclass(frozen=True)
class PlanDates:
    """The rows that dates are computed from, where no whole tree is at hand."""

    key_dates: Iterable[KeyDateLike]
    clocks: Iterable[ClockLike]


def due(
    *,
    anchor_on: date,
    anchor_at: datetime | None,
    offset: int,
    unit: str,
    is_working: Callable[[date], bool],
) -> Moment:
    """When something ``offset`` ``unit`` away from its anchor falls due.

    ``anchor_at`` is the anchor's instant when it has one. Hours are elapsed and
    need it; days and working days are counted from the London day ``anchor_on``.

    Raises ValueError for hours from an anchor that is only a day, OverflowError for what is
    too far away for a calendar.
    """
    if abs(offset) > FARTHEST:
        raise OverflowError("That is too far away for a calendar.")
    if unit == Unit.HOURS:
        if anchor_at is None:
            raise ValueError("Hours can only be counted from a date with a time.")
        return Moment.of_instant(anchor_at + timedelta(hours=offset))
    if unit == Unit.WORKING_DAYS:
        return Moment.of_day(add_working_days(anchor_on, offset, is_working))
    return Moment.of_day(anchor_on + timedelta(days=offset))


def clock_end(
    *,
    started_at: datetime,
    limit: int,
    unit: str,
    is_working: Callable[[date], bool],
) -> Moment:
    """The end of a clock that started at an instant (guide.md B.1).

    72 hours are elapsed hours. 45 days count from the London date of the start,
    which is day 0, and the 45th is the last usable day.
    """
    return due(
        anchor_on=london_date(started_at),
        anchor_at=started_at,
        offset=limit,
        unit=unit,
        is_working=is_working,
    )


def key_dates_for(
    plan: DatedPlan, *, go_live_at: datetime, fixed: Mapping[str, Moment] = MappingProxyType({})
) -> dict[str, Moment]:
    """Every key date of a plan for a planned go-live, in the plan's order (guide.md A.17).

    ``fixed`` are dates chosen by hand; what follows them follows. What a draft leaves
    without a date, because it hangs on nothing known or on itself or is too far away for a
    calendar, is left out. Working days never occur here, so no calendar is needed.
    """
    clocks = {clock.key: clock for clock in plan.clocks}
    rows = {row.key: row for row in plan.key_dates}
    found: dict[str, Moment | None] = dict(fixed)

    def moment(key: str) -> Moment | None:
        if key not in found:
            found[key] = None  # for a date that comes back to itself
            with suppress(OverflowError):
                found[key] = compute(rows[key]) if key in rows else None
        return found[key]

    def compute(row: KeyDateLike) -> Moment | None:
        if row.key == GO_LIVE:
            return Moment.of_instant(go_live_at)
        if row.same_as:
            other = moment(row.same_as)
            if other is None or row.precision == Precision.MINUTE:
                return other
            return Moment.of_day(other.on)
        if row.clock:
            clock = clocks.get(row.clock)
            start = moment(clock.starts) if clock else None
            if clock is None or start is None or clock.unit == Unit.WORKING_DAYS:
                return None
            return _shifted(start, clock.limit, clock.unit, row.precision)
        start = moment(GO_LIVE)
        return start and _shifted(start, row.offset or 0, row.unit, row.precision)

    return {key: at for key in rows if (at := moment(key)) is not None}


def _shifted(start: Moment, offset: int, unit: str, precision: str) -> Moment:
    """``start`` moved by elapsed hours or London days, as a day or as a minute."""
    if unit == Unit.HOURS:
        moved = Moment.of_instant(start.at + timedelta(hours=offset))
    else:
        day = start.on + timedelta(days=offset)
        # The same time by the clock on the wall, some days away.
        moved = Moment(on=day, at=london_time(day, to_london(start.at).time()))
    return moved if precision == Precision.MINUTE else Moment.of_day(moved.on)
