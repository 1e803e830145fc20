"""The list of plans."""

from dataclasses import dataclass

from django.db.models import Prefetch

from practices.plans.models import Plan, PlanVersion

State = PlanVersion.State


@dataclass(frozen=True)
class PlanLine:
    """A plan on the list: what is in use, what is being drafted, what was in use before."""

    plan: Plan
    published: PlanVersion | None
    draft: PlanVersion | None
    retired: list[PlanVersion]

    @property
    def newest(self) -> PlanVersion:
        """What the plan's name leads to: the version in use, else the draft, else the last one."""
        return self.published or self.draft or self.retired[0]


def all_plans() -> list[PlanLine]:
    """Every plan with its versions, newest first, in two queries."""
    versions = PlanVersion.objects.select_related("published_by", "created_by").order_by("-number")
    plans = Plan.objects.order_by("title").prefetch_related(Prefetch("versions", versions))
    return [_line(plan) for plan in plans if plan.versions.all()]


def _line(plan: Plan) -> PlanLine:
    by_state: dict[str, list[PlanVersion]] = {state: [] for state in State.values}
    for version in plan.versions.all():
        by_state[version.state].append(version)
    return PlanLine(
        plan,
        published=next(iter(by_state[State.PUBLISHED]), None),
        draft=next(iter(by_state[State.DRAFT]), None),
        retired=by_state[State.RETIRED],
    )
