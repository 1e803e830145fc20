"""What every write of this room does first and last: lock, re-check, count, record."""

from datetime import datetime
from typing import Any

from django.db.models import F

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import Event, Text, sha256
from practices.common.services import clean_text, locked, record_event, text_reference
from practices.common.templatetags.uk import uk_datetime
from practices.tracking.models import Migration, Phase, Task
from practices.tracking.rules import TRANSITIONS

from .due_times import due_again


def lock(migration: Migration) -> Migration:
    """The migration with its row locked: everything about it waits for this one.

    Raises :class:`Refused` when the migration is over.
    """
    fresh = lock_ended_too(migration)
    if not fresh.is_active:
        raise Refused(over(fresh))
    return fresh


def over(migration: Migration) -> str:
    """What is said of a migration that is finished, cancelled or deleted."""
    state = migration.get_state_display().lower()
    return f"This migration is {state}, so nothing in it can be changed."


def lock_ended_too(migration: Migration) -> Migration:
    """The same for the one act that is possible in a migration that is over: hiding."""
    # Only what nearly every act looks at: joins are most of what a tick costs.
    joined = Migration.objects.select_related(
        "plan_version__plan", "source_system", "target_system"
    )
    return locked(joined, migration.pk)


def lock_task(task: Task) -> tuple[Migration, Task]:
    """A task as it is now, under its migration's lock (decision 9: migration first, then tasks).

    Raises Conflict when the migration was moved to a version of its plan without that task.
    """
    migration = lock(task.migration)
    fresh = (
        Task.objects.select_for_update(of=("self",))
        .select_related("plan_task__signs", "settled_by")
        .filter(pk=task.pk)
        .first()
    )
    if fresh is None:
        raise Conflict(
            f"{task.code} is not in the plan any more: this migration has just been moved to "
            f"version {migration.plan_version.number} of it."
        )
    fresh.migration = migration
    return migration, fresh


def require_reason(reason: str, what: str) -> None:
    """Raise :class:`Refused` when no reason was given."""
    if not clean_text(reason):
        raise Refused(f"Enter a reason for {what}.")


def says(text: Text | None, words: str) -> bool:
    """Whether these words were already kept: the same form sent twice is one act."""
    return text is not None and text.sha256 == sha256(clean_text(words))


def move(migration: Migration, act: str) -> None:
    """Apply one allowed transition, or refuse it in words."""
    after = TRANSITIONS.get((migration.state, act))
    if after is None:
        raise Refused(
            f"A migration in the state “{migration.get_state_display()}” does not allow this."
        )
    migration.state = after


def note_event(
    migration: Migration,
    kind: str,
    *,
    by: User | None,
    at: datetime,
    subject: str = "",
    **data: Any,
) -> Event:
    """One act in the migration's chain; texts are given as rows and kept as references."""
    plain = {
        key: text_reference(value) if isinstance(value, Text) else value
        for key, value in data.items()
        if value is not None
    }
    return record_event(
        stream=migration.stream, kind=kind, by=by, at=at, subject=subject, data=plain
    )


def newest_act(migration: Migration) -> str:
    """Who did something here last, and when, as words within a sentence."""
    event = Event.objects.of(migration.stream).newest_first()[0]
    return f"{event.by or 'the system'} on {uk_datetime(event.at)}"


def settle(
    migration: Migration,
    task: Task,
    state: str,
    *,
    by: User,
    at: datetime,
    reason: Text | None = None,
    kind: str,
    **data: Any,
) -> None:
    """Move a locked task to a state, with its counters and its event.

    One that is to do again falls due as the key dates and what it waits for are now.
    """
    before = task.state
    task.state = state
    task.settled_by, task.settled_at = (None, None) if state == Task.State.OPEN else (by, at)
    task.reason = reason
    task.fell_away = False
    task.version += 1
    changed = ["state", "settled_by", "settled_at", "reason", "fell_away", "version"]
    if state == Task.State.OPEN and task.anchor and not task.pinned:
        # Dates may have moved while it was done.
        again = due_again(migration, task)
        task.due_on, task.due_at = again.on, again.at
        changed += ["due_on", "due_at"]
    task.save(update_fields=changed)
    count(migration, task.phase_id, before, state)
    note_event(
        migration,
        kind,
        by=by,
        at=at,
        subject=f"task:{task.code}",
        before=before,
        after=state,
        reason=reason,
        **data,
    )


def count(migration: Migration, phase_id: int, before: str | None, after: str) -> None:
    """Keep the counters of phase and migration in the same transaction as the act."""
    if before == after:
        return
    change: dict[str, Any] = {f"{after}_count": F(f"{after}_count") + 1}
    if before is not None:
        change[f"{before}_count"] = F(f"{before}_count") - 1
    Phase.objects.filter(pk=phase_id).update(**change)
    Migration.objects.filter(pk=migration.pk).update(**change)
