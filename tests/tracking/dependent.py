"""Small plans whose tasks wait for each other, or apply under conditions; and casts living them."""

from datetime import datetime
from typing import Any

from practices.plans.models import PlanCondition, PlanDependency, PlanVersion
from practices.tracking import services
from practices.tracking.models import Task
from tests.factories import MONDAY, make_plan_version, publish_rows

from .cast import Cast, make_cast


def plan_with(
    *,
    after: dict[str, list[tuple[Any, ...]]] | None = None,
    conditions: dict[str, dict[str, str]] | None = None,
    applies: dict[str, list[str]] | None = None,
) -> PlanVersion:
    """The small plan with dependencies and conditions, published.

    ``after`` is {task: [(before, lag, unit)]}, ``applies`` {task: names of conditions}.
    """
    version = make_plan_version(publish=False)
    tasks = {task.code: task for task in version.tasks.all()}
    for code, links in (after or {}).items():
        for before, *lag in links:
            amount, unit = lag or (0, "days")
            PlanDependency.objects.create(
                version=version, task=tasks[code], before=tasks[before], lag=amount, unit=unit
            )
    for position, (key, more) in enumerate((conditions or {}).items(), 1):
        named = {"title": f"{key.capitalize()} practice", "question": f"Is it {key}?", **more}
        PlanCondition.objects.create(version=version, position=position, key=key, **named)
    for code, names in (applies or {}).items():
        version.tasks.filter(code=code).update(applies_if=names)
    return publish_rows(version)


def cast_with(
    *, answers: dict[str, bool | None] | None = None, at: datetime = MONDAY, **plan: Any
) -> Cast:
    return make_cast(plan_version=plan_with(**plan), answers=answers or {}, at=at)


def tick(cast: Cast, code: str, *, at: datetime = MONDAY) -> Task:
    return services.tick_task(task=cast.task(code), by=cast.manager, at=at).task


def answer(cast: Cast, key: str, given: bool | None, *, seen: bool | None = None, **more: Any):
    return services.answer_condition(
        **{
            "migration": cast.migration,
            "key": key,
            "answer": given,
            "seen": seen,
            "by": cast.project_manager,
            "at": MONDAY,
            **more,
        }
    )


def states(cast: Cast, *codes: str) -> list[str]:
    found = dict(cast.migration.tasks.values_list("code", "state"))
    return [found[code] for code in codes]
