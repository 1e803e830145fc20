"""Every write on plans: loading a version, publishing, retiring and discarding it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.services import SITE_STREAM, record_event, text_reference, write_text

from .models import (
    Plan,
    PlanClock,
    PlanCover,
    PlanGate,
    PlanKeyDate,
    PlanPhase,
    PlanReminder,
    PlanSeat,
    PlanTask,
    PlanVersion,
)
from .rules import PlanTree, coverage
from .yaml import plan_digest

State = PlanVersion.State


@dataclass(frozen=True)
class Loaded:
    """What loading a plan came to: the version that says it, and whether it is new."""

    version: PlanVersion
    is_new: bool


@transaction.atomic
def load_plan(*, tree: PlanTree, by: User | None, at: datetime, shipped: bool = False) -> Loaded:
    """Keep a checked plan as a draft, unless its newest version says just the same.

    A draft that says something else gives way: a plan has one draft at most.
    ``by`` is None where a command loads it, ``shipped`` marks what came with the
    software.
    """
    # Locked as it is found: one that is being discarded meanwhile is made anew.
    plan, _ = Plan.objects.select_for_update().get_or_create(
        slug=tree.slug, defaults={"title": tree.title}
    )
    digest = plan_digest(tree)
    current = plan.versions.exclude(state=State.RETIRED).order_by("-number")
    same = next((version for version in current if version.digest == digest), None)
    if same:
        return Loaded(same, is_new=False)
    replaced = current.filter(state=State.DRAFT).first()
    if replaced:
        replaced.delete()
    number = (plan.versions.aggregate(newest=Max("number"))["newest"] or 0) + 1
    version = PlanVersion.objects.create(
        plan=plan,
        number=number,
        title=tree.title,
        summary=tree.summary,
        source=tree.source,
        digest=digest,
        shipped=shipped,
        created_at=at,
        created_by=by,
    )
    _write_parts(version, tree)
    _note(version, "plan.loaded", by=by, at=at, replaced=replaced.digest if replaced else None)
    return Loaded(version, is_new=True)


@transaction.atomic
def publish(
    *,
    version: PlanVersion,
    by: User | None,
    at: datetime,
    notes: str = "",
    seen: str | None = None,
) -> PlanVersion:
    """Make a draft the version that migrations start from; the one before it retires.

    From now on the database lets nobody change it. Publishing what is published
    already changes nothing. Raises Refused for a retired version, Conflict when
    it does not say what the person saw: ``seen`` is the digest of that.
    """
    version = _locked(version)
    if version.state != State.RETIRED:
        _check_seen(version, seen)
    if version.state == State.PUBLISHED:
        return version
    if version.state == State.RETIRED:
        raise Refused(
            f"Version {version.number} is retired. To use it again, export it and upload the file."
        )
    for before in version.plan.versions.filter(state=State.PUBLISHED):
        _retire(before, by=by, at=at)
    version.state = State.PUBLISHED
    version.published_at, version.published_by = at, by
    version.release_notes = write_text(body=notes, by=by, at=at) if notes.strip() else None
    version.save(update_fields=["state", "published_at", "published_by", "release_notes"])
    version.plan.title = version.title
    version.plan.save(update_fields=["title"])
    notes_reference = text_reference(version.release_notes)
    _note(version, "plan.published", by=by, at=at, notes=notes_reference)
    return version


@transaction.atomic
def retire(*, version: PlanVersion, by: User | None, at: datetime) -> PlanVersion:
    """Offer a plan no more: nothing starts from it, running migrations keep it.

    Retiring what is retired changes nothing. Raises Refused for a draft.
    """
    version = _locked(version)
    if version.state == State.DRAFT:
        raise Refused("A draft is not in use: discard it instead.")
    if version.state == State.PUBLISHED:
        _retire(version, by=by, at=at)
    return version


@transaction.atomic
def discard(
    *, version: PlanVersion, by: User | None, at: datetime, seen: str | None = None
) -> None:
    """Throw a draft away.

    Raises Refused for what has been published: that is kept for ever; and Conflict
    when the draft does not say what the person saw: ``seen`` is the digest of that.
    """
    version = _locked(version)
    if version.state != State.DRAFT:
        raise Refused(f"Version {version.number} has been published, so it is kept.")
    _check_seen(version, seen)
    _note(version, "plan.discarded", by=by, at=at)
    version.delete()
    if not version.plan.versions.exists():
        version.plan.delete()


def _locked(version: PlanVersion) -> PlanVersion:
    """The version as it is now; its plan's row is the lock for every act on the plan."""
    plan = Plan.objects.select_for_update().filter(pk=version.plan_id).first()
    fresh = plan.versions.filter(pk=version.pk).first() if plan else None
    if plan is None or fresh is None:
        raise Conflict("This draft has been discarded or replaced since you opened the page.")
    fresh.plan = plan
    return fresh


