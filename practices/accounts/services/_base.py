"""What every write of this room ends with: its event. Events hold ids, never names or addresses."""

from datetime import datetime

from django.db.models import QuerySet

from practices.accounts.models import Invitation, User
from practices.common.services import SITE_STREAM, record_event


def note(kind: str, *, by: User | None, at: datetime, subject: str, **data: object) -> None:
    """One act in the site's chain of events."""
    record_event(stream=SITE_STREAM, kind=kind, by=by, at=at, subject=subject, data=data)


def note_invitation(kind: str, invitation: Invitation, *, by: User | None, at: datetime) -> None:
    """What became of an invitation."""
    note(
        kind,
        by=by,
        at=at,
        subject=f"invitation:{invitation.pk}",
        organisation=invitation.organisation_id,
        role=invitation.role,
    )


def lock_unanswered(found: QuerySet[Invitation]) -> list[Invitation]:
    """Those that nobody has answered, locked.

    The order of locks in this room: people, their roles, organisations, invitations, the chain of
    events. An act with several events locks all its rows before the first of them.
    """
    unanswered = found.filter(accepted_at=None, withdrawn_at=None)
    return list(unanswered.select_for_update(of=("self",)).order_by("pk"))


def take_back(found: list[Invitation], *, by: User | None, at: datetime) -> None:
    """Withdraw invitations that are locked, each with its event."""
    for invitation in found:
        invitation.withdrawn_at = at
        invitation.save(update_fields=["withdrawn_at"])
        note_invitation("invitation.withdrawn", invitation, by=by, at=at)
