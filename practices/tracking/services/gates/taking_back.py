"""Withdrawing signatures: a round ends, nothing is deleted."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Conflict, Refused
from practices.common.models import Text
from practices.common.services import write_text
from practices.tracking.models import Gate, Migration, Task, Withdrawal
from practices.tracking.services import clocks
from practices.tracking.services._base import lock, note_event, require_reason, settle

from .taking_up import take_up
from .waiting import fresh


@transaction.atomic
def withdraw_sign_off(
    *, gate: Gate, reason: str, by: User, at: datetime, seen_round: int | None = None
) -> Withdrawal:
    """Take a gate's signatures back: the gate waits again, nothing is deleted.

    Raises :class:`Conflict` when another round than ``seen_round`` is under way.
    """
    require_reason(reason, "withdrawing the sign-off")
    migration = lock(gate.migration)
    gate = fresh(gate, migration)
    if seen_round not in (None, gate.round):
        raise Conflict("It was withdrawn and begun again while you looked. Check it, then decide.")
    why = write_text(body=reason, by=by, at=at)
    return end_round(migration, gate, by=by, at=at, reason=why)


def may_withdraw(gate: Gate, user: User) -> bool:
    """Whoever could fill one of the gate's seats may take its signatures back."""
    roles = {role for seat in gate.plan_gate.seats.all() for role in seat.roles}
    return gate.migration.allows(user, Permission.SIGN) and bool(
        gate.migration.roles_of(user) & roles
    )


def round_has_begun(gate: Gate) -> bool:
    """Whether anybody signed in the present round, or recorded going ahead without."""
    return (
        gate.sign_offs.filter(round=gate.round).exists()
        or gate.bypasses.filter(round=gate.round).exists()
    )


def end_round(
    migration: Migration, gate: Gate, *, by: User, at: datetime, reason: Text
) -> Withdrawal:
    """Close the present round of a locked gate and reopen the tasks that signed it.

    It waits again as the migration's version of the plan has it.
    """
    if not round_has_begun(gate):
        raise Refused("There is no signature to withdraw.")
    withdrawal = Withdrawal.objects.create(gate=gate, round=gate.round, by=by, at=at, reason=reason)
    ended, gate.round, gate.state = gate.round, gate.round + 1, Gate.State.WAITING
    gate.save(update_fields=["round", "state"])
    signing = list(
        migration.tasks.filter(
            plan_task__signs__gate=gate.plan_gate, left_plan=False, state=Task.State.DONE
        )
    )
    added = take_up(migration, gate)
    note_event(
        migration,
        "gate.withdrawn",
        by=by,
        at=at,
        subject=f"gate:{gate.key}",
        round=ended,
        reason=reason,
        added=added or None,
    )
    for task in signing:
        task.refresh_from_db()
        settle(migration, task, Task.State.OPEN, by=by, at=at, reason=reason, kind="task.reopened")
        clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)
    return withdrawal
