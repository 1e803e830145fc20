"""Taking a person who is pseudonymised out of the mails of the outbox."""

from django.db.models import Q

from practices.accounts.models import User

from .models import Notification

Status = Notification.Status


def forget_person(*, person: User) -> None:
    """Remove a pseudonymised person's address, and what mail servers said of it, from the outbox.

    Which mails there were stays. Mails to others that are not sent yet may hold the name: they
    are written anew. Call it in the transaction that pseudonymises, after it.
    """
    unsent = Notification.objects.filter(
        status__in=(Status.PENDING, Status.SENDING), content__isnull=False
    )
    # An address that is not the recipient's makes the sender write the mail anew.
    unsent.update(content=b"", address=person.email)
    theirs = Notification.objects.filter(Q(person=person) | Q(invitation__email=person.email))
    theirs.exclude(address="").update(address=person.email)
    theirs.update(smtp_reply="", last_error="")
