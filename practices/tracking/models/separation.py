"""What one supplier writes, the other does not read."""

from typing import Self, TypeVar

from django.db import models

from practices.accounts.models import User
from practices.accounts.roles import Owner

from .migration import Migration

_Row = TypeVar("_Row", bound="OneSided")


class OneSidedQuerySet(models.QuerySet[_Row]):
    def readable_by(self, user: User, migration: Migration) -> Self:
        """Those of one migration that this person may read."""
        closed = migration.closed_to(user)
        return self.exclude(written_as=closed) if closed else self


class OneSided(models.Model):
    """Something that may be of one supplier alone: a note, evidence.

    ``written_as`` is the supplier its writer acted for as they wrote it
    (``Migration.side_of``); empty means that everybody who sees the migration reads
    it. It is kept, not looked up: somebody who changes to the other supplier takes
    no notes with them, and somebody who leaves does not open theirs to the other
    (guide.md D.1: a supplier never sees the other supplier's notes).
    """

    written_as = models.CharField(max_length=25, choices=Owner, blank=True)

    class Meta:
        abstract = True
