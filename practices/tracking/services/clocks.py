"""Clocks follow facts. Called by the other services, under the lock, once a fact has changed.

A fact is named as plans name it: a key date (``FDP``), a task (``task:GL-02``) or the breach
of another clock (``breach:cut_over``). What a clock should be is read from the facts
themselves, so it does not matter in which order people record, correct or take them back.
"""

from collections.abc import Callable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from practices.accounts.models import User
from practices.common.calendar import working_calendar
from practices.common.errors import Conflict, Refused
from practices.common.services import write_text
from practices.common.time import TZDATA, london_date, start_of_london_day
from practices.plans.models import PlanClock, Unit
from practices.plans.rules import BREACH_PREFIX, TASK_PREFIX, Moment, clock_end
from practices.tracking.models import AccessExtension, ClockRun, Migration, Task
from practices.tracking.rules import clock_start

from ._base import lock, note_event, require_reason, says

State = ClockRun.State


def follow_facts(migration: Migration, *facts: str, by: User, at: datetime) -> None:
    """Start, stop or start again the clocks that hang on these facts, as they stand now.

    A run whose start is gone or was at another instant is void, and so is one that a
    stop closed which is gone or was at another instant; the next attempt takes its place.
    """
    for plan_clock in migration.plan_version.clocks.filter(
        Q(starts__in=facts) | Q(stops__in=facts), enabled=True
    ):
        _follow(migration, plan_clock, by=by, at=at)
        # The report of an overrun is asked for by a clock that its breach opens.
        follow_facts(migration, f"{BREACH_PREFIX}{plan_clock.key}", by=by, at=at)


def _follow(migration: Migration, plan_clock: PlanClock, *, by: User, at: datetime) -> None:
    started = _happened(migration, plan_clock.starts, starting=True)
    stopped = _happened(migration, plan_clock.stops, starting=False)
    if started and stopped:
        # What ends the wait was there before it began: no time was needed.
        stopped = max(started, stopped)
    before = migration.clock_runs.counting().filter(key=plan_clock.key).first()
    if before and before.started_at == started:
        if before.stopped_at == stopped:
            return
        if before.is_running and stopped:
            _stop(migration, before, stopped, by=by, at=at)
            return
    if before:
        void(migration, before, by=by, at=at, again=started is not None)
    if started:
        run = start(
            migration,
            plan_clock,
            started,
            by=by,
            at=at,
            # What was agreed and explained of this attempt holds when it is counted again.
            extension=before.extension if before else None,
            reason_id=before.reason_id if before else None,
        )
        if stopped:
            _stop(migration, run, stopped, by=by, at=at)


def follow_plan(migration: Migration, *, by: User, at: datetime) -> None:
    """Count the clocks by the version of the plan that the migration has now.

    A running one that the version counts otherwise is counted again, what was agreed of it holds;
    one that it does not have ends. What has stopped stays. New ones start where their start has
    happened.
    """
    plan = {clock.key: clock for clock in migration.plan_version.clocks.all() if clock.enabled}
    runs = {run.key: run for run in migration.clock_runs.counting()}
    for run in [run for run in runs.values() if run.is_running]:
        clock = plan.get(run.key)
        if clock is None:
            void(migration, run, by=by, at=at)
        elif counts_otherwise(run, clock):
            void(migration, run, by=by, at=at, again=True)
            _count_again(migration, run, clock, by=by, at=at)
        elif clock.pk != run.plan_clock_id:
            run.plan_clock = clock
            run.save(update_fields=["plan_clock"])
    begun = _facts(migration, {clock.starts for clock in plan.values()})
    for key, clock in plan.items():
        if key not in runs and clock.starts in begun:
            _follow(migration, clock, by=by, at=at)
    for clock in plan.values():
        if clock.key not in runs and clock.starts.startswith(BREACH_PREFIX):
            _follow(migration, clock, by=by, at=at)


def counts_otherwise(run: ClockRun, clock: PlanClock) -> bool:
    """Whether a clock of another version of the plan would not have the end of this run."""
    was = run.plan_clock
    return (clock.limit, clock.unit, clock.starts, clock.stops) != (
        was.limit,
        was.unit,
        was.starts,
        was.stops,
    )


def _count_again(
    migration: Migration, run: ClockRun, clock: PlanClock, *, by: User, at: datetime
) -> None:
    started = _happened(migration, clock.starts, starting=True)
    if started is None:
        return
    again = start(
        migration,
        clock,
        started,
        by=by,
        at=at,
        extension=run.extension,
        reason_id=run.reason_id,
    )
    if stopped := _happened(migration, clock.stops, starting=False):
        _stop(migration, again, max(started, stopped), by=by, at=at)


def _facts(migration: Migration, facts: set[str]) -> set[str]:
    """Which of these facts have happened: key dates and tasks."""
    codes = {fact.removeprefix(TASK_PREFIX) for fact in facts if fact.startswith(TASK_PREFIX)}
    dates = migration.key_dates.filter(key__in=facts, actual_at__isnull=False)
    done = migration.tasks.filter(code__in=codes, state=Task.State.DONE)
    return set(dates.values_list("key", flat=True)) | {
        f"{TASK_PREFIX}{code}" for code in done.values_list("code", flat=True)
    }


