"""The life of a version: loaded or drafted, published, retired, or discarded."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import (
    SITE_STREAM,
    canonical,
    record_event,
    text_reference,
    write_text,
)
from practices.plans.models import Plan, PlanVersion
from practices.plans.queries import tree_of, with_parts
from practices.plans.rules import (
    GO_LIVE,
    ClockNode,
    Content,
    KeyDateNode,
    PlanTree,
    Precision,
    Unit,
    check,
    content_of,
)
from practices.plans.yaml import plan_digest

from .rows import write_rows

State = PlanVersion.State
BLANK = PlanTree(
    slug="",
    title="",
    key_dates=(
        KeyDateNode("FDP", "Final data production", Precision.MINUTE, offset=-72, unit=Unit.HOURS),
        KeyDateNode(GO_LIVE, "Go-live", Precision.MINUTE),
        KeyDateNode("EOA", "End of old-system access", Precision.DAY, clock="old_system_access"),
    ),
    phases=(),
    gates=(),
    clocks=(ClockNode("old_system_access", "Old-system access", GO_LIVE, "EOA", 45, Unit.DAYS),),
)


@dataclass(frozen=True)
class Loaded:
    """What loading a plan came to: the version that says it, and whether it is new."""

    version: PlanVersion
    is_new: bool


@transaction.atomic
def load_plan(
    *,
    tree: PlanTree,
    by: User | None,
    at: datetime,
    shipped: bool = False,
    replaces_draft: bool = True,
) -> Loaded:
    """Keep a checked plan as a draft, unless its newest version says just the same.

    A draft that says something else gives way: a plan has one draft at most. Raises Conflict
    where it was not to, because nobody has been shown what would be lost.
    ``by`` is None where a command loads it, ``shipped`` marks what came with the
    software.
    """
    # Locked as it is found: one that is being discarded meanwhile is made anew.
    plan, _ = Plan.objects.select_for_update().get_or_create(
        slug=tree.slug, defaults={"title": tree.title}
    )
    content = content_of(tree)
    current = plan.versions.exclude(state=State.RETIRED).order_by("-number")
    for version in current:
        if _says(version, tree):
            return Loaded(version, is_new=False)
    replaced = current.filter(state=State.DRAFT).first()
    if replaced and not replaces_draft:
        raise Conflict(f"There is a draft of {plan.title} already, and it says something else.")
    if replaced:
        replaced.delete()
    version = _new_draft(plan, content, by=by, at=at, shipped=shipped)
    note(version, "plan.loaded", by=by, at=at, replaced=replaced.digest if replaced else None)
    return Loaded(version, is_new=True)


@transaction.atomic
def draft_from(*, version: PlanVersion, by: User, at: datetime) -> PlanVersion:
    """The plan's draft: the one there is, or a new one that says what ``version`` says."""
    plan = Plan.objects.select_for_update().get(pk=version.plan_id)
    draft = plan.versions.filter(state=State.DRAFT).first()
    if draft:
        return draft
    content = content_of(tree_of(with_parts().get(pk=version.pk)))
    draft = _new_draft(plan, content, by=by, at=at)
    note(draft, "plan.drafted", by=by, at=at, copied=version.digest)
    return draft


@transaction.atomic
def new_plan(
    *, slug: str, title: str, by: User, at: datetime, copied: PlanVersion | None = None
) -> PlanVersion:
    """A plan that is new here, as a draft: blank, or a copy of what another plan says.

    Raises Refused when there is a plan of this short name.
    """
    plan, is_new = Plan.objects.select_for_update().get_or_create(
        slug=slug, defaults={"title": title}
    )
    if not is_new:
        raise Refused(f"There is a plan with the short name {slug}. Choose another.")
    tree = tree_of(with_parts().get(pk=copied.pk)) if copied else BLANK
    content = content_of(replace(tree, slug=slug, title=title))
    draft = _new_draft(plan, content, by=by, at=at)
    note(draft, "plan.drafted", by=by, at=at, copied=copied.digest if copied else None)
    return draft


def _says(version: PlanVersion, tree: PlanTree) -> bool:
    """Whether a version says this, in whatever order a draft's content holds it."""
    if version.content is None:
        return version.digest == plan_digest(tree)
    return tree_of(version) == tree


def draft_digest(content: Content) -> str:
    """The mark of what a draft says, by which a stale page is noticed."""
    return sha256(canonical(content))


def _new_draft(
    plan: Plan, content: Content, *, by: User | None, at: datetime, shipped: bool = False
) -> PlanVersion:
    number = (plan.versions.aggregate(newest=Max("number"))["newest"] or 0) + 1
    return PlanVersion.objects.create(
        plan=plan,
        number=number,
        **content["plan"],
        content=content,
        digest=draft_digest(content),
        shipped=shipped,
        created_at=at,
        created_by=by,
    )


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
    already changes nothing. Raises Refused for a retired version and for a draft with
    faults or without anything new, Conflict when it does not say what the person saw: ``seen``
    is the digest of that.
    """
    version = locked(version)
    if version.state != State.RETIRED:
        _check_seen(version, seen)
    if version.state == State.PUBLISHED:
        return version
    if version.state == State.RETIRED:
        raise Refused(
            f"Version {version.number} is retired. To use it again, export it and upload the file."
        )
    tree = tree_of(version)
    faults = check(tree)
    if faults:
        more = f" And {len(faults) - 1} more." if faults[1:] else ""
        raise Refused(f"This draft cannot be published yet. {faults[0].message}{more}")
    published = list(version.plan.versions.filter(state=State.PUBLISHED))
    for before in published:
        if before.digest == plan_digest(tree):
            raise Refused(
                f"This draft says what version {before.number} says, so there is nothing to "
                "publish. Change it, or discard it."
            )
    for before in published:
        _retire(before, by=by, at=at)
    write_rows(version, tree)
    version.content, version.digest = None, plan_digest(tree)
    version.state = State.PUBLISHED
    version.published_at, version.published_by = at, by
    version.release_notes = write_text(body=notes, by=by, at=at) if notes.strip() else None
    version.save(
        update_fields=[
            "state",
            "content",
            "digest",
            "published_at",
            "published_by",
            "release_notes",
        ]
    )
    version.plan.title = version.title
    version.plan.save(update_fields=["title"])
    notes_reference = text_reference(version.release_notes)
    note(version, "plan.published", by=by, at=at, notes=notes_reference)
    return version


@transaction.atomic
def retire(*, version: PlanVersion, by: User | None, at: datetime) -> PlanVersion:
    """Offer a plan no more: nothing starts from it, running migrations keep it.

    Retiring what is retired changes nothing. Raises Refused for a draft.
    """
    version = locked(version)
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
    version = locked(version)
    if version.state != State.DRAFT:
        raise Refused(f"Version {version.number} has been published, so it is kept.")
    _check_seen(version, seen)
    note(version, "plan.discarded", by=by, at=at)
    version.delete()
    if not version.plan.versions.exists():
        version.plan.delete()


def locked(version: PlanVersion) -> PlanVersion:
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
    note(version, "plan.retired", by=by, at=at)


def note(version: PlanVersion, kind: str, *, by: User | None, at: datetime, **data: object) -> None:
    said = {name: value for name, value in data.items() if value is not None}
    record_event(
        stream=SITE_STREAM,
        kind=kind,
        by=by,
        at=at,
        subject=f"plan:{version.plan.slug}:{version.number}",
        data={"digest": version.digest, **said},
    )
