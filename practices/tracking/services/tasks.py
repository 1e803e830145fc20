"""What people do with tasks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count as count_from

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Conflict, Refused
from practices.common.models import Text, sha256
from practices.common.services import clean_text, write_text
from practices.common.templatetags.uk import uk_datetime
from practices.common.time import end_of_london_day
from practices.plans.models import PlanTask
from practices.tracking.models import (
    Gate,
    Migration,
    Phase,
    SignOff,
    Task,
)
from practices.tracking.rules import STAGE_DATES
from practices.tracking.waiting import Waits, require_turn

from . import clocks, gates
from ._base import count, lock, lock_task, note_event, require_reason, says, settle

State = Task.State


class SignedOver(Refused):
    """Reopening the task would withdraw sign-offs, so a reason is needed."""

    def __init__(self, gates: list[Gate]) -> None:
        self.gates = gates
        names = ", ".join(f"“{gate.title}”" for gate in gates)
        super().__init__(f"This task is covered by the sign-off {names}. Enter a reason.")


@dataclass(frozen=True)
class Settled:
    """The task after the act; ``changed`` is false when it was so already."""

    task: Task
    changed: bool


@dataclass
class TickedSeveral:
    ticked: list[Task] = field(default_factory=list)
    already: list[Task] = field(default_factory=list)
    refused: list[tuple[Task, str]] = field(default_factory=list)


@transaction.atomic
def tick_task(*, task: Task, by: User, at: datetime) -> Settled:
    """Mark a task done. Doing it again changes nothing and says who did it.

    Raises :class:`Waits` for a task that comes after another one, :class:`Refused` for
    one that records a date or signs a gate: its own page does both at once (decision 6).
    """
    migration, task = lock_task(task)
    return _tick(migration, task, by=by, at=at)


@transaction.atomic
def tick_tasks(
    *, migration: Migration, tasks: Iterable[Task], by: User, at: datetime
) -> TickedSeveral:
    """Tick several tasks of one migration in one act; those refused are named, the rest done."""
    migration = lock(migration)
    locked = (
        Task.objects.select_for_update(of=("self",))
        .filter(migration=migration, pk__in=[task.pk for task in tasks])
        .with_people()
        .order_by("code")
    )
    result = TickedSeveral()
    left = list(locked)
    while left:
        held = []
        for task in left:
            try:
                settled = _tick(migration, task, by=by, at=at)
            except Waits as refusal:
                held.append((task, str(refusal)))
            except Refused as refusal:
                result.refused.append((task, str(refusal)))
            else:
                (result.ticked if settled.changed else result.already).append(task)
        if len(held) == len(left):
            result.refused += held
            break
        # What they wait for may have been done in this very act.
        left = [task for task, _ in held]
    return result


def _tick(migration: Migration, task: Task, *, by: User, at: datetime) -> Settled:
    if task.state == State.DONE:
        return Settled(task, changed=False)
    if task.state == State.NOT_APPLICABLE:
        raise Refused(
            f"{task.code} was set aside by {task.settled_by} as not applicable. Reopen it first."
        )
    if task.records:
        raise Refused(f"{task.code} records a date: enter when it happened.")
    if task.seat:
        raise Refused(f"{task.code} is a sign-off: read the statement and sign it.")
    require_turn(task, at)
    settle(migration, task, State.DONE, by=by, at=at, kind="task.done")
    clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)
    return Settled(task, changed=True)


@transaction.atomic
def reopen_task(
    *, task: Task, seen_version: int, by: User, at: datetime, reason: str = ""
) -> Settled:
    """Undo: a task done, blocked or set aside is to do again.

    A sign-off that declared it settled is withdrawn in the same act, which needs a reason.
    Raises :class:`Conflict` when it changed since ``seen_version``,
    :class:`SignedOver` when the reason is missing.
    """
    migration, task = lock_task(task)
    if task.state == State.OPEN:
        return Settled(task, changed=False)
    if task.version != seen_version:
        raise Conflict(
            f"{task.code} has changed since you opened the page: it is now "
            f"{task.get_state_display().lower()}, by {task.settled_by} on "
            f"{uk_datetime(task.settled_at)}. Check it, then decide."
        )
    was_done = task.state == State.DONE
    if was_done and task.records:
        raise Refused(f"{task.code} recorded a date: correct the date on the key dates page.")
    if was_done and task.seat:
        raise Refused(f"{task.code} is a sign-off: withdraw it on its sign-off page.")
    why = write_text(body=reason, by=by, at=at) if clean_text(reason) else None
    signed = list(signed_gates_over(task))
    for gate in signed:
        if why is None:
            raise SignedOver(signed)
        gates.end_round(migration, gate, by=by, at=at, reason=why)
    settle(migration, task, State.OPEN, by=by, at=at, reason=why, kind="task.reopened")
    if was_done:
        clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)
    return Settled(task, changed=True)


def signed_gates_over(task: Task) -> QuerySet[Gate]:
    """Gates whose present signatures say that this task is settled; one seat of several is enough.

    What a signature says is what its snapshot holds. One that accepted the task as
    open or blocked declared nothing that reopening it would make untrue.
    """
    settled = Q()
    for state in (State.DONE, State.NOT_APPLICABLE):
        settled |= Q(snapshot__covers__contains=[{"code": task.code, "state": state}])
    signature = SignOff.objects.filter(settled, gate=OuterRef("pk"), round=OuterRef("round"))
    return Gate.objects.filter(Exists(signature), migration=task.migration).select_related(
        "plan_gate"
    )


@transaction.atomic
def set_task_aside(*, task: Task, reason: str, by: User, at: datetime) -> Settled:
    """Mark a task not applicable here, with the reason.

    Raises :class:`Refused` for a task the migration cannot do without: one that
    records the dates its stages hang on, or signs a gate that always holds something up.
    """
    require_reason(reason, "setting the task aside")
    migration, task = lock_task(task)
    if task.state == State.NOT_APPLICABLE:
        return Settled(task, changed=False)
    _must_not_be_done(task)
    if not task.left_plan and is_indispensable(task.plan_task):
        raise Refused(f"{task.code} cannot be set aside: later steps depend on it.")
    why = write_text(body=reason, by=by, at=at)
    settle(
        migration, task, State.NOT_APPLICABLE, by=by, at=at, reason=why, kind="task.not_applicable"
    )
    return Settled(task, changed=True)


def is_indispensable(plan_task: PlanTask | None) -> bool:
    """Whether later steps always depend on what the plan asks here: it cannot be set aside."""
    if plan_task is None:
        return False
    gate = plan_task.signs.gate if plan_task.signs else None
    return plan_task.records in STAGE_DATES or bool(gate and gate.blocks and not gate.condition)


@transaction.atomic
def block_task(*, task: Task, reason: str, by: User, at: datetime) -> Settled:
    """Say that a task cannot be done now, and why."""
    require_reason(reason, "saying it is blocked")
    migration, task = lock_task(task)
    _must_not_be_done(task)
    if task.state == State.NOT_APPLICABLE:
        # A signature may speak for it as it is; reopening looks for one.
        raise Refused(f"{task.code} is marked not applicable. Reopen it first.")
    if task.state == State.BLOCKED and says(task.reason, reason):
        return Settled(task, changed=False)
    why = write_text(body=reason, by=by, at=at)
    settle(migration, task, State.BLOCKED, by=by, at=at, reason=why, kind="task.blocked")
    return Settled(task, changed=True)


def _must_not_be_done(task: Task) -> None:
    if task.state == State.DONE:
        raise Refused(f"{task.code} is already done, by {task.settled_by}. Reopen it first.")


@transaction.atomic
def assign_task(
    *,
    task: Task,
    assignee: User | None,
    by: User,
    at: datetime,
    seen_version: int | None = None,
) -> Task:
    """Give a task to one person, or back to everybody of its owner role.

    Raises :class:`Conflict` when it changed since ``seen_version``.
    """
    migration, task = lock_task(task)
    _must_work_here(migration, assignee)
    if task.assignee_id == (assignee.pk if assignee else None):
        return task
    if seen_version not in (None, task.version):
        raise Conflict(
            f"{task.code} changed while you looked at it: it is now with "
            f"{task.assignee or 'nobody'}. Save again to change that."
        )
    before, task.assignee = task.assignee_id, assignee
    task.version += 1
    task.save(update_fields=["assignee", "version"])
    note_event(
        migration,
        "task.assigned",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        before=before,
        after=assignee.pk if assignee else "nobody",
    )
    return task


def _must_work_here(migration: Migration, assignee: User | None) -> None:
    if assignee is not None and not migration.allows(assignee, Permission.WORK_OWN_TASKS):
        raise Refused(f"{assignee} has no part in this migration, so cannot be given its tasks.")


@transaction.atomic
def add_task(
    *,
    phase: Phase,
    title: str,
    guidance: str,
    owner: str,
    due_on: date,
    assignee: User | None,
    by: User,
    at: datetime,
) -> Task:
    """Add a task of this migration's own; it keeps its date when anchors move.

    Raises :class:`Refused` when the phase already has one of that title to do.
    """
    if not clean_text(title):
        raise Refused("Enter what is to be done.")
    migration = lock(phase.migration)
    _must_work_here(migration, assignee)
    same = phase.tasks.open().filter(own_title__sha256=sha256(clean_text(title))).first()
    if same:
        raise Refused(f"This phase already has that task, as {same.code}.")
    codes = set(migration.tasks.filter(code__startswith="OWN-").values_list("code", flat=True))
    code = next(code for number in count_from(1) if (code := f"OWN-{number:02}") not in codes)
    last = phase.tasks.aggregate(last=Max("position"))["last"] or 0
    words: Text = write_text(body=title, by=by, at=at)
    task = Task.objects.create(
        migration=migration,
        phase=phase,
        code=code,
        position=last + 1,
        own_title=words,
        own_guidance=write_text(body=guidance, by=by, at=at) if clean_text(guidance) else None,
        owner=owner,
        due_on=due_on,
        due_at=end_of_london_day(due_on),
        pinned=True,
        assignee=assignee,
    )
    count(migration, phase.pk, None, State.OPEN)
    note_event(
        migration,
        "task.added",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        title=words,
        guidance=task.own_guidance,
    )
    return task
