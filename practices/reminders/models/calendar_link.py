"""Secret addresses of calendars."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from practices.accounts.models import User
from practices.common.history import tracked
from practices.tracking.models import Migration


@tracked(exclude=("used_at",))
class CalendarLink(models.Model):
    """A secret address from which calendar programs read dates: a person's, or a migration's.

    Only the digest of its token is kept, so a copy of the database opens no calendar
    (docs/adr/0010). What it shows is decided anew each time by what its person may see then.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calendar_links")
    migration = models.ForeignKey(
        Migration,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="none: all that the person sees, and their own tasks",
    )
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True, help_text="last read, to the hour")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(migration=None, revoked_at=None),
                name="one_calendar_link_of_a_person",
            ),
            models.UniqueConstraint(
                fields=["person", "migration"],
                condition=Q(migration__isnull=False, revoked_at=None),
                name="one_calendar_link_for_a_migration",
            ),
        ]

    def __str__(self) -> str:
        return f"calendar link {self.pk}"
