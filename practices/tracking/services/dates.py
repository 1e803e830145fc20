"""Actual dates: recorded, corrected and taken back; they start and stop clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import Text
from practices.common.services import write_text
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date
from practices.plans.rules import Moment
from practices.tracking.models import Gate, KeyDate, Migration, Task
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import EOA, FDP, GL, STAGE_DATES, from_go_live
from practices.tracking.waiting import require_turn

from . import clocks, gates
from ._base import lock, move, note_event, require_reason, settle
from .due_times import TaskMove, after_of, apply_task_moves, followers, task_moves
from .replanning import (
    DateMove,
    apply_date_moves,
    date_moves,
    dates_of,
    moves_told,
)

# A typing slip in the year would tell everybody at once that a clock is over.
FARTHEST_FROM_PLAN = timedelta(days=183)
# Further than this from the plan, the person is asked whether they meant it.
NEAR_PLAN = timedelta(days=7)


class GateClosed(Refused):
    """A sign-off is missing that has to come first."""

    def __init__(self, waiting: list[Gate]) -> None:
        self.gates = waiting
        names = ", ".join(f"“{gate.title}”" for gate in waiting)
        super().__init__(
            f"This cannot go ahead before the sign-off {names}. A project manager can record "
            "that it happened without."
        )


class FarFromPlan(Refused):
    """The date may be right, but nobody has been asked yet."""

    def __init__(self, d: KeyDate, when: Moment) -> None:
        days = (when.on - d.planned_on).days
        super().__init__(
            f"That is {abs(days)} days {'after' if days > 0 else 'before'} the planned date, "
            f"{uk_date(d.planned_on)}. Is it right?"
        )


@dataclass(frozen=True)
class Recorded:
    """``moved`` tasks were given new due times because the date was not as planned."""

    key_date: KeyDate
    moved: int
    changed: bool


@transaction.atomic
def record_actual(
    *,
    migration: Migration,
    key: str,
    when: Moment,
    by: User,
    at: datetime,
    reason: str = "",
    seen: datetime | None = None,
    sure: bool = True,
) -> Recorded:
    """Record when a key date really happened, or correct it with a reason.

    Recording final data production starts the cut-over clock; recording go-live
    stops it, starts old-system access and needs its gates open (guide.md B.1, C).
    The task that records this date is done by the same act (decision 6). ``seen``
    is the actual instant the person corrects; recording it again as it is changes
    nothing. ``sure`` is false where the person can be asked about a surprising date.

    Raises :class:`Conflict` when somebody else recorded it meanwhile,
    :class:`GateClosed` when a sign-off is missing, :class:`Waits` when the task that
    records it waits for another one, :class:`FarFromPlan` when a date more than a week
    from its plan has to be confirmed, :class:`Refused` when the date lies in the future
    or out of order, or a correction has no reason.
    """
    migration = lock(migration)
    dates = dates_of(migration)
    d = dates[key]
    if d.plan_key_date.same_as:
        raise Refused(f"“{d.title}” is recorded as “{dates[d.plan_key_date.same_as].title}”.")
    if d.actual == when:
        return Recorded(d, 0, changed=False)
    if d.actual_at != seen:
        raise Conflict(_changed_meanwhile(d))
    _check_actual(dates, d, when, at=at)
    facts = [key, *(row.key for row in _named_after(dates, d))]
    kind, why = "date.recorded", None
    if d.actual:
        require_reason(reason, "correcting a date that is already recorded")
        kind, why = "date.corrected", write_text(body=reason, by=by, at=at)
    else:
        waiting = [gate for fact in facts for gate in gates.blocking(migration, fact)]
        if waiting:
            raise GateClosed(waiting)
        for task in recording_task(migration, key).open():
            require_turn(task, at)
    if not sure and abs(when.on - d.planned_on) > NEAR_PLAN:
        raise FarFromPlan(d, when)
    if not d.actual and key in STAGE_DATES:
        move(migration, f"record {key}")
        migration.save(update_fields=["state"])
    moved = _write_actual(migration, dates, d, when, by=by, at=at, kind=kind, reason=why)
    clocks.follow_facts(migration, *facts, by=by, at=at)
    _settle_recording_task(migration, key, Task.State.DONE, by=by, at=at, reason=None)
    return Recorded(d, moved, changed=True)


def _changed_meanwhile(d: KeyDate) -> str:
    if d.actual is None:
        return f"“{d.title}” was taken back while you looked. Check it, then decide."
    when = uk_datetime(d.actual_at) if d.has_time else uk_date(d.actual_on)
    return (
        f"{d.recorded_by} has recorded “{d.title}” as {when} while you looked. "
        "Check it, then decide."
    )


def _check_actual(dates: dict[str, KeyDate], d: KeyDate, when: Moment, *, at: datetime) -> None:
    # A day is recorded while it lasts, so only its date can lie in the future.
    if (when.at > at) if d.has_time else (when.on > london_date(at)):
        raise Refused("That is still in the future. Enter when it happened.")
    if when.on < d.planned_on - FARTHEST_FROM_PLAN:
        raise Refused(
            f"That is more than half a year before the planned date, {uk_date(d.planned_on)}. "
            "Check the year."
        )
    fdp, go_live, end = dates[FDP].actual, dates[GL].actual, dates[EOA].actual
    if d.key == GL and fdp is None:
        raise Refused("Record final data production first: the cut-over clock starts with it.")
    if d.key == GL and fdp and when.at <= fdp.at:
        raise Refused(
            f"Go-live has to come after final data production, which was {uk_datetime(fdp.at)}."
        )
    if d.key == FDP and go_live and when.at >= go_live.at:
        raise Refused(
            f"Final data production has to come before go-live, which was "
            f"{uk_datetime(go_live.at)}."
        )
    if d.key == GL and end and when.on > end.on:
        raise Refused(
            f"Go-live has to come before the end of old-system access, which was {uk_date(end.on)}."
        )
    if d.key == EOA and go_live is None:
        raise Refused("Old-system access ends after go-live: record go-live first.")
    if d.key == EOA and go_live and when.on < go_live.on:
        raise Refused(f"Old-system access ends after go-live, which was {uk_date(go_live.on)}.")


def _named_after(dates: dict[str, KeyDate], d: KeyDate) -> list[KeyDate]:
    """The dates that are another name of this one, directly or through each other."""
    names = {d.key}
    for _ in dates:
        names |= {row.key for row in dates.values() if row.plan_key_date.same_as in names}
    return [dates[key] for key in dates if key in names - {d.key}]


def _write_actual(
    migration: Migration,
    dates: dict[str, KeyDate],
    d: KeyDate,
    when: Moment | None,
    *,
    by: User,
    at: datetime,
    kind: str,
    reason: Text | None = None,
) -> int:
    """Write the date, its other names, and what hangs on it; one event. How many tasks moved."""
    before = d.actual
    for row in [d, *_named_after(dates, d)]:
        row.actual_on, row.actual_at = (when.on, when.at) if when else (None, None)
        row.recorded_by = by if when else None
        row.save(update_fields=["actual_on", "actual_at", "recorded_by"])
    moved_dates, moved_tasks = _follow(migration, dates, d)
    note_event(
        migration,
        kind,
        by=by,
        at=at,
        subject=f"date:{d.key}",
        before=before.at.isoformat() if before else None,
        after=when.at.isoformat() if when else None,
        reason=reason,
        **moves_told(moved_dates, moved_tasks),
    )
    return len(moved_tasks)


def _follow(
    migration: Migration, dates: dict[str, KeyDate], d: KeyDate
) -> tuple[list[DateMove], list[TaskMove]]:
    """Later planned dates, ends of clocks and open tasks follow the dates that count now."""
    planned: dict[str, Moment] = {}
    if d.key == GL:
        # What was planned before go-live is over and keeps its plan.
        planned = {
            row.key: from_go_live(row.offset, d.moment, has_time=row.has_time)
            for row in dates.values()
            if row.offset is not None and row.offset > 0
        }
    if d.actual is None and d.offset is not None:
        # Taken back, it is planned from go-live again, which may have moved.
        go_live = dates[GL].planned
        planned[d.key] = from_go_live(d.offset, go_live, has_time=d.has_time)
    moved_dates = date_moves(migration, dates, planned)
    apply_date_moves(moved_dates)
    anchors = {row.key: row.moment for row in dates.values()}
    moves = task_moves(migration, anchors, set(anchors))
    # The task that records the date is done by the same act.
    moved_tasks = [m for m in moves if m.task.records != d.key]
    apply_task_moves(moved_tasks)
    return moved_dates, moved_tasks


def tasks_that_follow(migration: Migration, key: str) -> TaskQuerySet:
    """The open tasks that are due by a key date, or by one that follows it, and not by hand,
    with those that come after them.

    They move when it is recorded at another time than it counts for now.
    """
    dates = dates_of(migration)
    starts = {clock.key: clock.starts for clock in migration.plan_version.clocks.all()}
    keys = {key}
    ahead = [row for row in dates.values() if not row.actual]
    if key == GL:
        keys |= {row.key for row in ahead if row.offset is not None and row.offset > 0}
    for _ in dates:
        keys |= {row.key for row in dates.values() if row.plan_key_date.same_as in keys}
        keys |= {row.key for row in ahead if starts.get(row.plan_key_date.clock) in keys}
    after = after_of(migration.tasks.all())
    hanging = migration.tasks.filter(anchor__in=keys).values_list("code", flat=True)
    later = followers(after, set(hanging)) if after else set()
    # The task that records the date is done by the same act.
    return (
        migration.tasks.open()
        .filter(Q(anchor__in=keys) | Q(code__in=later), pinned=False)
        .exclude(plan_task__records=key, left_plan=False)
    )


def recording_task(migration: Migration, key: str) -> TaskQuerySet:
    """The task that is done by recording this date, where the plan has one."""
    return migration.tasks.filter(plan_task__records=key, left_plan=False).select_related(
        "plan_task"
    )


def _settle_recording_task(
    migration: Migration, key: str, state: str, *, by: User, at: datetime, reason: Text | None
) -> None:
    task = recording_task(migration, key).exclude(state=state).first()
    if task:
        kind = "task.done" if state == Task.State.DONE else "task.reopened"
        settle(migration, task, state, by=by, at=at, reason=reason, kind=kind)
        clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)


@transaction.atomic
def clear_actual(*, migration: Migration, key: str, reason: str, by: User, at: datetime) -> int:
    """Take a recorded date back. For final data production this aborts the cut-over.

    Its clocks become void, the task that recorded it is to do again, and the
    migration goes back a stage; what was signed for the aborted go-live no
    longer counts, since it spoke of data that is given up. Gives the number of
    tasks that moved. Raises :class:`Refused` when a later stage has been
    recorded on top of it.
    """
    require_reason(reason, "taking the date back")
    migration = lock(migration)
    dates = dates_of(migration)
    d = dates[key]
    if d.plan_key_date.same_as:
        raise Refused(f"“{d.title}” is recorded as “{dates[d.plan_key_date.same_as].title}”.")
    if not d.actual:
        raise Refused(f"“{d.title}” is not recorded.")
    if key in STAGE_DATES:
        for later in STAGE_DATES[STAGE_DATES.index(key) + 1 :]:
            if dates[later].actual:
                raise Refused(f"“{dates[later].title}” is recorded: take that back first.")
        move(migration, f"clear {key}")
        migration.save(update_fields=["state"])
    why = write_text(body=reason, by=by, at=at)
    kind = "cut_over.aborted" if key == FDP else "date.cleared"
    moved = _write_actual(migration, dates, d, None, by=by, at=at, kind=kind, reason=why)
    facts = [key, *(row.key for row in _named_after(dates, d))]
    clocks.follow_facts(migration, *facts, by=by, at=at)
    _settle_recording_task(migration, key, Task.State.OPEN, by=by, at=at, reason=why)
    if key == FDP:
        for gate in migration.gates.filter(plan_gate__blocks__contains=[GL]):
            if gates.round_has_begun(gate):
                gates.end_round(migration, gate, by=by, at=at, reason=why)
    return moved
