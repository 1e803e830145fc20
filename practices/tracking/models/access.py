"""Reading the old system after go-live: longer access that was agreed, and whether it is there."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.history import AppendOnly
from practices.common.models import Text

from .migration import Migration

# Who has a say in longer access: the sources differ, so each is recorded (guide.md K.6).
PARTIES = (Owner.COMMISSIONER, Owner.TARGET_SUPPLIER, Owner.SOURCE_SUPPLIER)


def _words() -> "models.ForeignKey[Text | None, Text | None]":
    return models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")


class AccessExtension(AppendOnly):
    """Another end of old-system access than the plan's, as agreed (guide.md C: G6a).

    Each party has a text that says who spoke for it, and the day it agreed. The
    run of the access clock that ends on ``until`` refers to it.
    """

    migration = models.ForeignKey(
        Migration, on_delete=models.PROTECT, related_name="access_extensions"
    )
    key = models.CharField(max_length=40, help_text="of the clock")
    until = models.DateField(help_text="the last day of access")
    cost = models.DecimalField(max_digits=9, decimal_places=2, null=True, help_text="pounds")
    reason = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    commissioner = _words()
    commissioner_on = models.DateField(null=True)
    target_supplier = _words()
    target_supplier_on = models.DateField(null=True)
    source_supplier = _words()
    source_supplier_on = models.DateField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(**{f"{party}__isnull": True, f"{party}_on__isnull": True})
                | Q(**{f"{party}__isnull": False, f"{party}_on__isnull": False}),
                name=f"extension_{party}_whole",
            )
            for party in PARTIES
        ] + [
            models.CheckConstraint(
                condition=Q(cost=None) | Q(cost__gte=0), name="extension_cost_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"until {self.until:%d %B %Y}"

    @property
    def agreed_with(self) -> list[tuple[str, Text, Any]]:
        """Each party that agreed: what it is, who spoke for it, and when."""
        return [
            (party.label, words, getattr(self, f"{party}_on"))
            for party in PARTIES
            if (words := getattr(self, party))
        ]


class AccessCheck(AppendOnly):
    """Somebody looked whether the old system can still be read."""

    migration = models.ForeignKey(Migration, on_delete=models.PROTECT, related_name="access_checks")
    checked_on = models.DateField()
    is_there = models.BooleanField()
    note = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        ordering: ClassVar[list[str]] = ["checked_on", "pk"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["migration", "checked_on"], name="access_checked")
        ]

    def __str__(self) -> str:
        return f"{self.checked_on:%d %B %Y}: {'there' if self.is_there else 'not there'}"
