"""How a migration ends: finished, cancelled, or deleted because it was a mistake."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Refused
from practices.common.models import Event, Text
from practices.common.services import write_text
from practices.tracking.models import Gate, Migration
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import FDP, TRANSITIONS

from . import clocks
from ._base import lock, move, note_event, over, require_reason
from .gates import blocking

# What may have happened in a migration that was started by mistake.
NO_WORK = (
    "migration.started",
    "migration.manager_changed",
    "dates.replanned",
    "contact.added",
    "contact.changed",
    "contact.removed",
    "counters.corrected",
)

ABORT, CANCEL, DELETE, FINISH = f"clear {FDP}", "cancel", "delete", "finish"
# The stage each is possible at, in words.
ONLY = {
    ABORT: "A cut-over is aborted after final data production is recorded and before go-live is",
    CANCEL: "A migration is cancelled before final data production is recorded",
    DELETE: "A migration is deleted before final data production is recorded",
}


def missing_for(migration: Migration, act: str) -> list[str]:
    """What stands against ending a migration, or its cut-over, a sentence each."""
    if not migration.is_active:
        return [over(migration)]
    if act == FINISH:
        return _missing_to_finish(migration)
    if (migration.state, act) not in TRANSITIONS:
        return [f"{ONLY[act]}. This one is in the state “{migration.get_state_display()}”."]
    if act == DELETE and has_work(migration):
        return ["Work has been recorded in this migration: cancel it instead."]
    return []


@transaction.atomic
def cancel_migration(*, migration: Migration, reason: str, by: User, at: datetime) -> Migration:
    """Stop a migration that will not happen; it stays readable, and the practice is free."""
    require_reason(reason, "cancelling the migration")
    return _end(lock(migration), CANCEL, reason, by=by, at=at)


@transaction.atomic
def delete_migration(*, migration: Migration, reason: str, by: User, at: datetime) -> Migration:
    """Delete a migration started by mistake, before any work was done in it.

    It disappears from every list; its rows and its history stay in the database.
    """
    require_reason(reason, "deleting the migration")
    return _end(lock(migration), DELETE, reason, by=by, at=at)


def has_work(migration: Migration) -> bool:
    """Whether anybody has done more than start it, plan its dates and say who to call."""
    return Event.objects.of(migration.stream).exclude(kind__in=NO_WORK).exists()


@transaction.atomic
def finish_migration(*, migration: Migration, by: User, at: datetime) -> Migration:
    """Close a migration whose old-system access has ended and whose gates are signed.

    Raises :class:`Refused` naming what still holds it open.
    """
    return _end(lock(migration), FINISH, "", by=by, at=at)


def _missing_to_finish(migration: Migration) -> list[str]:
    missing = []
    if migration.state != Migration.State.ACCESS_ENDED:
        missing.append("Record the end of old-system access first: a migration is closed after it.")
    waiting = blocking(migration, "finish")
    if waiting:
        names = ", ".join(f"“{gate.title}”" for gate in waiting)
        missing.append(f"These sign-offs are still needed before it can be closed: {names}.")
    unfinished = holding_open(migration).count()
    if unfinished:
        missing.append(
            f"{unfinished} mandatory task{'s are' if unfinished > 1 else ' is'} not finished. "
            "Do them, or mark them not applicable with a reason."
        )
    return missing


def holding_open(migration: Migration) -> TaskQuerySet:
    """Mandatory tasks not finished, but for the signing of what went ahead without."""
    passed = migration.gates.filter(state=Gate.State.BYPASSED).values("plan_gate")
    asked_for = migration.tasks.asked_for().filter(mandatory=True)
    return asked_for.exclude(plan_task__signs__gate__in=passed)


def _end(migration: Migration, act: str, reason: str, *, by: User, at: datetime) -> Migration:
    if missing := missing_for(migration, act):
        raise Refused(" ".join(missing))
    move(migration, act)
    why: Text | None = write_text(body=reason, by=by, at=at) if reason else None
    migration.ended_at, migration.end_reason = at, why
    migration.save(update_fields=["state", "ended_at", "end_reason"])
    note_event(migration, f"migration.{migration.state}", by=by, at=at, reason=why)
    clocks.end_all(migration, by=by, at=at)
    return migration
