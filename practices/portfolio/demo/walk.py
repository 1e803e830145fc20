"""Living through a migration: every task, signature and date in its time, by the right person."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import groupby

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.time import london_time
from practices.plans.models import Unit
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.models import Gate, KeyDate, Migration, Task
from practices.tracking.rules import EOA
from practices.tracking.services.due_times import after_of, followers
from practices.tracking.services.gates import covered_tasks, free_seats, seen_mark, still_open
from practices.tracking.waiting import free_from

from .stories import DAY, HOUR, Story

MINUTE = timedelta(minutes=1)
LONG_PAST = 10 * DAY
TICK, SIGN, RECORD = range(3)  # what comes first of things done at the same instant


@dataclass(frozen=True)
class Step:
    """One thing to do, and when it is done."""

    at: datetime
    kind: int
    task: Task
    by: User

    @property
    def batch(self) -> tuple[datetime, int, int]:
        """Ticks of one person at one instant are one act."""
        alone = 0 if self.kind == TICK else self.task.pk
        return (self.at, alone, self.by.pk)


class Walk:
    """A story told through the services, in the order of time."""

    def __init__(
        self, migration: Migration, story: Story, acting: dict[str, User], *, now: datetime
    ) -> None:
        self.migration = migration
        self.story = story
        self.acting = acting
        self.now = now
        self.dates: dict[str, KeyDate] = {
            d.key: d for d in migration.key_dates.select_related("plan_key_date")
        }

    def go(self) -> None:
        """From the start to now, and to the end where the story has one."""
        tasks = (
            self.migration.tasks.open()
            .with_people()
            .exclude(code__in=self.story.leave)
            .in_plan_order()
        )
        steps = self._in_turn({task.code: self._step(task) for task in tasks})
        until = self.now + self.story.until
        done = sorted((s for s in steps if s.at <= until), key=lambda s: (s.at, s.kind, s.by.pk))
        for _, batch in groupby(done, key=lambda step: step.batch):
            self._do(list(batch))
        self._close(until)

    def _step(self, task: Task) -> Step:
        by = self.acting[task.owner]
        # Whoever starts late enters on the first days what was done before.
        earliest = self.migration.started_at + DAY
        if task.records:
            happened = self._happened(task.records)
            return Step(max(happened.at, earliest) + 10 * MINUTE, RECORD, task, by)
        at = london_time(task.due_on, time(11))
        if task.unit == Unit.HOURS:
            at = task.due_at - 20 * MINUTE
        if task.seat:
            return Step(max(at, earliest) + (HOUR if at < earliest else -HOUR), SIGN, task, by)
        if at < self.now - LONG_PAST:
            # Long ago people ticked on Mondays what the week would ask: fewer acts, sooner made.
            at = london_time(task.due_on - task.due_on.weekday() * DAY, time(11))
        return Step(max(at, earliest), TICK, task, by)

    def _in_turn(self, steps: dict[str, Step]) -> list[Step]:
        """No step before those it waits for; what waits for something left undone is left too."""
        after = after_of(self.migration.tasks.all())
        left = followers(after, {*self.story.leave, *self.story.blocked})
        found: dict[str, Step] = {}

        def settle(code: str) -> Step:
            if code not in found:
                step = found[code] = steps[code]
                for link in after.get(code, ()):
                    if link.task in steps and link.task not in left:
                        free = free_from(settle(link.task).at, link.lag, link.unit)
                        step = replace(step, at=max(step.at, free + MINUTE))
                found[code] = step
            return found[code]

        return [settle(code) for code in steps if code not in left]

    def _happened(self, key: str) -> Moment:
        """The planned date, as if kept; a day's meeting ends at four."""
        key_date = self.dates[key]
        if key_date.has_time:
            return Moment.of_instant(key_date.planned_at)
        return Moment(on=key_date.planned_on, at=london_time(key_date.planned_on, time(16)))

    def _do(self, steps: list[Step]) -> None:
        first = steps[0]
        if first.kind == RECORD:
            self._record(first.task.records, by=first.by, at=first.at)
        elif first.kind == SIGN:
            self._sign(first)
        else:
            self._tick(steps)

    def _tick(self, steps: list[Step]) -> None:
        plain: list[Task] = []
        for step in steps:
            task, by, at = step.task, step.by, step.at
            if task.code in self.story.blocked:
                reason = self.story.blocked[task.code]
                services.block_task(task=task, reason=reason, by=by, at=at)
            elif not task.mandatory:
                services.set_task_aside(
                    task=task, reason=f"Not here. {task.condition}.", by=by, at=at
                )
            else:
                plain.append(task)
        if plain:
            first = steps[0]
            services.tick_tasks(migration=self.migration, tasks=plain, by=first.by, at=first.at)

    def _record(self, key: str, *, by: User, at: datetime) -> None:
        happened = self._happened(key)
        when = happened if self.dates[key].has_time else Moment.of_day(happened.on)
        services.record_actual(migration=self.migration, key=key, when=when, by=by, at=at)

    def _sign(self, step: Step) -> None:
        """Sign a task's seat, and with it the seats of the gate that no task signs."""
        task, at = step.task, step.at
        gate = self.migration.gates.select_related("plan_gate").get(plan_gate=task.seat.gate)
        gate.migration = self.migration
        if gate.key in self.story.bypassed:
            self._bypass(gate, at=at)
        elif gate.plan_gate.condition:
            reason = f"Not here. {gate.plan_gate.condition}."
            services.set_task_aside(task=task, reason=reason, by=step.by, at=at)
        else:
            self._finish_covered(gate, at=at)
            self._fill(gate, task.seat.key, at=at)
            signed_by_tasks = set(
                self.migration.tasks.filter(plan_task__signs__gate=gate.plan_gate).values_list(
                    "plan_task__signs__key", flat=True
                )
            )
            for seat in free_seats(gate):
                if seat.key not in signed_by_tasks:
                    self._fill(gate, seat.key, at=at)

    def _finish_covered(self, gate: Gate, *, at: datetime) -> None:
        kept = {*self.story.leave, *self.story.blocked}
        manager = self.acting[Owner.PRACTICE_MANAGER]
        self._tick(
            [
                Step(at, TICK, task, manager)
                for task in covered_tasks(gate).open()
                if task.code not in kept and not task.records and not task.seat
            ]
        )

    def _fill(self, gate: Gate, key: str, *, at: datetime) -> None:
        seat = next(seat for seat in free_seats(gate) if seat.key == key)
        by = self.acting[seat.roles[0]]
        items = still_open(gate)
        services.sign_off(
            gate=gate,
            seat=seat,
            name=by.name,
            seen=seen_mark(gate, items),
            exceptions={item.key: "Agreed: to be finished this week." for item in items},
            by=by,
            at=at,
        )

    def _bypass(self, gate: Gate, *, at: datetime) -> None:
        bypass = services.record_bypass(
            gate=gate,
            reason=self.story.bypassed[gate.key],
            by=self.acting[Owner.PROJECT_MANAGER],
            at=at,
        )
        if self.story.confirmed:
            services.confirm_bypass(bypass=bypass, by=self.acting[Owner.COMMISSIONER], at=at)

    def _close(self, until: datetime) -> None:
        manager = self.acting[Owner.PROJECT_MANAGER]
        # A plan may leave the end of access without a task; it is recorded all the same.
        access = self.migration.key_dates.get(key=EOA)
        ended = london_time(access.planned_on, time(18))
        if access.actual_at is None and ended <= until:
            when = Moment.of_day(access.planned_on)
            services.record_actual(
                migration=self.migration, key=EOA, when=when, by=manager, at=ended
            )
        if self.story.bypassed and not self.story.confirmed:
            for gate in self.migration.gates.filter(key__in=self.story.bypassed):
                gate.migration = self.migration
                self._bypass(gate, at=self.now - 2 * HOUR)
        if self.story.cancelled:
            services.cancel_migration(
                migration=self.migration, reason=self.story.cancelled, by=manager, at=until
            )
        if self.story.finished:
            services.finish_migration(migration=self.migration, by=manager, at=until - 10 * DAY)


def finishing_touches(migration: Migration, acting: dict[str, User], *, now: datetime) -> None:
    """What people write and attach beside ticking, so that every part of a task page shows."""
    tasks = {task.code: task for task in migration.tasks.with_people()}
    services.assign_task(
        task=tasks["CUT-20"],
        assignee=acting[Owner.PRACTICE_STAFF],
        by=acting[Owner.PRACTICE_MANAGER],
        at=now,
    )
    services.add_note(
        task=tasks["CUT-20"],
        body="12 of 20 records compared so far, no difference found.",
        by=acting[Owner.PRACTICE_STAFF],
        at=now,
    )
    services.add_evidence(
        task=tasks["FDP-09"],
        link="https://example.org/transfer-receipt",
        by=acting[Owner.TARGET_SUPPLIER],
        at=now,
    )
    services.add_task(
        phase=tasks["CUT-20"].phase,
        title="Collect the spare smartcard readers from the branch surgery",
        guidance="Two are in the cupboard behind reception.",
        owner=Owner.PRACTICE_STAFF,
        due_on=tasks["CUT-13"].due_on,
        assignee=None,
        by=acting[Owner.PRACTICE_MANAGER],
        at=now,
    )
