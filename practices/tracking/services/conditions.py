"""Conditions of a plan, answered for a migration; the answers set tasks aside and bring them back.

An answer touches only tasks that are still to do, and tasks that an answer set aside: what a
person did or set aside stays as they left it.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from django.db import transaction
from django.db.models import F, Q

from practices.accounts.models import User
from practices.common.errors import Conflict
from practices.common.models import Text
from practices.common.services import clean_text, write_text
from practices.common.templatetags.uk import uk_datetime
from practices.directory.models import ClinicalSystem
from practices.plans.models import PlanVersion
from practices.plans.rules import NOT_PREFIX, System, inside
from practices.tracking.models import Gate, Migration, MigrationCondition, Phase, Task
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import cannot_hold

from . import gates
from ._base import lock, note_event
from .due_times import after_of, due_times
from .tasks import SignedOver, is_indispensable, signed_gates_over

Answers = Mapping[str, bool | None]
State = Task.State
WORDS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class Applied:
    """What answers did, as codes of tasks: ``kept`` stay as they are although they do not apply,
    done or set aside by somebody, or because later steps depend on them.
    """

    set_aside: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    changed: bool = True


def known_answers(
    plan_version: PlanVersion, *, source: ClinicalSystem, target: ClinicalSystem
) -> dict[str, bool | None]:
    """The answer to each condition of a plan, as far as the two systems give it."""
    names = {System.SOURCE: source.name, System.TARGET: target.name}
    return {
        row.key: _same(names[System(row.system)], row.named) if row.system else None
        for row in plan_version.conditions.all()
    }


def _same(name: str, named: str) -> bool:
    return name.strip().casefold() == named.strip().casefold()


@dataclass(frozen=True)
class Touched:
    """What answers mean for tasks: to be set aside, to do again, and staying as they are although
    they do not apply. ``falls`` names for each code the condition against it, or nothing.
    """

    falls: dict[str, str]
    aside: list[Task]
    again: list[Task]
    kept: list[Task]


def hanging_on(migration: Migration, keys: Collection[str] | None = None) -> TaskQuerySet:
    """The tasks that hang on one of these conditions, or on any, in plan order.

    Hanging on any does also what was set aside by an answer that its plan no longer asks for.
    """
    tasks = migration.tasks.filter(
        Q(plan_task__applies_if__len__gt=0) | Q(fell_away=True), left_plan=False
    )
    if keys is not None:
        names = [name for key in keys for name in (key, f"{NOT_PREFIX}{key}")]
        tasks = tasks.filter(plan_task__applies_if__overlap=names)
    return tasks.select_related("plan_task__signs__gate").in_plan_order()


def touched_by(tasks: Collection[Task], answers: Answers) -> Touched:
    """Sort tasks that hang on conditions by what these answers do to them."""
    falls = {task.code: cannot_hold(task.applies_if, answers) for task in tasks}
    falling = [task for task in tasks if falls[task.code] and not task.fell_away]
    aside = [t for t in falling if t.is_unfinished and not is_indispensable(t.plan_task)]
    return Touched(
        falls,
        aside,
        again=[task for task in tasks if task.fell_away and not falls[task.code]],
        kept=[task for task in falling if task not in aside],
    )


def ask_conditions(
    migration: Migration, answers: Answers, *, by: User, at: datetime
) -> list[MigrationCondition]:
    """Write the conditions of a locked migration's plan that it does not have yet.

    ``answers`` are by key; what is not there is not known. Their tasks are not touched: that is
    ``apply_conditions``.
    """
    there = set(migration.conditions.values_list("key", flat=True))
    return MigrationCondition.objects.bulk_create(
        MigrationCondition(
            migration=migration,
            plan_condition=row,
            key=row.key,
            answer=answers.get(row.key),
            by=by,
            at=at,
        )
        for row in migration.plan_version.conditions.all()
        if row.key not in there
    )


def answers_of(migration: Migration) -> dict[str, bool | None]:
    """What was answered in a migration, by the key of the condition."""
    return dict(migration.conditions.values_list("key", "answer"))


def apply_conditions(
    migration: Migration,
    *,
    by: User,
    at: datetime,
    keys: Collection[str] | None = None,
    before: Answers = MappingProxyType({}),
    why: Text | None = None,
    leave: Collection[str] = (),
) -> Applied:
    """Set aside what does not apply in a locked migration, and reopen what an answer had set aside.

    Looked at are the tasks that hang on the conditions in ``keys``, or on any. Each condition that
    touches a task, or that is in ``before`` with the answer it had, is one event
    ``condition.answered``.
    ``why`` is needed where something reopens under a sign-off, which is withdrawn; the tasks
    whose codes are in ``leave`` stay as they are.

    Raises :class:`SignedOver` where that is missing.
    """
    rows = {row.key: row for row in migration.conditions.select_related("plan_condition")}
    answers = {key: row.answer for key, row in rows.items()}
    wanted = set(rows if keys is None else keys)
    tasks = hanging_on(migration, keys).exclude(code__in=leave).select_for_update(of=("self",))
    touched = touched_by(list(tasks), answers)
    falls, aside, again = touched.falls, touched.aside, touched.again
    _end_rounds_over(migration, again, by=by, at=at, why=why)
    reasons = {
        key: write_text(body=reason_of(rows[key]), by=by, at=at)
        for key in dict.fromkeys(falls[task.code] for task in aside)
    }
    states = Counter((t.phase_id, t.state) for t in aside + again)
    for task in aside:
        task.state, task.fell_away, task.reason = (
            State.NOT_APPLICABLE,
            True,
            reasons[falls[task.code]],
        )
        task.settled_by, task.settled_at = by, at
    for task in again:
        task.state, task.fell_away, task.reason = State.OPEN, False, None
        task.settled_by, task.settled_at = None, None
    if again:
        _date_again(migration, again)
    _save(migration, aside + again, states)
    told: dict[str, dict[str, list[str]]] = {key: {} for key in before}
    for task in aside:
        told.setdefault(falls[task.code], {}).setdefault("set_aside", []).append(task.code)
    for task in again:
        # Another version of the plan may ask for it whatever was answered.
        if key := next((key for key in _keys(task) if key in wanted), ""):
            told.setdefault(key, {}).setdefault("reopened", []).append(task.code)
    for key, codes in told.items():
        note_event(
            migration,
            "condition.answered",
            by=by,
            at=at,
            subject=f"condition:{key}",
            before=WORDS[before.get(key, answers[key])],
            after=WORDS[answers[key]],
            aside=reasons.get(key),
            reason=why,
            **codes,
        )
    kept = [task.code for task in touched.kept]
    return Applied([t.code for t in aside], [t.code for t in again], kept)


def _keys(task: Task) -> list[str]:
    return [name.removeprefix(NOT_PREFIX) for name in task.applies_if]


def reason_of(row: MigrationCondition) -> str:
    """Why a task was set aside by an answer, in words."""
    return f"Does not apply: {inside(row.plan_condition.title)} (answered {WORDS[row.answer]})"


def _end_rounds_over(
    migration: Migration, tasks: list[Task], *, by: User, at: datetime, why: Text | None
) -> None:
    """Withdraw the signatures that declared these tasks settled."""
    found: dict[int, Gate] = {gate.pk: gate for t in tasks for gate in signed_gates_over(t)}
    for gate in found.values():
        if why is None:
            raise SignedOver(list(found.values()))
        gates.end_round(migration, gate, by=by, at=at, reason=why)


def _date_again(migration: Migration, tasks: list[Task]) -> None:
    """Dates may have moved while they were set aside."""
    after = after_of(migration.tasks.all())
    mine = {task.code for task in tasks}
    others = [task for task in migration.tasks.all() if task.code not in mine] if after else []
    anchors = {d.key: d.moment for d in migration.key_dates.all()}
    times = due_times([*others, *tasks], after, anchors)
    for task in tasks:
        if not task.pinned and (moment := times.get(task.code)):
            task.due_on, task.due_at = moment.on, moment.at


def _save(migration: Migration, tasks: list[Task], before: Mapping[tuple[int, str], int]) -> None:
    """Write tasks whose state changed, with the counters of their phases and the migration."""
    for task in tasks:
        task.version += 1
    fields = ["state", "settled_by", "settled_at", "reason", "fell_away"]
    Task.objects.bulk_update(tasks, [*fields, "due_on", "due_at", "version"], batch_size=400)
    changes: dict[int, Counter[str]] = {}
    for (phase, state), many in before.items():
        changes.setdefault(phase, Counter())[f"{state}_count"] -= many
    for task in tasks:
        changes[task.phase_id][f"{task.state}_count"] += 1
    for phase, change in changes.items():
        figures = {name: F(name) + many for name, many in change.items()}
        Phase.objects.filter(pk=phase).update(**figures)
        Migration.objects.filter(pk=migration.pk).update(**figures)


@transaction.atomic
def answer_condition(
    *,
    migration: Migration,
    key: str,
    answer: bool | None,
    seen: bool | None,
    by: User,
    at: datetime,
    reason: str = "",
) -> Applied:
    """Answer a condition, or change its answer: tasks fall away, or come back.

    ``answer`` is None for not known; ``seen`` is the answer the person looked at. The same answer
    again changes nothing. Raises :class:`Conflict` when it was answered otherwise meanwhile,
    :class:`SignedOver` when a sign-off would be withdrawn and no reason is given.
    """
    migration = lock(migration)
    row = migration.conditions.select_related("plan_condition", "by").get(key=key)
    if row.answer == answer:
        return Applied(changed=False)
    if row.answer != seen:
        raise Conflict(
            f"{row.by} has answered “{WORDS[row.answer]}” on {uk_datetime(row.at)} while you "
            "looked. Check it, then decide."
        )
    before = row.answer
    row.answer, row.by, row.at = answer, by, at
    row.save(update_fields=["answer", "by", "at"])
    why = write_text(body=reason, by=by, at=at) if clean_text(reason) else None
    return apply_conditions(migration, by=by, at=at, keys=[key], before={key: before}, why=why)
