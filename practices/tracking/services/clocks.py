"""Clocks follow facts. Called by the other services, under the lock, once a fact has changed.

A fact is named as plans name it: a key date (``FDP``) or a task (``task:GL-02``). What a
clock should be is read from the facts themselves, so it does not matter in which order
people record, correct or take them back.
"""

from datetime import datetime

from django.db.models import Q

from practices.accounts.models import User
from practices.common.calendar import working_calendar
from practices.plans.models import PlanClock
from practices.plans.rules import TASK_PREFIX, clock_end
from practices.tracking.models import ClockRun, Migration, Task
from practices.tracking.rules import clock_start

from ._base import note_event

State = ClockRun.State


def follow_facts(migration: Migration, *facts: str, by: User, at: datetime) -> None:
    """Start, stop or start again the clocks that hang on these facts, as they stand now.

    A run whose start is gone or was at another instant is void, and so is one that a
    stop closed which is gone or was at another instant; the next attempt takes its place.
    """
    for plan_clock in migration.plan_version.clocks.filter(
        Q(starts__in=facts) | Q(stops__in=facts), enabled=True
    ):
        started = _happened(migration, plan_clock.starts, starting=True)
        stopped = _happened(migration, plan_clock.stops, starting=False)
        if started and stopped:
            # What ends the wait was there before it began: no time was needed.
            stopped = max(started, stopped)
        run = migration.clock_runs.counting().filter(key=plan_clock.key).first()
        if run and run.started_at == started:
            if run.stopped_at == stopped:
                continue
            if run.is_running and stopped:
                _stop(migration, run, stopped, by=by, at=at)
                continue
        if run:
            _void(migration, run, by=by, at=at, again=started is not None)
        if started:
            run = _start(migration, plan_clock, started, by=by, at=at)
            if stopped:
                _stop(migration, run, stopped, by=by, at=at)


def end_all(migration: Migration, *, by: User, at: datetime) -> None:
    """No clock counts on in a migration that is over."""
    for run in migration.clock_runs.running():
        _void(migration, run, by=by, at=at, again=False)


def _happened(migration: Migration, fact: str, *, starting: bool) -> datetime | None:
    """The instant of a fact, if it is one.

    A day starts a clock as it begins and stops it as it ends.
    """
    if fact.startswith(TASK_PREFIX):
        code = fact.removeprefix(TASK_PREFIX)
        task = migration.tasks.filter(code=code, state=Task.State.DONE).first()
        return task.settled_at if task else None
    row = migration.key_dates.select_related("plan_key_date").get(key=fact)
    if row.actual is None:
        return None
    return clock_start(row.actual, has_time=row.has_time) if starting else row.actual.at


def _start(
    migration: Migration, plan_clock: PlanClock, moment: datetime, *, by: User, at: datetime
) -> ClockRun:
    end = clock_end(
        started_at=moment,
        limit=plan_clock.limit,
        unit=plan_clock.unit,
        is_working=working_calendar().is_working,
    )
    attempts = migration.clock_runs.filter(key=plan_clock.key).count()
    run = ClockRun.objects.create(
        migration=migration,
        plan_clock=plan_clock,
        key=plan_clock.key,
        attempt=attempts + 1,
        started_at=moment,
        limit=plan_clock.limit,
        unit=plan_clock.unit,
        ends_on=end.on,
        ends_at=end.at,
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


def _void(migration: Migration, run: ClockRun, *, by: User, at: datetime, again: bool) -> None:
    """End a run that no longer counts; ``again``: the same attempt is counted once more."""
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
    )
