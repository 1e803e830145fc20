"""The list of plans."""

from dataclasses import dataclass

from django.db.models import Prefetch

from practices.plans import panels
from practices.plans.models import Plan, PlanVersion

State = PlanVersion.State


@dataclass(frozen=True)
class PlanLine:
    """A plan on the list: what is in use, what is being drafted, what was in use before."""

    plan: Plan
    published: PlanVersion | None
    draft: PlanVersion | None
    retired: list[PlanVersion]
    running: dict[int, int]

    @property
    def in_use(self) -> list[tuple[PlanVersion, int]]:
        """Versions with migrations that run on them, newest first, and how many."""
        versions = [version for version in (self.published, *self.retired) if version]
        return [(one, self.running[one.pk]) for one in versions if self.running.get(one.pk)]

    @property
    def newest(self) -> PlanVersion:
        """What the plan's name leads to: the version in use, else the draft, else the last one."""
        return self.published or self.draft or self.retired[0]


def all_plans() -> list[PlanLine]:
    """Every plan with its versions, newest first, and what runs on them, in three queries."""
    versions = PlanVersion.objects.select_related("published_by", "created_by").order_by("-number")
    plans = Plan.objects.order_by("title").prefetch_related(Prefetch("versions", versions))
    running = panels.running([version.pk for plan in plans for version in plan.versions.all()])
    return [_line(plan, running) for plan in plans if plan.versions.all()]


def _line(plan: Plan, running: dict[int, int]) -> PlanLine:
    by_state: dict[str, list[PlanVersion]] = {state: [] for state in State.values}
    for version in plan.versions.all():
        by_state[version.state].append(version)
    return PlanLine(
        plan,
        published=next(iter(by_state[State.PUBLISHED]), None),
        draft=next(iter(by_state[State.DRAFT]), None),
        retired=by_state[State.RETIRED],
        running=running,
    )
