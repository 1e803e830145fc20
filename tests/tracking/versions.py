"""Further versions of a plan, and what a migration holds apart from ids and history."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of, with_parts
from practices.plans.rules import PhaseNode, PlanTree, TaskNode
from practices.plans.services import load_plan, publish
from practices.tracking.models import Migration, UpgradeItem
from practices.tracking.services.upgrading import preview_upgrade, upgrade_one
from tests.factories import MONDAY, make_person

from .cast import Cast

TASK = (
    *("code", "position", "owner", "mandatory", "anchor", "offset", "unit", "due_on", "due_at"),
    *("pinned", "state", "fell_away", "left_plan", "assignee", "settled_at", "phase__key"),
    *("plan_task__version", "plan_task__code"),
)
DATE = (
    *("key", "planned_on", "planned_at", "actual_at", "offset"),
    *("plan_key_date__version", "plan_key_date__position"),
)


def next_version(version: PlanVersion, *changes: Callable[[PlanTree], PlanTree]) -> PlanVersion:
    """The next published version of a plan, with these changes."""
    tree = tree_of(with_parts().get(pk=version.pk))
    for change in changes:
        tree = change(tree)
    by = make_person()
    draft = load_plan(tree=tree, by=by, at=MONDAY).version
    return publish(version=draft, by=by, at=MONDAY)


def task_of(code: str, **fields: Any) -> TaskNode:
    return TaskNode(
        **{
            "code": code,
            "title": f"New task {code}",
            "owner": "practice_manager",
            "anchor": "GL",
            "offset": -1,
            "unit": "days",
            "basis": "suggested",
            **fields,
        }
    )


def _phases(tree: PlanTree, act: Callable[[PhaseNode], tuple[TaskNode, ...]]) -> PlanTree:
    return replace(tree, phases=tuple(replace(p, tasks=act(p)) for p in tree.phases))


def adding(phase: str, code: str, **fields: Any) -> Callable[[PlanTree], PlanTree]:
    return lambda tree: _phases(
        tree, lambda p: (*p.tasks, task_of(code, **fields)) if p.key == phase else p.tasks
    )


def without(*codes: str) -> Callable[[PlanTree], PlanTree]:
    return lambda tree: _phases(tree, lambda p: tuple(t for t in p.tasks if t.code not in codes))


def with_task(code: str, **fields: Any) -> Callable[[PlanTree], PlanTree]:
    return lambda tree: _phases(
        tree, lambda p: tuple(replace(t, **fields) if t.code == code else t for t in p.tasks)
    )


def _part(name: str, key: str, fields: dict[str, Any]) -> Callable[[PlanTree], PlanTree]:
    def change(tree: PlanTree) -> PlanTree:
        rows = tuple(replace(r, **fields) if r.key == key else r for r in getattr(tree, name))
        return replace(tree, **{name: rows})

    return change


def with_clock(key: str, **fields: Any) -> Callable[[PlanTree], PlanTree]:
    return _part("clocks", key, fields)


def with_key_date(key: str, **fields: Any) -> Callable[[PlanTree], PlanTree]:
    return _part("key_dates", key, fields)


def with_gate(key: str, **fields: Any) -> Callable[[PlanTree], PlanTree]:
    return _part("gates", key, fields)


def with_part(name: str, part: Any) -> Callable[[PlanTree], PlanTree]:
    return lambda tree: replace(tree, **{name: (*getattr(tree, name), part)})


def upgrade(cast: Cast, version: PlanVersion, *, reopen: bool = False, **more: Any) -> UpgradeItem:
    """Move a migration as its project manager saw it in the preview."""
    fresh = Migration.objects.get(pk=cast.migration.pk)
    seen = preview_upgrade(fresh, version, reopen=reopen).mark
    return upgrade_one(
        **{
            "migration": fresh,
            "version": version,
            "seen": seen,
            "reopen": reopen,
            "by": cast.project_manager,
            "at": MONDAY,
            **more,
        }
    )


def state_of(migration: Migration) -> dict[str, Any]:
    """All that a migration says, by code and key; plan rows by their version."""
    fresh = Migration.objects.get(pk=migration.pk)
    return {
        "version": fresh.plan_version_id,
        "counters": [fresh.open_count, fresh.done_count, fresh.not_applicable_count],
        "tasks": list(fresh.tasks.order_by("code").values(*TASK)),
        "dates": list(fresh.key_dates.order_by("key").values(*DATE)),
        "phases": list(
            fresh.phases.order_by("key").values(
                "key", "position", "open_count", "done_count", "plan_phase__version"
            )
        ),
        "gates": list(
            fresh.gates.order_by("key").values(
                "key", "position", "round", "state", "left_plan", "plan_gate__version"
            )
        ),
        "clocks": list(
            fresh.clock_runs.exclude(state="void")
            .order_by("key")
            .values("key", "state", "limit", "ends_at", "plan_clock__version")
        ),
        "conditions": list(
            fresh.conditions.order_by("key").values("key", "answer", "plan_condition__version")
        ),
    }
