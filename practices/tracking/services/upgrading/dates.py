"""Key dates of a migration under another version of its plan."""

from dataclasses import dataclass, field

from practices.common.time import london_time, to_london
from practices.plans.models import PlanKeyDate, Unit
from practices.plans.rules import Moment, PlanDates, key_dates_for
from practices.tracking.models import KeyDate, Migration
from practices.tracking.rules import DAY, GL, HOUR, MINUTE, offset_from_go_live
from practices.tracking.services.replanning import DateMove, date_moves

from .target import Target


@dataclass(frozen=True)
class Dates:
    """``rows`` by key as they will be, those of ``added`` not saved yet; ``gone`` may go."""

    rows: dict[str, KeyDate]
    moves: list[DateMove]
    added: list[KeyDate] = field(default_factory=list)
    gone: list[KeyDate] = field(default_factory=list)

    @property
    def moments(self) -> dict[str, Moment]:
        """What counts of each date, once all has moved."""
        moved = {move.key_date.key: move.after for move in self.moves}
        return {key: moved.get(key, row.moment) for key, row in self.rows.items()}


def dates_under(migration: Migration, target: Target) -> Dates:
    """The key dates once the migration, a copy in memory, has the plan of ``target``.

    What has happened stays. What was planned by hand stays; what stood where its plan puts it
    goes where the new one does.
    """
    rows = {row.key: row for row in migration.key_dates.in_order()}
    target.attach("plan_key_date", rows.values())
    go_live = rows[GL].moment
    by_hand = {
        key: row.planned
        for key, row in rows.items()
        if key != GL and not row.actual and key in target.key_dates and not _by_default(row)
    }
    defaults = key_dates_for(
        PlanDates(target.key_dates.values(), target.clocks.values()),
        go_live_at=go_live.at,
        fixed={key: row.actual for key, row in rows.items() if row.actual and key != GL},
    )
    planned: dict[str, Moment] = {}
    added, gone = [], []
    for key, plan_row in target.key_dates.items():
        there = rows.get(key)
        if there is None:
            there = KeyDate(
                migration=migration,
                plan_key_date=plan_row,
                key=key,
                planned_on=defaults[key].on,
                planned_at=defaults[key].at,
            )
            there.offset = _offset(plan_row, defaults[key], go_live)
            rows[key] = there
            added.append(there)
            continue
        if there.actual and there.plan_key_date.precision != plan_row.precision:
            continue  # it was recorded as what it was then
        moment = _kept(by_hand[key], there, plan_row, defaults[key]) if key in by_hand else None
        there.plan_key_date = plan_row
        if key == GL:
            continue
        # What lies before a go-live that has happened keeps its plan.
        over = bool(rows[GL].actual) and not (moment or (plan_row.offset or 0) > 0)
        if there.actual is None and not over:
            planned[key] = moment or defaults[key]
        there.offset = _offset(plan_row, moment or defaults[key], go_live)
    for key, row in rows.items():
        if key not in target.key_dates and not row.actual:
            gone.append(row)
    migration.plan_version = target.version
    moves = []
    for move in date_moves(migration, rows, planned):
        if move.key_date.pk:
            moves.append(move)
        else:
            move.key_date.planned_on, move.key_date.planned_at = move.after.on, move.after.at
    return Dates(rows, moves, added, gone)


def _by_default(row: KeyDate) -> bool:
    """Whether a date stands where its plan puts it, or is computed from another one.

    The same time by the clock on the wall, some days away, is an hour off when the clocks change.
    """
    plan = row.plan_key_date
    if plan.same_as or plan.clock:
        return True
    if row.offset is None or plan.offset is None:
        return row.offset == plan.offset
    if plan.precision == PlanKeyDate.Precision.DAY:
        return row.offset == plan.offset
    if plan.unit == Unit.HOURS:
        return row.offset * MINUTE == plan.offset * HOUR
    return abs(row.offset * MINUTE - plan.offset * DAY) <= HOUR


def _kept(chosen: Moment, row: KeyDate, plan: PlanKeyDate, default: Moment) -> Moment | None:
    """A date chosen by hand, as the plan has it now: a day, or a day and time."""
    if plan.same_as or plan.clock:
        return None
    if row.plan_key_date.precision == plan.precision:
        return chosen
    if plan.precision == PlanKeyDate.Precision.DAY:
        return Moment.of_day(chosen.on)
    return Moment.of_instant(london_time(chosen.on, to_london(default.at).time()))


def _offset(plan: PlanKeyDate, moment: Moment, go_live: Moment) -> int | None:
    if plan.key == GL or plan.same_as or plan.clock:
        return None
    has_time = plan.precision == PlanKeyDate.Precision.MINUTE
    return offset_from_go_live(moment, go_live, has_time=has_time)
