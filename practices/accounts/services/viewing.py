"""Seeing pages as another person does: only looking, and written down."""

from datetime import datetime, timedelta

from django.db import transaction

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Refused

from ._base import note

LONGEST_VIEW = timedelta(minutes=30)


def may_be_viewed(person: User, by: User) -> bool:
    """Never another administrator, never oneself, and nobody whose account is closed."""
    return (
        by.may(Permission.MANAGE_ACCOUNTS)
        and person.is_active
        and person != by
        and not person.may(Permission.MANAGE_ACCOUNTS)
    )


@transaction.atomic
def start_viewing(*, person: User, by: User, at: datetime) -> None:
    """Record that an administrator begins to see pages as ``person`` does.

    Raises :class:`Refused` for another administrator and for a closed account.
    """
    if not may_be_viewed(person, by):
        raise Refused(f"You cannot look at pages as {person}.")
    note("viewing.started", by=by, at=at, subject=f"person:{person.pk}")


@transaction.atomic
def stop_viewing(*, person_id: int, by: User, at: datetime) -> None:
    """Record that it ended: by the button, by time, or because a right has gone."""
    note("viewing.stopped", by=by, at=at, subject=f"person:{person_id}")
