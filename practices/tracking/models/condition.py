"""What is known about a practice that decides which tasks of its plan apply to it."""

from typing import Any, ClassVar

from django.db import models

from practices.accounts.models import User
from practices.common.history import tracked
from practices.plans.models import PlanCondition

from .migration import Migration


@tracked()
class MigrationCondition(models.Model):
    """A condition of the plan as it was answered for one migration.

    ``answer`` is empty while it is not known; ``by`` and ``at`` are of the last answer,
    also of the answer that it is not known.
    """

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="conditions")
    plan_condition = models.ForeignKey(PlanCondition, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    answer = models.BooleanField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["plan_condition__position"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["migration", "key"], name="migration_condition_once")
        ]

    def __str__(self) -> str:
        return self.plan_condition.title
