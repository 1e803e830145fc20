"""What a task of a migration takes over from its plan."""

from practices.plans.models import PlanTask
from practices.tracking.models import Migration, Task


def follow(task: Task, plan_task: PlanTask, *, keep_wording: bool = False) -> None:
    """Give a task what its plan says of it now.

    ``keep_wording``: it signs a gate that has signatures, and stays what it was for them.
    """
    if not keep_wording:
        task.plan_task = plan_task
    task.position = plan_task.position
    task.owner = plan_task.owner
    task.mandatory = plan_task.mandatory
    task.anchor, task.offset, task.unit = plan_task.anchor, plan_task.offset, plan_task.unit
    task.left_plan = False


def new_task(migration: Migration, plan_task: PlanTask) -> Task:
    """A task of the plan that this migration does not have yet; its due time is still to come."""
    task = Task(migration=migration, code=plan_task.code)
    follow(task, plan_task)
    return task
