"""Whether notifications are still wanted: asked before every attempt.

So nobody is told what has been settled in the meantime.
"""

from dataclasses import dataclass

from practices.accounts.models import Invitation
from practices.accounts.queries import may_still_invite
from practices.common.time import london_date
from practices.tracking.models import ClockRun, Gate, Migration
from practices.tracking.models.clock import CHECK_EVERY
from practices.tracking.rules import GL

from .composing_plan import reminded
from .models import Notification
from .queries import tasks_told
from .standing import Standing

Status = Notification.Status
Kind = Notification.Kind


@dataclass(frozen=True)
class Dropped:
    """Not to be sent: the state the row ends in, and the reason in a sentence."""

    status: str
    why: str


SETTLED = Dropped(Status.CANCELLED, "What it reminds of is done, or the migration is over.")
NOTHING_OVERDUE = Dropped(Status.CANCELLED, "Nothing is overdue any more.")
NOT_WANTED = {
    Status.IN_APP: "They want this in their inbox only.",
    Status.IN_DIGEST: "They want this with the daily mail.",
}


def dropped(row: Notification, standing: Standing) -> Dropped | None:
    """Why ``row``, one of those that ``standing`` is about, is not to be sent any more."""
    return _out_of_reach(row) or _settled(row, standing) or _unwanted(row, standing)


def _unwanted(row: Notification, standing: Standing) -> Dropped | None:
    if row.person_id is None:
        return None
    (status,) = standing.wishes.statuses(row, [row.person_id])
    return None if status == Status.PENDING else Dropped(status, NOT_WANTED[status])


def _out_of_reach(row: Notification) -> Dropped | None:
    if row.person and not row.person.is_active:
        return Dropped(Status.CANCELLED, "The person’s account is closed.")
    if row.contact and (row.contact.removed_at or not row.contact.email):
        return Dropped(Status.CANCELLED, "The contact was removed or has no email address now.")
    if row.person and row.migration and not row.migration.is_visible_to(row.person):
        return Dropped(Status.CANCELLED, "The person may not see this migration any more.")
    return None


def _settled(row: Notification, standing: Standing) -> Dropped | None:
    if row.invitation:
        return _invitation_dropped(row.invitation, row, standing)
    if row.clock_run and row.kind == Kind.ACCESS:
        return _access_check_dropped(row.clock_run, row, standing)
    if row.clock_run:
        return _clock_dropped(row.clock_run, row, standing)
    if row.plan_reminder:
        return _reminder_dropped(row, standing)
    if row.kind == Kind.OVERDUE and row.day != london_date(standing.now):
        return Dropped(Status.SUPERSEDED, "That day is over: the next morning’s mail follows.")
    if row.gate and row.kind == Kind.SIGNED and not _still_signed(row.gate, row):
        return Dropped(Status.CANCELLED, "The sign-off was withdrawn before this was sent.")
    if row.migration and row.kind in (Kind.ASSIGNED, Kind.BLOCKED, Kind.MOVED):
        return _act_dropped(row, row.migration)
    return None


def _act_dropped(row: Notification, migration: Migration) -> Dropped | None:
    if not migration.is_active:
        return Dropped(Status.CANCELLED, "The migration is over.")
    if row.kind == Kind.MOVED:
        go_live = migration.key_dates.get(key=GL)
        if go_live.actual:
            return Dropped(Status.CANCELLED, "Go-live has happened.")
        if go_live.planned_at.isoformat() != row.basis:
            return Dropped(Status.SUPERSEDED, "Go-live was moved again.")
    elif not tasks_told(row):
        return Dropped(Status.CANCELLED, "What it told of the tasks no longer holds.")
    return None


def _still_signed(gate: Gate, row: Notification) -> bool:
    return gate.state == Gate.State.SIGNED and gate.round == row.round


def _invitation_dropped(
    invitation: Invitation, row: Notification, standing: Standing
) -> Dropped | None:
    if not invitation.is_open(standing.now):
        return Dropped(Status.CANCELLED, "The invitation was used or withdrawn, or has expired.")
    if not may_still_invite(invitation):
        return Dropped(Status.CANCELLED, "Whoever sent it may not invite there any more.")
    if invitation.mail_asked_at > row.due_at:
        return Dropped(Status.SUPERSEDED, "The invitation was sent again, with another link.")
    return None


def _clock_dropped(run: ClockRun, row: Notification, standing: Standing) -> Dropped | None:
    if not run.is_running or not run.migration.is_active:
        return Dropped(Status.CANCELLED, "The clock does not run any more.")
    newest = standing.newest_due(run)
    if newest and newest.due_at > row.due_at:
        return Dropped(Status.SUPERSEDED, "A later warning of this clock is due.")
    return None


def _access_check_dropped(run: ClockRun, row: Notification, standing: Standing) -> Dropped | None:
    if run.pk not in standing.unlooked_at:
        return Dropped(Status.CANCELLED, "Somebody has looked, or access has ended.")
    if standing.now - row.due_at >= CHECK_EVERY:
        return Dropped(Status.SUPERSEDED, "It is asked again every week.")
    return None


def _reminder_dropped(row: Notification, standing: Standing) -> Dropped | None:
    if standing.reminder_of(row) is None:
        return Dropped(Status.SUPERSEDED, "The plan of the migration gives it no longer.")
    about = reminded(row, standing)
    if about is None:
        return SETTLED
    if not about.is_newest(row.due_at, standing):
        return Dropped(Status.SUPERSEDED, "The date was moved, or a later reminder is due.")
    return None
