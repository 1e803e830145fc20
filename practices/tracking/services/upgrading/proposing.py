"""What moving a migration to another version of its plan does to it; nothing is written yet.

Everything is reckoned on rows in memory, so that what is shown and what is written are one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from practices.common.errors import Refused
from practices.common.models import sha256
from practices.common.services import canonical
from practices.plans.models import PlanTask, PlanVersion
from practices.plans.rules import Moment
from practices.tracking.models import Bypass, ClockRun, Gate, Migration, Phase, SignOff, Task
from practices.tracking.rules import cannot_hold
from practices.tracking.services.clocks import counts_otherwise
from practices.tracking.services.conditions import answers_of, known_answers
from practices.tracking.services.due_times import TaskMove, after_of, due_times
from practices.tracking.services.following import follow, new_task
from practices.tracking.services.tasks import is_indispensable

from .dates import Dates, dates_under
from .history import with_history
from .target import Target


@dataclass(frozen=True)
class LeftOut:
    """A new task that is not taken over, because a gate that was signed speaks for its phase."""

    task: PlanTask
    gate: Gate


@dataclass
class Proposal:
    """One migration under another version of its plan, task by task.

    ``removed`` tasks go, nobody has worked on them; ``kept`` ones stay, no longer in the plan;
    ``back`` ones had left it. ``held`` gates keep what was signed, ``reopened`` ones are withdrawn.
    ``falling_away`` are new tasks that do not apply by what was answered.
    """

    migration: Migration
    target: Target
    was: PlanVersion
    dates: Dates
    rows: dict[str, Task]
    phase_of: dict[str, str]
    phases: dict[str, Phase]
    gates: dict[str, Gate]
    added: list[Task] = field(default_factory=list)
    removed: list[Task] = field(default_factory=list)
    kept: list[Task] = field(default_factory=list)
    back: list[Task] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    held: list[Gate] = field(default_factory=list)
    reopened: list[Gate] = field(default_factory=list)
    new_gates: list[Gate] = field(default_factory=list)
    gates_gone: list[Gate] = field(default_factory=list)
    redated: list[TaskMove] = field(default_factory=list)
    falling_away: list[str] = field(default_factory=list)
    clocks: dict[str, str] = field(default_factory=dict)

    @property
    def changes_dates(self) -> bool:
        return bool(self.redated or self.dates.moves)

    def overdue_at_once(self, at: datetime) -> set[str]:
        """Codes of what would be overdue once moved, and is not so now: new, or due earlier."""
        apply = (task for task in self.added if task.code not in self.falling_away)
        new = {task.code for task in apply if task.is_overdue(at)}
        return new | {m.task.code for m in self.redated if m.after.at <= at < m.before.at}

    @property
    def told(self) -> dict[str, Any]:
        """What changes, as reports and events hold it: codes and keys, no words."""
        found: dict[str, Any] = {
            "from": self.was.number,
            "to": self.target.version.number,
            "added": [task.code for task in self.added],
            "removed": [task.code for task in self.removed],
            "kept": [task.code for task in self.kept],
            "back": [task.code for task in self.back],
            "left_out": {one.task.code: one.gate.key for one in self.left_out},
            "held": [gate.key for gate in self.held],
            "reopened": [gate.key for gate in self.reopened],
            "gates_added": [gate.key for gate in self.new_gates],
            "gates_removed": [gate.key for gate in self.gates_gone],
            "clocks": self.clocks,
            "dates": {
                m.key_date.key: [m.before.at.isoformat(), m.after.at.isoformat()]
                for m in self.dates.moves
            },
            "due": {
                m.task.code: [m.before.at.isoformat(), m.after.at.isoformat()] for m in self.redated
            },
        }
        return {name: value for name, value in found.items() if value or name in ("from", "to")}

    @cached_property
    def mark(self) -> str:
        """A mark of this preview: confirming something else than was shown is refused."""
        return sha256(canonical(self.told))[:16]


def require_newer(migration: Migration, version: PlanVersion) -> None:
    """Raise :class:`Refused` where a migration cannot be moved to this version."""
    if not migration.is_active:
        raise Refused(
            f"This migration is {migration.get_state_display().lower()}, "
            "so nothing in it can be changed."
        )
    if version.plan_id != migration.plan_version.plan_id:
        raise Refused("That is another plan: a migration keeps the plan it was started from.")
    if version.pk == migration.plan_version_id:
        raise Refused(f"This migration has version {version.number} already.")
    if version.state != PlanVersion.State.PUBLISHED or (
        version.number < migration.plan_version.number
    ):
        raise Refused("Choose the published version: drafts and older versions cannot be taken.")


def propose(migration: Migration, target: Target, *, reopen: bool) -> Proposal:
    """What becomes of a migration under ``target``; ``migration`` is a copy that may be changed.

    ``reopen``: signed gates are withdrawn where the version has new tasks under them. Raises
    :class:`Refused` where it cannot be moved to that version.
    """
    require_newer(migration, target.version)
    was = migration.plan_version
    tasks = list(migration.tasks.select_related("own_title").in_plan_order())
    target.attach("plan_task", tasks)
    phases = {phase.pk: phase for phase in migration.phases.all()}
    target.attach("plan_phase", phases.values())
    gates = {gate.key: gate for gate in migration.gates.all()}
    target.attach("plan_gate", gates.values())
    dates = dates_under(migration, target)
    found = Proposal(
        migration=migration,
        target=target,
        was=was,
        dates=dates,
        rows={task.code: task for task in tasks},
        phase_of={task.code: phases[task.phase_id].key for task in tasks},
        phases={phase.key: phase for phase in phases.values()},
        gates=gates,
    )
    _gates(found, reopen=reopen)
    before = {task.code: Moment(on=task.due_on, at=task.due_at) for task in tasks}
    _tasks(found)
    _due(found, before)
    _keep_anchors(found)
    _falling_away(found)
    _clocks(found)
    return found


def _gates(found: Proposal, *, reopen: bool) -> None:
    """What of the signed gates stays, and which new tasks fall under them."""
    target, gates = found.target, found.gates
    with_acts = _begun(gates)
    begun = [g for g in gates.values() if g.pk in with_acts and g.key in target.gates]
    missing = [task for code, task in target.tasks.items() if code not in found.rows]
    under: dict[str, list[PlanTask]] = {}
    for gate in begun:
        signed = gate.state == Gate.State.SIGNED
        covers = [
            task
            for task in missing
            if (signed and target.falls_under(task, gate))
            or (task.signs and task.signs.gate.key == gate.key)
        ]
        if covers:
            under[gate.key] = covers
    if reopen:
        found.reopened = [gates[key] for key in under if gates[key].state == Gate.State.SIGNED]
    closed = {key: tasks for key, tasks in under.items() if gates[key] not in found.reopened}
    left_out: dict[str, LeftOut] = {}
    for key, covered in closed.items():
        for task in covered:
            left_out.setdefault(task.code, LeftOut(task, gates[key]))
    found.left_out = list(left_out.values())
    found.held = [gate for gate in begun if gate not in found.reopened]
    for key, plan_gate in target.gates.items():
        if key not in gates:
            gate = Gate(
                migration=found.migration,
                plan_gate=plan_gate,
                key=key,
                position=plan_gate.position,
            )
            found.new_gates.append(gate)
    found.gates_gone = [
        gate for key, gate in gates.items() if key not in target.gates and not gate.left_plan
    ]


def _begun(gates: Mapping[str, Gate]) -> set[int]:
    """Ids of the gates that somebody has signed, or gone ahead without, in their present round."""
    rounds = {gate.pk: gate.round for gate in gates.values()}
    return {
        pk
        for model in (SignOff, Bypass)
        for pk, number in model.objects.filter(gate__in=rounds).values_list("gate", "round")
        if rounds[pk] == number
    }


def _tasks(found: Proposal) -> None:
    """Point each task to its place in the new version; find what comes, goes and stays."""
    target = found.target
    held = {gate.key for gate in found.held}
    leaving: dict[str, Task] = {}
    for code, task in found.rows.items():
        if task.plan_task is None:
            continue
        plan_task = target.tasks.get(code)
        signs_held = _gate_signed(task.plan_task) in held or _gate_signed(plan_task) in held
        if plan_task is None:
            if not signs_held and not task.left_plan:
                leaving[code] = task
            continue
        if task.left_plan:
            found.back.append(task)
        follow(task, plan_task, keep_wording=signs_held)
        found.phase_of[code] = plan_task.phase.key
    worked_on = with_history(found.migration, "task", leaving)
    for code, task in leaving.items():
        touched = task.state != Task.State.OPEN or task.assignee_id or task.pinned
        if touched or code in worked_on:
            task.left_plan = True
            found.kept.append(task)
        else:
            found.removed.append(task)
            del found.rows[code]
    out = {one.task.code for one in found.left_out}
    for code, plan_task in target.tasks.items():
        if code not in found.rows and code not in out:
            task = new_task(found.migration, plan_task)
            found.added.append(task)
            found.rows[code] = task
            found.phase_of[code] = plan_task.phase.key


def _gate_signed(plan_task: PlanTask | None) -> str:
    return plan_task.signs.gate.key if plan_task and plan_task.signs else ""


def _due(found: Proposal, before: Mapping[str, Moment]) -> None:
    """Due times of what is open and not dated by hand; what left the plan stays where it is."""
    rows = list(found.rows.values())
    old = [
        task.pk
        for task in rows
        if task.plan_task and task.plan_task.version_id != found.target.version.pk
    ]
    after = dict(found.target.after)
    if old:
        after |= after_of(found.migration.tasks.filter(pk__in=old))
    times = due_times(rows, after, found.dates.moments)
    for task in rows:
        moment = times.get(task.code)
        if moment is None and task.code not in before:
            # It waits for one that waits for it, in another version: its own offset counts.
            moment = due_times([task], {}, found.dates.moments).get(task.code)
        if moment is None or task.pinned or task.left_plan or not task.is_unfinished:
            continue
        task.due_on, task.due_at = moment.on, moment.at
        was = before.get(task.code)
        if was and was.at != moment.at:
            found.redated.append(TaskMove(task, was, moment))


def _keep_anchors(found: Proposal) -> None:
    """A date that left the plan stays as long as a task hangs on it."""
    anchors = {task.anchor for task in found.rows.values()}
    found.dates.gone[:] = [row for row in found.dates.gone if row.key not in anchors]
    for row in found.dates.gone:
        del found.dates.rows[row.key]
    gone = {row.key for row in found.dates.gone}
    found.dates.moves[:] = [move for move in found.dates.moves if move.key_date.key not in gone]


def _falling_away(found: Proposal) -> None:
    if not found.target.conditions:
        return
    migration = found.migration
    answers = known_answers(
        found.target.version, source=migration.source_system, target=migration.target_system
    ) | answers_of(migration)
    found.falling_away = [
        task.code
        for task in found.added
        if task.plan_task
        and cannot_hold(task.applies_if, answers)
        and not is_indispensable(task.plan_task)
    ]


def _clocks(found: Proposal) -> None:
    """Running clocks that are counted again, or no longer; what has stopped stays."""
    runs = list(found.migration.clock_runs.filter(state=ClockRun.State.RUNNING))
    found.target.attach("plan_clock", runs)
    for run in runs:
        plan = found.target.clocks.get(run.key)
        if plan is None or not plan.enabled:
            found.clocks[run.key] = "ends"
        elif counts_otherwise(run, plan):
            found.clocks[run.key] = "again"
