"""Taking an upgrade back, as long as nobody has worked on the migration since."""

from datetime import datetime
from typing import Any

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.common.templatetags.uk import uk_datetime
from practices.tracking.models import ClockRun, Migration, UpgradeItem
from practices.tracking.services import clocks
from practices.tracking.services._base import lock, note_event

from .rows import put_back


@transaction.atomic
def undo_upgrade(*, item: UpgradeItem, by: User, at: datetime) -> UpgradeItem:
    """Give a migration back the version it had, with every row as it was.

    Only versions of tasks and attempts of clocks go on counting, and the history stays. Undoing
    it twice is one act. Raises :class:`Conflict` naming who did what since, :class:`Refused`
    where it withdrew signatures: these only the signers can give again.
    """
    migration = lock(item.migration)
    item = UpgradeItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if item.state == UpgradeItem.State.UNDONE:
        return item
    if item.state != UpgradeItem.State.DONE:
        raise Refused("This migration was not moved, so there is nothing to undo.")
    require_undoable(item, migration)
    started = item.undo.get(ClockRun._meta.db_table, {}).get("added", ())
    for run in migration.clock_runs.filter(pk__in=started).exclude(state=ClockRun.State.VOID):
        clocks.void(migration, run, by=by, at=at)
    put_back(migration, item.undo)
    numbers: dict[str, Any] = {"from": item.run.version.number, "to": item.from_version.number}
    event = note_event(migration, "migration.upgrade_undone", by=by, at=at, **numbers)
    item.state, item.undo, item.seq, item.problem = UpgradeItem.State.UNDONE, {}, event.seq, ""
    item.save(update_fields=["state", "undo", "seq", "problem"])
    return item


def require_undoable(item: UpgradeItem, migration: Migration) -> None:
    """Raise :class:`Refused` where a move cannot be undone, or not any more: see the above."""
    if not item.undo:
        raise Refused(
            "It withdrew sign-offs, which only those who signed can give again. "
            "It cannot be undone."
        )
    since = Event.objects.of(migration.stream).filter(seq__gt=item.seq or 0)
    first = since.order_by("seq").select_related("by").first()
    if first is not None:
        from practices.tracking.sentences import lines

        line = lines(migration, [first])[0]
        raise Conflict(
            f"Somebody has worked on it since, so it cannot be undone. "
            f"{line.by}, {uk_datetime(line.at)}: {line.said}."
        )
