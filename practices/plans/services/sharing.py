"""Taking a file into a plan that is there already."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict
from practices.plans.models import Plan, PlanEdit
from practices.plans.rules import PlanTree

from .editing import replace_content
from .versions import draft_from


@transaction.atomic
def import_plan(
    *, tree: PlanTree, seen: str, source: str, by: User, at: datetime
) -> PlanEdit | None:
    """Make the plan's draft say what a file says, begun from its newest version if there is none.

    ``seen`` is the digest of what the person compared the file with, ``source`` names the file.
    Nothing changed makes no edit and returns None. Raises Conflict when the plan does not say
    that any more.
    """
    plan = Plan.objects.select_for_update().filter(slug=tree.slug).first()
    newest = plan.versions.order_by("-number").first() if plan else None
    if newest is None:
        raise Conflict("This plan has been removed since you compared. Nothing was changed.")
    draft = draft_from(version=newest, by=by, at=at)
    return replace_content(version=draft, tree=tree, seen=seen, source=source, by=by, at=at)
