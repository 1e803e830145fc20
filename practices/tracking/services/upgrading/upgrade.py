"""Moving one migration to another version of its plan."""

from collections import Counter
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict
from practices.common.services import write_text
from practices.plans.models import PlanVersion
from practices.plans.rules import listed
from practices.tracking.models import COUNTERS, Gate, KeyDate, Migration, Phase, SignOff, Task
from practices.tracking.services import clocks, gates
from practices.tracking.services._base import lock, newest_act, note_event
from practices.tracking.services.conditions import (
    apply_conditions,
    ask_conditions,
    known_answers,
)

from .history import with_history
from .proposing import Proposal, propose
from .rows import Rows, rows_of, undo_of, write_rows
from .target import Target, target_of

FOLLOWED = (
    *("plan_task_id", "phase_id", "position", "owner", "mandatory", "anchor", "offset", "unit"),
    *("due_on", "due_at", "left_plan"),
)


@dataclass(frozen=True)
class Upgraded:
    """What was changed, by code and key; ``undo`` are the rows as they were, if it can be undone.

    ``seq`` is the event it ended with.
    """

    told: dict[str, Any]
    undo: dict[str, Any]
    seq: int


def preview_upgrade(
    migration: Migration, version: PlanVersion | Target, *, reopen: bool = False
) -> Proposal:
    """What moving to another version would change; nothing is written.

    ``reopen``: signed gates are withdrawn where the version has new tasks under them. Raises
    :class:`Refused` where the migration cannot be moved to it.
    """
    target = version if isinstance(version, Target) else target_of(version)
    fresh = Migration.objects.select_related("plan_version", "source_system", "target_system")
    return propose(fresh.get(pk=migration.pk), target, reopen=reopen)


@transaction.atomic
def upgrade_migration(
    *,
    migration: Migration,
    target: Target,
    by: User,
    at: datetime,
    seen: str = "",
    reopen: bool = False,
) -> Upgraded:
    """Move a running migration to another version of its plan, as previewed.

    Work is never lost: what is done, dated by hand, signed, written or assigned stays. ``seen`` is
    the mark of the preview that somebody looked at; of many migrations nobody looks at each.

    Raises :class:`Conflict` when the preview is not what would happen now, :class:`Refused` where
    the migration is over or has another plan.
    """
    migration = lock(migration)
    before = rows_of(migration)
    proposal = propose(copy(migration), target, reopen=reopen)
    if seen and proposal.mark != seen:
        raise Conflict(
            f"The migration changed since you looked, last by {newest_act(migration)}. "
            "Check the list again, then confirm."
        )
    told = proposal.told
    withdrawn = proposal.reopened
    if withdrawn:
        _reopen(migration, proposal, by=by, at=at)
        proposal = propose(copy(migration), target, reopen=False)
    migration.plan_version = target.version
    _write_dates(proposal, before)
    phases = _write_phases(proposal, before)
    _write_tasks(proposal, phases, before)
    _write_gates(proposal, before)
    _drop_phases(proposal, phases)
    _write_conditions(migration, target, before, by=by, at=at)
    clocks.follow_plan(migration, by=by, at=at)
    event = note_event(migration, "migration.upgraded", by=by, at=at, **told)
    # A signature that was withdrawn cannot be given back: only whoever signed can sign.
    undo = {} if withdrawn else undo_of(before, rows_of(migration))
    return Upgraded(told, undo, event.seq)


def _reopen(migration: Migration, proposal: Proposal, *, by: User, at: datetime) -> None:
    new = [task.code for task in proposal.added]
    why = write_text(
        body=f"Version {proposal.target.version.number} of the plan has new tasks under this "
        f"sign-off. New are {listed(new)}.",
        by=by,
        at=at,
    )
    for gate in proposal.reopened:
        gates.end_round(migration, gate, by=by, at=at, reason=why)


def _write_dates(proposal: Proposal, before: Rows) -> None:
    dates = proposal.dates
    for move in dates.moves:
        move.key_date.planned_on, move.key_date.planned_at = move.after.on, move.after.at
    kept = [row for row in dates.rows.values() if row.pk]
    columns = ["plan_key_date_id", "offset", "planned_on", "planned_at"]
    write_rows(proposal.migration, kept, columns, before)
    KeyDate.objects.bulk_create(dates.added)
    KeyDate.objects.filter(pk__in=[row.pk for row in dates.gone]).delete()


