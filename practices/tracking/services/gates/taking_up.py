"""A gate whose signatures no longer count takes up what its plan says of it today."""

from django.db.models import Q

from practices.plans.models import PlanTask
from practices.tracking.models import Gate, Migration, Task
from practices.tracking.services._base import count
from practices.tracking.services.due_times import due_again
from practices.tracking.services.following import follow, new_task


def take_up(migration: Migration, gate: Gate) -> list[str]:
    """Give a locked gate the statement, seats and tasks of the migration's version of the plan.

    While it was signed, it and the tasks that sign it stayed what they were, and new tasks under
    it were left out. Gives the codes of the tasks that are added now.
    """
    before = gate.plan_gate
    now = migration.plan_version.gates.filter(key=gate.key).first()
    if now is None or now.pk == before.pk:
        return []
    gate.plan_gate = now
    gate.save(update_fields=["plan_gate"])
    wanted = PlanTask.objects.filter(
        Q(signs__gate=now) | Q(covered_by=now) | Q(phase__key__in=now.cover_phases),
        version=migration.plan_version,
    )
    plan_tasks = {task.code: task for task in wanted.select_related("phase").distinct()}
    there = {task.code: task for task in migration.tasks.select_related("plan_task__signs")}
    for code, task in there.items():
        signed_it = task.plan_task and task.plan_task.signs and task.plan_task.signs.gate_id
        if code in plan_tasks and task.plan_task_id != plan_tasks[code].pk:
            _follow(migration, task, plan_tasks[code])
        elif signed_it == before.pk:
            _follow(migration, task, migration.plan_version.tasks.filter(code=code).first())
    new = [task for code, task in plan_tasks.items() if code not in there]
    phases = {phase.key: phase for phase in migration.phases.all()}
    for plan_task in new:
        task = new_task(migration, plan_task)
        task.phase = phases[plan_task.phase.key]
        moment = due_again(migration, task)
        task.due_on, task.due_at = moment.on, moment.at
        task.save()
        count(migration, task.phase_id, None, task.state)
    return [task.code for task in new]


def _follow(migration: Migration, task: Task, plan_task: PlanTask | None) -> None:
    if plan_task is None:
        task.left_plan = True
    else:
        follow(task, plan_task)
    task.version += 1
    task.save()
