"""Old-system access after go-live: another end that was agreed, and whether it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.errors import Conflict, Refused
from practices.common.services import clean_text, write_text
from practices.common.templatetags.uk import uk_date
from practices.common.time import london_date
from practices.tracking.models import (
    PARTIES,
    AccessCheck,
    AccessExtension,
    ClockRun,
    Migration,
)

from . import clocks
from ._base import lock, note_event, require_reason, says
from .due_times import apply_task_moves, task_moves
from .replanning import (
    apply_date_moves,
    date_moves,
    dates_of,
    moves_told,
)

# A typing slip in the year would keep everybody from asking for years.
FARTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Agreement:
    """What was agreed about access: its last day, its cost in pounds, why, and with whom.

    ``parties`` says who spoke for each party (see ``PARTIES``), and on which day.
    """

    until: date
    reason: str
    cost: Decimal | None
    parties: Mapping[Owner, tuple[str, date]]


def access_run(migration: Migration) -> ClockRun | None:
    """The running clock of old-system access."""
    return migration.clock_runs.running().of_access().select_related("extension").first()


@transaction.atomic
def extend_access(
    *, migration: Migration, agreement: Agreement, seen: int, by: User, at: datetime
) -> int:
    """Record another end of old-system access, as agreed; again where it was extended before.

    The access clock counts anew, from go-live to that day, and with it move the planned
    end and the open tasks that hang on it. ``seen`` is the attempt of the clock that
    the person saw. Gives the number of tasks that moved.

    Raises :class:`Conflict` when another end was agreed meanwhile, :class:`Refused` where
    access is not running, nobody agreed, or the day is over or is the end already.
    """
    migration = lock(migration)
    run = access_run(migration)
    if run is None:
        raise Refused("Old-system access is not running: it begins with go-live.")
    if run.attempt != seen:
        raise Conflict(
            f"The end of access has changed while you looked: it is {uk_date(run.ends_on)} now. "
            "Check it, then decide."
        )
    _check(agreement, run, today=london_date(at))
    extension = AccessExtension.objects.create(
        migration=migration,
        key=run.key,
        until=agreement.until,
        cost=agreement.cost,
        reason=write_text(body=agreement.reason, by=by, at=at),
        by=by,
        at=at,
        **_agreed(agreement, by=by, at=at),
    )
    clocks.void(migration, run, by=by, at=at, extended=True)
    clocks.start(migration, run.plan_clock, run.started_at, extension=extension, by=by, at=at)
    dates = dates_of(migration)
    moved = date_moves(migration, dates, {})
    apply_date_moves(moved)
    anchors = {row.key: row.moment for row in dates.values()}
    tasks = task_moves(migration, anchors, {m.key_date.key for m in moved})
    apply_task_moves(tasks)
    note_event(
        migration,
        "access.extended",
        by=by,
        at=at,
        subject=f"clock:{run.key}",
        before=run.ends_on.isoformat(),
        after=agreement.until.isoformat(),
        cost=None if agreement.cost is None else str(agreement.cost),
        agreed={party: on.isoformat() for party, (_, on) in agreement.parties.items()},
        reason=extension.reason,
        **{party: getattr(extension, party) for party in PARTIES},
        **moves_told(moved, tasks),
    )
    return len(tasks)


def _check(agreement: Agreement, run: ClockRun, *, today: date) -> None:
    require_reason(agreement.reason, "the new end of access")
    if agreement.until < today:
        raise Refused("Access cannot end on a day that is over. Enter today or a later day.")
    if agreement.until > run.ends_on + FARTHEST:
        raise Refused(
            f"That is more than a year after {uk_date(run.ends_on)}, when access ends as things "
            "stand. Check the year."
        )
    if agreement.until == run.ends_on:
        raise Refused(f"Access ends on {uk_date(run.ends_on)} already.")
    named = [who for who, _ in agreement.parties.values() if clean_text(who)]
    if not named or len(named) < len(agreement.parties):
        raise Refused("Enter who agreed to it, and when.")
    if any(on > today for _, on in agreement.parties.values()):
        raise Refused("The day somebody agreed is still in the future.")


def _agreed(agreement: Agreement, *, by: User, at: datetime) -> dict[str, object]:
    found: dict[str, object] = {}
    for party, (who, on) in agreement.parties.items():
        found[party] = write_text(body=who, by=by, at=at)
        found[f"{party}_on"] = on
    return found


@transaction.atomic
def check_access(
    *, migration: Migration, checked_on: date, is_there: bool, note: str, by: User, at: datetime
) -> AccessCheck:
    """Say whether the old system could be read on a day: asked for every week (issue 4).

    An answer of no stops nothing; it is shown until somebody says yes again. The same
    answer sent twice is kept once. Raises :class:`Refused` where access is not running,
    or for a day before go-live or in the future.
    """
    migration = lock(migration)
    run = access_run(migration)
    if run is None:
        raise Refused("Old-system access is not running, so there is nothing to check.")
    if checked_on > london_date(at):
        raise Refused("That is still in the future. Enter the day you looked.")
    if checked_on < london_date(run.started_at):
        raise Refused(f"That is before go-live, which was {uk_date(london_date(run.started_at))}.")
    last = migration.access_checks.select_related("note").filter(by=by).last()
    if last and (last.checked_on, last.is_there) == (checked_on, is_there):
        same = says(last.note, note) if clean_text(note) else last.note is None
        if same:
            return last
    check = AccessCheck.objects.create(
        migration=migration,
        checked_on=checked_on,
        is_there=is_there,
        note=write_text(body=note, by=by, at=at) if clean_text(note) else None,
        by=by,
        at=at,
    )
    note_event(
        migration,
        "access.checked",
        by=by,
        at=at,
        subject=f"clock:{run.key}",
        checked_on=checked_on.isoformat(),
        is_there=is_there,
        note=check.note,
    )
    return check
