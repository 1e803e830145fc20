"""Which migrations can be moved to another version of their plan, and what the versions say."""

from dataclasses import dataclass

from practices.accounts.models import User
from practices.accounts.roles import SEE_ALL_ROLES, Permission
from practices.common.errors import Refused
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of, with_parts
from practices.plans.rules import Change, changes
from practices.tracking.models import Migration, UpgradeItem
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.services.upgrading import require_undoable


def newer_version(migration: Migration) -> PlanVersion | None:
    """The published version of a running migration's plan, if that is not what it has."""
    if not migration.is_active:
        return None
    return (
        PlanVersion.objects.published()
        .filter(plan=migration.plan_version.plan_id, number__gt=migration.plan_version.number)
        .first()
    )


@dataclass(frozen=True)
class LastMove:
    """How a migration came to its version of the plan; ``problem`` says why that stays so."""

    item: UpgradeItem
    problem: str


def last_move(migration: Migration) -> LastMove | None:
    """The move to the version that a migration has, unless it was started from that."""
    moved = migration.upgrades.filter(
        state=UpgradeItem.State.DONE, run__version=migration.plan_version_id
    )
    item = moved.select_related("run__version", "run__by", "from_version").order_by("-seq").first()
    if item is None:
        return None
    try:
        require_undoable(item, migration)
    except Refused as refusal:
        return LastMove(item, str(refusal))
    return LastMove(item, "")


def plan_changes(old: int, new: int) -> list[Change]:
    """What one version of a plan changes of another, but for tasks that come or go.

    These are said for each migration: there they may stay, or be there already.
    """
    trees = {row.pk: tree_of(row) for row in with_parts().filter(pk__in=(old, new))}
    found = changes(trees[old], trees[new])
    return [
        one
        for one in found
        if not (one.subject.startswith("Task ") and one.kind in ("added", "removed"))
    ]


def movable_to(version: PlanVersion, user: User) -> MigrationQuerySet:
    """Running migrations on older versions of a plan that this person may move.

    Of those they see, all, or those that an organisation runs in which they may.
    """
    may = Permission.UPGRADE_MIGRATIONS
    allowed = [m for m in user.current_memberships if may in m.permissions]
    running = Migration.objects.visible_to(user).active()
    if not any(m.role in SEE_ALL_ROLES for m in allowed):
        running = running.filter(run_by__in=[m.organisation_id for m in allowed])
    return running.filter(plan_version__plan=version.plan, plan_version__number__lt=version.number)
