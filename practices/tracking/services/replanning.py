"""Planned dates that move, with everything that hangs on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils.functional import cached_property

from practices.accounts.models import User
from practices.common.calendar import working_calendar
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import canonical
from practices.plans.rules import Moment
from practices.tracking.models import KeyDate, Migration, Task
from practices.tracking.rules import (
    FDP,
    GL,
    clock_start,
    from_go_live,
    offset_from_go_live,
    planning_warnings,
)

from ._base import lock, newest_act, note_event
from .clocks import end_of
from .due_times import TaskMove, apply_task_moves, due_told, task_moves


@dataclass(frozen=True)
class DateMove:
    key_date: KeyDate
    before: Moment
    after: Moment


@dataclass(frozen=True)
class RePlan:
    """Everything that moves when one key date does; nothing is written yet.

    ``settled`` and ``pinned`` count tasks that hang on the same dates and stay where
    they are: done or not applicable, or given a date by hand. ``warnings`` are sentences.
    """

    dates: list[DateMove]
    tasks: list[TaskMove]
    settled: int
    pinned: int
    warnings: list[str]

    @cached_property
    def mark(self) -> str:
        """A mark of this preview: confirming something else than was shown is refused."""
        return sha256(
            canonical(
                {
                    "dates": [
                        [m.key_date.key, m.before.at.isoformat(), m.after.at.isoformat()]
                        for m in self.dates
                    ],
                    "tasks": [
                        [m.task.code, m.before.at.isoformat(), m.after.at.isoformat()]
                        for m in self.tasks
                    ],
                }
            )
        )[:16]


def dates_of(migration: Migration) -> dict[str, KeyDate]:
    """The key dates of a migration by key."""
    return {d.key: d for d in migration.key_dates.select_related("plan_key_date").in_order()}


def preview_replan(*, migration: Migration, key: str, to: Moment, at: datetime) -> RePlan:
    """What moves when a planned key date does: other dates that hang on go-live, and tasks.

    Done and pinned tasks and dates that have happened stay. Raises
    :class:`Refused` for a date that has happened or follows another one.
    """
    dates = dates_of(migration)
    chosen = dates[key]
    if chosen.actual:
        raise Refused(f"“{chosen.title}” has happened, so it cannot be planned again.")
    if chosen.follows:
        raise Refused(f"“{chosen.title}” follows another date: move that one.")
    planned = {key: to}
    if key == GL:
        planned |= {
            d.key: from_go_live(d.offset, to, has_time=d.has_time)
            for d in dates.values()
            if d.offset is not None
        }
    moves = date_moves(migration, dates, planned)
    after = {d.key: d.moment for d in dates.values()} | {m.key_date.key: m.after for m in moves}
    if not dates[GL].actual and after[GL].at <= after[FDP].at:
        raise Refused("Go-live has to come after final data production.")
    changed = {m.key_date.key for m in moves}
    tasks = task_moves(migration, after, changed)
    here = migration.tasks.filter(anchor__in=changed)
    return RePlan(
        dates=sorted(moves, key=lambda m: m.after.at),
        tasks=tasks,
        settled=here.exclude(state__in=Task.UNFINISHED).count(),
        pinned=here.open().filter(pinned=True).count(),
        warnings=_warnings(migration, after, key, tasks, at=at),
    )


def date_moves(
    migration: Migration, dates: dict[str, KeyDate], planned: dict[str, Moment]
) -> list[DateMove]:
    """How planned dates change when these are planned so, with the dates that follow others.

    What has happened stays as it was planned. The end of a clock is counted from the
    date that starts it: the actual one once recorded. Where another end was agreed
    since, that one counts. What a date that left the plan followed may be gone: it stays.
    """
    clocks = {clock.key: clock for clock in migration.plan_version.clocks.all()}
    agreed = {
        run.key: run.extension
        for run in migration.clock_runs.counting().filter(extension__isnull=False)
    }
    is_working = working_calendar().is_working
    found: dict[str, Moment] = {}

    def moment(key: str) -> Moment:
        if key not in found:
            found[key] = compute(dates[key])
        return found[key]

    def compute(d: KeyDate) -> Moment:
        if d.actual:
            return d.actual
        if d.plan_key_date.same_as in dates:
            return moment(d.plan_key_date.same_as)
        if d.plan_key_date.clock in clocks:
            clock = clocks[d.plan_key_date.clock]
            start = dates[clock.starts]
            started_at = clock_start(moment(start.key), has_time=start.has_time)
            extension = agreed.get(clock.key) if start.actual else None
            return end_of(clock, started_at, extension, is_working)
        return planned.get(d.key, d.planned)

    return [
        DateMove(d, d.planned, moment(d.key))
        for d in dates.values()
        if not d.actual and moment(d.key) != d.planned
    ]


def apply_date_moves(moves: list[DateMove]) -> None:
    for m in moves:
        m.key_date.planned_on, m.key_date.planned_at = m.after.on, m.after.at
        m.key_date.save(update_fields=["planned_on", "planned_at"])


def moves_told(dates: list[DateMove], tasks: list[TaskMove]) -> dict[str, Any]:
    """What moved, as events hold it: before and after of each date and task."""
    return {
        "dates": {m.key_date.key: [m.before.at.isoformat(), m.after.at.isoformat()] for m in dates},
        "tasks": len(tasks),
        "due": due_told(tasks),
    }


def cut_over_warnings(
    migration: Migration, planned: Mapping[str, Moment] = MappingProxyType({})
) -> list[str]:
    """What deserves a second look about what is still to come, with some dates ``planned`` anew."""
    dates = dates_of(migration)
    moments = {key: d.moment for key, d in dates.items()} | dict(planned)
    clocks = [
        clock
        for clock in migration.plan_version.clocks.filter(enabled=True)
        if not (clock.stops in dates and dates[clock.stops].actual)
    ]
    if dates[GL].actual:
        del moments[GL]
    return planning_warnings(clocks, moments, working_calendar())


def _warnings(
    migration: Migration,
    after: dict[str, Moment],
    key: str,
    tasks: list[TaskMove],
    *,
    at: datetime,
) -> list[str]:
    """What deserves a second look before the new dates are confirmed."""
    warnings = cut_over_warnings(migration, after)
    if after[key].at <= at:
        warnings.append("This date is in the past. If it has happened, record it instead.")
    late = sum(1 for m in tasks if m.after.at <= at < m.before.at)
    if late:
        warnings.append(
            f"{late} more task{'s' if late > 1 else ''} would be late at once: "
            "there is less time than the plan expects."
        )
    return warnings


@transaction.atomic
def replan(
    *, migration: Migration, key: str, to: Moment, seen: str, by: User, at: datetime
) -> RePlan:
    """Move a planned key date and all that hangs on it, as previewed.

    Raises :class:`Conflict` when the preview ``seen`` is not what would happen now.
    """
    migration = lock(migration)
    plan = preview_replan(migration=migration, key=key, to=to, at=at)
    if plan.mark != seen:
        raise Conflict(
            f"Dates or tasks changed since you looked, last by {newest_act(migration)}. "
            "Check the new list, then confirm."
        )
    if not plan.dates:
        return plan
    apply_date_moves(plan.dates)
    chosen = migration.key_dates.select_related("plan_key_date").get(key=key)
    if key != GL:
        # Moved by hand, it keeps its new distance when go-live moves.
        go_live = migration.key_dates.get(key=GL).moment
        chosen.offset = offset_from_go_live(to, go_live, has_time=chosen.has_time)
        chosen.save(update_fields=["offset"])
    apply_task_moves(plan.tasks)
    note_event(
        migration,
        "dates.replanned",
        by=by,
        at=at,
        subject=f"date:{key}",
        **moves_told(plan.dates, plan.tasks),
    )
    return plan
