"""What people choose: how they want to be told of what, and what not for a while."""

from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from practices.accounts.models import User
from practices.common.history import tracked
from practices.common.models import Text
from practices.tracking.models import Migration

from .notification import Notification


@tracked()
class NotificationPreference(models.Model):
    """How a person wants one kind of notification; without a row, as ``wishes.USUALLY`` says."""

    class How(models.TextChoices):
        AT_ONCE = "at_once", "A mail at once"
        DAILY = "daily", "With the daily mail, at 08:00 UK time"
        IN_APP = "in_app", "In the inbox only, no mail"

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Notification.Kind)
    how = models.CharField(max_length=10, choices=How)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["person", "kind"], name="preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_kind_display()} {self.get_how_display()}"


class MuteQuerySet(models.QuerySet["Mute"]):
    def on(self, day: date) -> "MuteQuerySet":
        """Those that hold on a London day."""
        return self.filter(lifted_at=None, until__gte=day)


@tracked()
class Mute(models.Model):
    """A project manager wants no mails about one migration until and including a day.

    The inbox still fills, and the end of a clock that has passed is mailed all the same.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="mutes")
    migration = models.ForeignKey(Migration, on_delete=models.PROTECT, related_name="mutes")
    reason = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    until = models.DateField()
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    objects = MuteQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["person", "migration"],
                condition=Q(lifted_at=None),
                name="mute_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} mutes {self.migration_id} until {self.until}"
