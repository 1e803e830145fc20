"""Stored versions as trees, and what one changes of another."""

from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet

from practices.plans.models import PlanDependency, PlanGate, PlanTask, PlanVersion
from practices.plans.rules import (
    AfterNode,
    Change,
    ClockNode,
    ConditionNode,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    ReminderNode,
    SeatNode,
    TaskNode,
    changes,
    tree_from,
)

State = PlanVersion.State


def with_parts() -> QuerySet[PlanVersion]:
    """Versions with everything they say, in a fixed number of queries."""
    tasks = PlanTask.objects.select_related("signs__gate")
    return PlanVersion.objects.select_related(
        "plan", "created_by", "published_by", "release_notes"
    ).prefetch_related(
        "key_dates",
        "clocks",
        "reminders",
        "conditions",
        "gates__seats",
        Prefetch("phases__tasks", tasks),
    )


def tree_of(version: PlanVersion) -> PlanTree:
    """What a version says: a draft's content, or else its rows, read by :func:`with_parts`."""
    if version.content is not None:
        return tree_from(version.content, slug=version.plan.slug)
    # Read apart from the tasks: a prefetch would build a queryset for each of hundreds of them.
    after: dict[int, list[AfterNode]] = {}
    for task, before, lag, unit in PlanDependency.objects.filter(version=version).values_list(
        "task_id", "before__code", "lag", "unit"
    ):
        after.setdefault(task, []).append(AfterNode(before, lag, unit))
    return PlanTree(
        slug=version.plan.slug,
        title=version.title,
        summary=version.summary,
        source=version.source,
        key_dates=tuple(
            KeyDateNode(
                key=row.key,
                title=row.title,
                precision=row.precision,
                offset=row.offset,
                unit=row.unit,
                same_as=row.same_as,
                clock=row.clock,
                source=row.source,
            )
            for row in version.key_dates.all()
        ),
        phases=tuple(
            PhaseNode(
                key=row.key,
                title=row.title,
                duration=row.duration,
                source=row.source,
                tasks=tuple(_task(task, after.get(task.pk, ())) for task in row.tasks.all()),
            )
            for row in version.phases.all()
        ),
        gates=tuple(_gate(row) for row in version.gates.all()),
        clocks=tuple(
            ClockNode(
                key=row.key,
                title=row.title,
                enabled=row.enabled,
                starts=row.starts,
                stops=row.stops,
                limit=row.limit,
                unit=row.unit,
                warn_after=tuple(row.warn_after),
                warn_before=tuple(row.warn_before),
                repeat_every=row.repeat_every,
                tell=tuple(row.tell),
                source=row.source,
            )
            for row in version.clocks.all()
        ),
        reminders=tuple(
            ReminderNode(
                key=row.key,
                title=row.title,
                enabled=row.enabled,
                anchor=row.anchor,
                offsets=tuple(row.offsets),
                unit=row.unit,
                repeat_every=row.repeat_every,
                until=row.until,
                deliver=row.deliver,
                tell=tuple(row.tell),
                escalate_after=row.escalate_after,
                advice=row.advice,
                source=row.source,
            )
            for row in version.reminders.all()
        ),
        conditions=tuple(
            ConditionNode(
                key=row.key,
                title=row.title,
                question=row.question,
                system=row.system,
                named=row.named,
                source=row.source,
            )
            for row in version.conditions.all()
        ),
    )


def _task(row: PlanTask, after: Iterable[AfterNode]) -> TaskNode:
    return TaskNode(
        code=row.code,
        title=row.title,
        guidance=row.guidance,
        lesson=row.lesson,
        owner=row.owner,
        helps=tuple(row.helps),
        anchor=row.anchor,
        offset=row.offset,
        unit=row.unit,
        basis=row.basis,
        mandatory=row.mandatory,
        condition=row.condition,
        evidence=row.evidence,
        records=row.records,
        gate=row.signs.gate.key if row.signs else "",
        seat=row.signs.key if row.signs else "",
        source=row.source,
        applies_if=tuple(row.applies_if),
        after=tuple(after),
    )


def _gate(row: PlanGate) -> GateNode:
    return GateNode(
        key=row.key,
        title=row.title,
        statement=row.statement,
        seats=tuple(
            SeatNode(key=seat.key, title=seat.title, roles=tuple(seat.roles))
            for seat in row.seats.all()
        ),
        different_people=row.different_people,
        cover_phases=tuple(row.cover_phases),
        cover_tasks=tuple(row.cover_tasks),
        blocks=tuple(row.blocks),
        confirm_to=row.confirm_to,
        condition=row.condition,
        source=row.source,
    )


def newest_of(slug: str) -> PlanVersion | None:
    """The draft of a plan, else its last version, with what it says."""
    return with_parts().filter(plan__slug=slug).order_by("-number").first()


def version_before(version: PlanVersion) -> PlanVersion | None:
    """What a version takes the place of: a draft of the version in use, another of the last one."""
    others = with_parts().filter(plan=version.plan)
    if version.state == State.DRAFT:
        return others.filter(state=State.PUBLISHED).first()
    published = others.exclude(state=State.DRAFT)
    return published.filter(number__lt=version.number).order_by("-number").first()


def changed_since(before: PlanVersion | None, version: PlanVersion) -> list[Change] | None:
    """What a version changes of the one before it, in words; None when there is none."""
    return changes(tree_of(before), tree_of(version)) if before else None
