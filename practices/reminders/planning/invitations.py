"""The mail of each open invitation."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from practices.accounts.models import Invitation, InvitationQuerySet
from practices.common.prepared import Instant, prepared
from practices.reminders.models import Notification

from .outbox import Draft, To, add


def invitations(now: datetime) -> None:
    """The present mail of each open invitation; asking for it again makes another one."""
    if not (found := _unmailed(now=now)):
        return
    drafts = (
        Draft(
            subject=f"invitation:{invitation.pk}:{invitation.nonce}",
            to=[To()],
            due_at=invitation.mail_asked_at,
            kind=Notification.Kind.INVITATION,
            invitation_id=invitation.pk,
        )
        for invitation in Invitation.objects.filter(pk__in=found)
    )
    add(drafts, now)


@prepared
def _unmailed(now: Instant) -> InvitationQuerySet:
    said = Notification.objects.filter(
        invitation=OuterRef("pk"), due_at__gte=OuterRef("mail_asked_at")
    )
    return Invitation.objects.open(now).filter(~Exists(said))
