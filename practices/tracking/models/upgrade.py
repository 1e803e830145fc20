"""Moving running migrations to another version of their plan: what was asked, what became of it."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from practices.accounts.models import User
from practices.common.models import Job
from practices.plans.models import PlanVersion

from .migration import Migration


class UpgradeRun(models.Model):
    """One wish to move migrations to a version; each of them is an item with its own outcome.

    ``reopen``: signed phases reopen where the version has new tasks in them. ``chosen`` says in
    words how the migrations were chosen. A single one is moved at once, without a job.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    reopen = models.BooleanField(default=False)
    chosen = models.CharField(max_length=300, blank=True)
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="+")
    undo_job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"to {self.version}"


class UpgradeItem(models.Model):
    """What became of one migration of a run.

    ``report`` holds what changed, by code and key; ``undo`` the rows as they were, until it is
    undone. ``seq`` is the event it ended with: as long as that is the newest, nobody has worked on
    the migration since.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Moved"
        FAILED = "failed", "Not moved"
        UNDONE = "undone", "Undone"

    run = models.ForeignKey(UpgradeRun, on_delete=models.CASCADE, related_name="items")
    migration = models.ForeignKey(Migration, on_delete=models.PROTECT, related_name="upgrades")
    from_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    problem = models.TextField(blank=True, help_text="one sentence: why not moved, or not undone")
    report = models.JSONField(default=dict)
    undo = models.JSONField(default=dict)
    seq = models.PositiveIntegerField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["run", "migration"], name="upgraded_once_in_a_run"),
            models.CheckConstraint(
                condition=~Q(state__in=("done", "undone")) | Q(seq__isnull=False),
                name="upgrade_done_has_its_event",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.migration_id}: {self.get_state_display()}"
