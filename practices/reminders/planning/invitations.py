"""The mail of each open invitation."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from practices.accounts.models import Invitation
from practices.reminders.models import Notification

from .outbox import add, new


def invitations(now: datetime) -> None:
    """The present mail of each open invitation; asking for it again makes another one."""
    said = Notification.objects.filter(
        invitation=OuterRef("pk"), due_at__gte=OuterRef("mail_asked_at")
    )
    rows = (
        new(
            f"invitation:{invitation.pk}:{invitation.nonce}",
            invitation.mail_asked_at,
            kind=Notification.Kind.INVITATION,
            invitation_id=invitation.pk,
        )
        for invitation in Invitation.objects.open(now).filter(~Exists(said))
    )
    add(rows, now)
