"""What the pages of plans show of running migrations (practices/plans/panels.py)."""

from collections.abc import Collection

from django.db.models import Count

from practices.tracking.models import Migration


def running_on(version_ids: Collection[int]) -> dict[int, int]:
    """How many migrations run on each of these versions of plans, in one query."""
    counted = (
        Migration.objects.active()
        .filter(plan_version__in=version_ids)
        .values_list("plan_version")
        .annotate(Count("pk"))
    )
    return dict(counted.order_by())