def _write_phases(proposal: Proposal, before: Rows) -> dict[str, Phase]:
    """The phases by key, with those that are new, and their counters as the tasks will be."""
    phases = dict(proposal.phases)
    new = [
        Phase(migration=proposal.migration, plan_phase=row, key=key, position=row.position)
        for key, row in proposal.target.phases.items()
        if key not in phases
    ]
    phases |= {phase.key: phase for phase in new}
    counts: dict[str, Counter[str]] = {key: Counter() for key in phases}
    for code, task in proposal.rows.items():
        counts[proposal.phase_of[code]][f"{task.state}_count"] += 1
    for key, phase in phases.items():
        if row := proposal.target.phases.get(key):
            phase.plan_phase, phase.position = row, row.position
        for name in COUNTERS:
            setattr(phase, name, counts[key][name])
    columns = ["plan_phase_id", "position", *COUNTERS]
    write_rows(proposal.migration, proposal.phases.values(), columns, before)
    Phase.objects.bulk_create(new)
    together = sum(counts.values(), Counter())
    Migration.objects.filter(pk=proposal.migration.pk).update(
        plan_version=proposal.target.version, **{name: together[name] for name in COUNTERS}
    )
    return phases


def _write_tasks(proposal: Proposal, phases: dict[str, Phase], before: Rows) -> None:
    Task.objects.filter(pk__in=[task.pk for task in proposal.removed]).delete()
    places = {code: phases[key].pk for code, key in proposal.phase_of.items() if key in phases}
    for task in proposal.rows.values():
        task.phase_id = places[task.code]
    planned = [task for task in proposal.rows.values() if task.pk and task.plan_task_id]
    write_rows(proposal.migration, planned, FOLLOWED, before)
    Task.objects.bulk_create(proposal.added)


def _write_gates(proposal: Proposal, before: Rows) -> None:
    """Gates that nobody has signed follow their plan; what was signed stays what it was."""
    there = list(proposal.gates.values())
    gone = {gate.key: gate for gate in proposal.gates.values() if gate in proposal.gates_gone}
    worked_on = with_history(proposal.migration, "gate", gone)
    drop = [gate for key, gate in gone.items() if key not in worked_on]
    for gate in there:
        row = proposal.target.gates.get(gate.key)
        gate.left_plan = row is None
        if row:
            gate.position = row.position
            if gate not in proposal.held:
                gate.plan_gate = row
    Gate.objects.filter(pk__in=[gate.pk for gate in drop]).delete()
    stay = [gate for gate in there if gate not in drop]
    write_rows(proposal.migration, stay, ["plan_gate_id", "position", "left_plan"], before)
    Gate.objects.bulk_create(proposal.new_gates)


def _drop_phases(proposal: Proposal, phases: dict[str, Phase]) -> None:
    """A phase that left the plan goes with the last of its tasks."""
    needed = set(proposal.target.phases) | {proposal.phase_of[code] for code in proposal.rows}
    empty = [phase.pk for key, phase in phases.items() if key not in needed]
    Phase.objects.filter(pk__in=empty).delete()


def _write_conditions(
    migration: Migration, target: Target, before: Rows, *, by: User, at: datetime
) -> None:
    """Ask what the version asks, and set aside or take up again what the answers say.

    What a signature declared settled stays so: a signed phase does not reopen by itself.
    """
    there = list(migration.conditions.all())
    target.attach("plan_condition", there)
    gone = []
    for row in there:
        if plan_row := target.conditions.get(row.key):
            row.plan_condition = plan_row
        elif row.answer is None or row.plan_condition.system:
            # What somebody answered is kept: a later version may ask it again.
            gone.append(row.pk)
    if there:
        write_rows(migration, there, ["plan_condition_id"], before)
        migration.conditions.filter(pk__in=gone).delete()
    if not (there or target.conditions):
        return
    known = known_answers(
        target.version, source=migration.source_system, target=migration.target_system
    )
    ask_conditions(migration, known, by=by, at=at)
    apply_conditions(migration, by=by, at=at, leave=_declared(migration))


def _declared(migration: Migration) -> set[str]:
    """Codes of what signatures of the present rounds speak for."""
    signed = SignOff.objects.filter(gate__migration=migration).select_related("gate")
    return {
        task["code"]
        for one in signed
        if one.round == one.gate.round
        for task in one.snapshot.get("covers", ())
    }