def end_all(migration: Migration, *, by: User, at: datetime) -> None:
    """No clock counts on in a migration that is over."""
    for run in migration.clock_runs.running():
        void(migration, run, by=by, at=at)


def _happened(migration: Migration, fact: str, *, starting: bool) -> datetime | None:
    """The instant of a fact, if it is one.

    A day starts a clock as it begins and stops it as it ends. A breach happens when
    the clock stops too late (guide.md B2: the report is due from the end of the cut-over).
    """
    if fact.startswith(BREACH_PREFIX):
        key = fact.removeprefix(BREACH_PREFIX)
        run = migration.clock_runs.filter(key=key, state=State.BREACHED).first()
        if run is None or run.stopped_on is None:
            return None
        return run.stopped_at if run.counts_hours else start_of_london_day(run.stopped_on)
    if fact.startswith(TASK_PREFIX):
        code = fact.removeprefix(TASK_PREFIX)
        task = migration.tasks.filter(code=code, state=Task.State.DONE).first()
        return task.settled_at if task else None
    row = migration.key_dates.select_related("plan_key_date").get(key=fact)
    if row.actual is None:
        return None
    return clock_start(row.actual, has_time=row.has_time) if starting else row.actual.at


def end_of(
    plan_clock: PlanClock,
    started_at: datetime,
    extension: AccessExtension | None,
    is_working: Callable[[date], bool],
) -> Moment:
    """When a clock ends that started at an instant: as agreed, else by the limit of the plan."""
    if extension:
        return Moment.of_day(max(extension.until, london_date(started_at)))
    return clock_end(
        started_at=started_at,
        limit=plan_clock.limit,
        unit=plan_clock.unit,
        is_working=is_working,
    )


def start(
    migration: Migration,
    plan_clock: PlanClock,
    moment: datetime,
    *,
    by: User,
    at: datetime,
    extension: AccessExtension | None = None,
    reason_id: int | None = None,
) -> ClockRun:
    """Start the next attempt of a clock from an instant; what it is counted from stays with it."""
    end = end_of(plan_clock, moment, extension, working_calendar().is_working)
    attempts = migration.clock_runs.filter(key=plan_clock.key).count()
    run = ClockRun.objects.create(
        migration=migration,
        plan_clock=plan_clock,
        key=plan_clock.key,
        attempt=attempts + 1,
        started_at=moment,
        limit=(end.on - london_date(moment)).days if extension else plan_clock.limit,
        unit=Unit.DAYS if extension else plan_clock.unit,
        ends_on=end.on,
        ends_at=end.at,
        tzdata=TZDATA,
        extension=extension,
        reason_id=reason_id,
    )
    note_event(
        migration,
        "clock.started",
        by=by,
        at=at,
        subject=f"clock:{run.key}",
        attempt=run.attempt,
        started_at=moment.isoformat(),
        ends_at=end.at.isoformat(),
        ends_on=end.on.isoformat(),
        limit=run.limit,
        unit=run.unit,
        zone=run.zone,
        tzdata=run.tzdata,
        plan_version=plan_clock.version_id,
    )
    return run


def _stop(migration: Migration, run: ClockRun, moment: datetime, *, by: User, at: datetime) -> None:
    run.stopped_at = moment
    run.state = State.MET if moment <= run.ends_at else State.BREACHED
    run.save(update_fields=["stopped_at", "state"])
    note_event(
        migration,
        "clock.stopped",
        by=by,
        at=at,
        subject=f"clock:{run.key}",
        attempt=run.attempt,
        started_at=run.started_at.isoformat(),
        stopped_at=moment.isoformat(),
        unit=run.unit,
        after=run.state,
    )


def void(
    migration: Migration,
    run: ClockRun,
    *,
    by: User,
    at: datetime,
    again: bool = False,
    extended: bool = False,
) -> None:
    """End a run that no longer counts.

    ``again``: the same attempt is counted once more; ``extended``: to another end.
    """
    before, run.state = run.state, State.VOID
    run.save(update_fields=["state"])
    note_event(
        migration,
        "clock.void",
        by=by,
        at=at,
        subject=f"clock:{run.key}",
        attempt=run.attempt,
        before=before,
        again=again,
        extended=extended,
    )


@transaction.atomic
def explain_breach(
    *,
    migration: Migration,
    key: str,
    reason: str,
    seen: int | None,
    by: User,
    at: datetime,
) -> ClockRun:
    """Say why a clock ran over its limit (guide.md B.1: reason on breach).

    ``seen`` is the reason the person saw, if there was one: it can be put in better
    words. Raises :class:`Refused` where nothing ran over, :class:`Conflict` when
    somebody else has given a reason meanwhile.
    """
    require_reason(reason, "running over the limit")
    migration = lock(migration)
    run = migration.clock_runs.counting().select_related("reason").filter(key=key).first()
    if run is None or not run.is_breach(at):
        raise Refused("This clock has not run over its limit.")
    if says(run.reason, reason):
        return run
    if run.reason_id != seen:
        raise Conflict("Somebody has given a reason while you looked. Check it, then decide.")
    run.reason = write_text(body=reason, by=by, at=at)
    run.save(update_fields=["reason"])
    note_event(
        migration,
        "clock.explained",
        by=by,
        at=at,
        subject=f"clock:{key}",
        attempt=run.attempt,
        reason=run.reason,
    )
    return run
