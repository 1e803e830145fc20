"""What upper rooms tell the pages of a migration."""

from collections.abc import Callable
from datetime import date, datetime

from practices.accounts.models import User

from .models import Migration

MutedUntil = Callable[[Migration, User, datetime], date | None]
_muted_until: list[MutedUntil] = []


def register_muting(tell: MutedUntil) -> None:
    """Say who has muted which migration; called by an upper room's ``AppConfig.ready``."""
    _muted_until.append(tell)


def muted_until(migration: Migration, user: User, now: datetime) -> date | None:
    """The last day on which this person gets no mails about it."""
    return next((day for tell in _muted_until if (day := tell(migration, user, now))), None)
