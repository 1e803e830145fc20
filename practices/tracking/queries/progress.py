"""How far a migration is: its phases, its gates and its go-live."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q

from practices.common.templatetags.uk import uk_datetime
from practices.tracking.models import Bypass, Gate, KeyDate, Migration, Phase, SignOff
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import GL


@dataclass(frozen=True)
class PhaseLine:
    """A phase with its progress. ``late`` and ``signing`` count unfinished tasks."""

    phase: Phase
    late: int
    signing: int

    @property
    def unfinished(self) -> int:
        return self.phase.open_count + self.phase.blocked_count

    @property
    def status(self) -> str:
        if not self.unfinished:
            return "Complete"
        if self.unfinished == self.signing:
            return "Waiting for sign-off"
        if self.phase.done_count + self.phase.not_applicable_count + self.phase.blocked_count:
            return "In progress"
        return "Not started"

    @property
    def colour(self) -> str:
        """The tag's colour; complete is plain text, as task lists have it."""
        return {"Not started": "grey", "In progress": "blue", "Waiting for sign-off": "purple"}.get(
            self.status, ""
        )

    @property
    def hint(self) -> str:
        """``3 of 12 done, 1 blocked, 1 late``."""
        said = [f"{self.phase.done_count} of {self.phase.needed_count} done"]
        if self.phase.blocked_count:
            said.append(f"{self.phase.blocked_count} blocked")
        if self.late:
            said.append(f"{self.late} late")
        return ", ".join(said)


def phase_lines(migration: Migration, now: datetime) -> list[PhaseLine]:
    """Every phase of a migration in order, in two statements."""
    return _lines(migration.phases.select_related("plan_phase"), migration.tasks.open(), now)


def phase_line(phase: Phase, now: datetime) -> PhaseLine:
    """One phase; its counters are those it was read with."""
    return _lines([phase], phase.tasks.open(), now)[0]


def _lines(phases: Iterable[Phase], unfinished: TaskQuerySet, now: datetime) -> list[PhaseLine]:
    counts = {
        phase: (late, signing)
        for phase, late, signing in unfinished.order_by()
        .values("phase")
        .annotate(
            late=Count("pk", filter=Q(due_at__lte=now, left_plan=False)),
            signing=Count("pk", filter=Q(plan_task__signs__isnull=False)),
        )
        .values_list("phase", "late", "signing")
    }
    return [PhaseLine(phase, *counts.get(phase.pk, (0, 0))) for phase in phases]


@dataclass(frozen=True)
class GateLine:
    """A gate with the signatures of its present round and every time it was passed without."""

    gate: Gate
    signatures: list[SignOff]
    bypasses: list[Bypass]
    needed: bool

    @property
    def status(self) -> tuple[str, str]:
        if not self.needed:
            return "Not needed here", ""
        if self.gate.left_plan and self.gate.state == Gate.State.WAITING:
            return "No longer in plan", ""
        state = self.gate.state
        colour = {Gate.State.SIGNED: "green", Gate.State.BYPASSED: "red"}.get(
            Gate.State(state), "grey"
        )
        return self.gate.get_state_display(), colour

    @property
    def hint(self) -> str:
        """Who signed, and when."""
        return ", ".join(
            f"{signature.seat}: {signature.signer}, {uk_datetime(signature.at)}"
            for signature in self.signatures
        )


def gate_lines(migration: Migration) -> list[GateLine]:
    """Every gate in order. What was passed without its sign-off is shown for ever."""
    gates = (
        migration.gates.with_needed()
        .select_related("plan_gate")
        .prefetch_related(
            Prefetch("sign_offs", SignOff.objects.select_related("by", "seat").order_by("at")),
            Prefetch(
                "bypasses",
                Bypass.objects.select_related("by", "reason", "confirmation__by").order_by("round"),
            ),
        )
    )
    return [
        GateLine(
            gate,
            [signature for signature in gate.sign_offs.all() if signature.round == gate.round],
            list(gate.bypasses.all()),
            gate.is_needed,
        )
        for gate in gates
    ]


def go_live_of(dates: Iterable[KeyDate]) -> KeyDate:
    """Go-live, which every plan has."""
    return next(key_date for key_date in dates if key_date.key == GL)