def _check_seen(version: PlanVersion, seen: str | None) -> None:
    """A draft that is replaced leaves its number to the next: the digest tells them apart."""
    if seen is not None and seen != version.digest:
        raise Conflict("Another draft took its place since you looked. Check it, then decide.")


def _retire(version: PlanVersion, *, by: User | None, at: datetime) -> None:
    version.state = State.RETIRED
    version.save(update_fields=["state"])
    _note(version, "plan.retired", by=by, at=at)


def _note(
    version: PlanVersion, kind: str, *, by: User | None, at: datetime, **data: object
) -> None:
    said = {name: value for name, value in data.items() if value is not None}
    record_event(
        stream=SITE_STREAM,
        kind=kind,
        by=by,
        at=at,
        subject=f"plan:{version.plan.slug}:{version.number}",
        data={"digest": version.digest, **said},
    )


def _write_parts(version: PlanVersion, tree: PlanTree) -> None:
    """The rows of a tree, in a handful of statements however long it is."""
    PlanKeyDate.objects.bulk_create(
        PlanKeyDate(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            precision=node.precision,
            offset=node.offset,
            unit=node.unit,
            same_as=node.same_as,
            clock=node.clock,
            source=node.source,
        )
        for position, node in enumerate(tree.key_dates, 1)
    )
    PlanClock.objects.bulk_create(
        PlanClock(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            enabled=node.enabled,
            starts=node.starts,
            stops=node.stops,
            limit=node.limit,
            unit=node.unit,
            warn_after=list(node.warn_after),
            warn_before=list(node.warn_before),
            repeat_every=node.repeat_every,
            tell=list(node.tell),
            source=node.source,
        )
        for position, node in enumerate(tree.clocks, 1)
    )
    PlanReminder.objects.bulk_create(
        PlanReminder(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            enabled=node.enabled,
            anchor=node.anchor,
            offsets=list(node.offsets),
            unit=node.unit,
            repeat_every=node.repeat_every,
            until=node.until,
            deliver=node.deliver,
            tell=list(node.tell),
            escalate_after=node.escalate_after,
            advice=node.advice,
            source=node.source,
        )
        for position, node in enumerate(tree.reminders, 1)
    )
    gates = _write_gates(version, tree)
    tasks = _write_tasks(version, tree, _write_seats(version, tree, gates))
    PlanCover.objects.bulk_create(
        PlanCover(version=version, gate=gates[key], task=tasks[code])
        for key, codes in coverage(tree).items()
        for code in codes
    )


def _write_gates(version: PlanVersion, tree: PlanTree) -> dict[str, PlanGate]:
    rows = PlanGate.objects.bulk_create(
        PlanGate(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            statement=node.statement,
            different_people=node.different_people,
            cover_phases=list(node.cover_phases),
            cover_tasks=list(node.cover_tasks),
            blocks=list(node.blocks),
            confirm_to=node.confirm_to,
            condition=node.condition,
            source=node.source,
        )
        for position, node in enumerate(tree.gates, 1)
    )
    return {row.key: row for row in rows}


def _write_seats(
    version: PlanVersion, tree: PlanTree, gates: dict[str, PlanGate]
) -> dict[tuple[str, str], PlanSeat]:
    rows = PlanSeat.objects.bulk_create(
        PlanSeat(
            version=version,
            gate=gates[gate.key],
            position=position,
            key=seat.key,
            title=seat.title,
            roles=list(seat.roles),
        )
        for gate in tree.gates
        for position, seat in enumerate(gate.seats, 1)
    )
    return {(row.gate.key, row.key): row for row in rows}


def _write_tasks(
    version: PlanVersion, tree: PlanTree, seats: dict[tuple[str, str], PlanSeat]
) -> dict[str, PlanTask]:
    phases = PlanPhase.objects.bulk_create(
        PlanPhase(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            duration=node.duration,
            source=node.source,
        )
        for position, node in enumerate(tree.phases, 1)
    )
    rows = PlanTask.objects.bulk_create(
        PlanTask(
            version=version,
            phase=row,
            position=position,
            code=task.code,
            title=task.title,
            guidance=task.guidance,
            lesson=task.lesson,
            owner=task.owner,
            helps=list(task.helps),
            anchor=task.anchor,
            offset=task.offset,
            unit=task.unit,
            basis=task.basis,
            mandatory=task.mandatory,
            condition=task.condition,
            evidence=task.evidence,
            records=task.records,
            signs=seats.get((task.gate, task.seat)),
            source=task.source,
        )
        for phase, row in zip(tree.phases, phases, strict=True)
        for position, task in enumerate(phase.tasks, 1)
    )
    return {row.code: row for row in rows}
