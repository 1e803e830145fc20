"""Gates and the signatures that open them. Signatures are only ever added."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.history import AppendOnly, tracked
from practices.common.models import Text
from practices.plans.models import PlanCover, PlanGate, PlanSeat
from practices.plans.rules import inside

from .migration import Migration
from .task import Task


def covers(gate: Any) -> Exists:
    """Whether a task is one that a gate of a plan covers; ``gate`` is that gate, or leads to it.

    By the code of the task: a signed gate keeps the plan it was signed under, while the
    tasks it speaks for follow their plan to its next version.
    """
    return Exists(PlanCover.objects.filter(gate=gate, task__code=OuterRef("code")))


class GateQuerySet(models.QuerySet["Gate"]):
    def with_needed(self) -> "GateQuerySet":
        """With ``is_needed``: false where a gate applies only under a condition that does not hold.

        The tasks that sign it say so: every one of them was set aside.
        """
        signing = Task.objects.filter(
            migration=OuterRef("migration"), plan_task__signs__gate=OuterRef("plan_gate")
        )
        set_aside = Task.State.NOT_APPLICABLE
        return self.annotate(
            is_needed=Q(plan_gate__condition="")
            | ~Exists(signing.filter(state=set_aside))
            | Exists(signing.exclude(state=set_aside))
        )

    def ready_to_sign(self) -> "GateQuerySet":
        """Waiting gates of active migrations with all they cover done, ``ready_at`` since when."""
        covered = Task.objects.filter(
            covers(OuterRef(OuterRef("plan_gate"))),
            migration=OuterRef("migration"),
            left_plan=False,
        )
        last = Subquery(covered.order_by("-settled_at").values("settled_at")[:1])
        ready = self.filter(
            ~Exists(covered.open()),
            Exists(covered),
            state=Gate.State.WAITING,
            left_plan=False,
            migration__state__in=Migration.ACTIVE_STATES,
        )
        needed = ready.with_needed().filter(Q(is_needed=True))
        return needed.annotate(ready_at=last)  # type: ignore[no-redef]  # declared for readers


@tracked()
class Gate(models.Model):
    """A decision point of one migration.

    Withdrawing a signature raises ``round``: the old signatures stay, for a
    round that is over, and every seat signs again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for sign-off"
        SIGNED = "signed", "Signed off"
        BYPASSED = "bypassed", "Went ahead without sign-off"

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="gates")
    plan_gate = models.ForeignKey(PlanGate, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    left_plan = models.BooleanField(
        default=False, help_text="kept for its history: it holds nothing up any more"
    )
    is_needed: bool  # after with_needed()
    ready_at: datetime  # after ready_to_sign()

    objects = GateQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["migration", "key"], name="gate_once")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.plan_gate.title

    @property
    def is_open(self) -> bool:
        """Whether what it blocks may happen."""
        return self.state != self.State.WAITING


class GateCondition(models.Model):
    """What another room reports to a gate, through ``services.report_condition``."""

    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="conditions")
    source = models.CharField(max_length=40)
    met = models.BooleanField()
    summary = models.CharField(max_length=200)
    reported_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "source"], name="gate_condition_once")
        ]

    def __str__(self) -> str:
        return self.summary


class SignOff(AppendOnly):
    """One signature for one seat of one round, with what the signer saw.

    ``snapshot`` holds the statement, the state of every covered task, the
    exceptions and the newest event's hash; ``digest`` is its SHA-256.
    """

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="sign_offs")
    round = models.PositiveSmallIntegerField()
    seat = models.ForeignKey(PlanSeat, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=25, choices=Owner, help_text="the role they signed as")
    deputy_for = models.ForeignKey(
        User,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the absent holder of the role, when a deputy signed",
    )
    at = models.DateTimeField()
    snapshot = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta(AppendOnly.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "round", "seat"], name="seat_signed_once")
        ]

    def __str__(self) -> str:
        return f"{self.seat} signed {self.at:%d %B %Y}"

    @property
    def signer(self) -> str:
        """Who signed, and whether in somebody's place."""
        if self.deputy_for_id is None:
            return str(self.by)
        return f"{self.by}, deputy of the {inside(self.get_role_display())}"

    @property
    def reference(self) -> str:
        """What people quote: the first half of the digest's first eight characters, grouped."""
        return f"{self.digest[:4]}-{self.digest[4:8]}".upper()

    @property
    def history_root(self) -> str:
        """The hash of the newest event at signing, which vouches for all before it."""
        try:
            return str(self.snapshot["events"]["hash"])
        except (LookupError, TypeError):  # the first event of all, or no record of a signature
            return ""

    @property
    def history_root_short(self) -> str:
        """Enough of it to compare by eye."""
        return self.history_root[:12]


class Withdrawal(AppendOnly):
    """The end of a round: its signatures no longer count, and nothing is deleted."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="withdrawals")
    round = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "round"], name="round_withdrawn_once")
        ]

    def __str__(self) -> str:
        return f"withdrawal of round {self.round}"


class Bypass(AppendOnly):
    """A step that happened without its sign-off: what it was, and why. Shown for ever."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="bypasses")
    round = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "round"], name="round_bypassed_once")
        ]

    def __str__(self) -> str:
        return f"bypass of {self.gate_id}, round {self.round}"


class BypassConfirmation(AppendOnly):
    """The second person: of the practice or the commissioner, never the one who recorded it."""

    bypass = models.OneToOneField(Bypass, on_delete=models.PROTECT, related_name="confirmation")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        pass

    def __str__(self) -> str:
        return f"confirmation of {self.bypass_id}"
