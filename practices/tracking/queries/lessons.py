"""What finished migrations tell about their plan, for whoever drafts its next version.

Collected for a whole plan in a fixed number of statements, however many migrations there are
(practices/plans/panels.py). Words come through ``str()`` of their texts, so what has been
hidden or redacted since is not told here either.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber, TruncDate
from django.urls import reverse

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.models import Text
from practices.common.time import LONDON
from practices.plans.panels import Added, AddedTasks, PlanLessons, Said, TaskLessons, Texts
from practices.plans.rules import GO_LIVE
from practices.tracking.models import KeyDate, Migration, Task, TaskNote

DAY = timedelta(days=1)


class Median(Aggregate):
    """The middle of the values, between two of them their mean."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def lessons_of(
    plan_id: int, *, reader: User, most: int | None, code: str = "", phase: str = ""
) -> PlanLessons:
    """What the finished migrations that ``reader`` sees tell of a plan, in six statements.

    What a supplier wrote for itself alone is told only to those who see all migrations.
    """
    finished = Migration.objects.visible_to(reader).filter(
        state=Migration.State.FINISHED, plan_version__plan=plan_id
    )
    tasks = Task.objects.filter(migration__in=finished.values("pk"))
    planned = tasks.filter(plan_task__isnull=False, **({"code": code} if code else {}))
    added = tasks.filter(plan_task=None, **({"phase__key": phase} if phase else {}))
    return PlanLessons(
        migrations=finished.count(),
        tasks={} if phase else _by_code(planned, reader, most),
        added={} if code else _by_phase(added, reader, most),
    )


def _by_code(planned: QuerySet[Task], reader: User, most: int | None) -> dict[str, TaskLessons]:
    noted = _notes(planned, reader)
    lessons = _texts(noted, "task__code", "note", most)
    # What fell away by an answer about the practice has no reason that somebody wrote.
    set_aside = planned.filter(state=Task.State.NOT_APPLICABLE, fell_away=False)
    reasons = _texts(set_aside, "code", "reason", most)
    overruns = _overruns(planned)
    return {
        code: TaskLessons(
            lessons.get(code, Texts()), reasons.get(code, Texts()), *overruns.get(code, (0, 0, 0))
        )
        for code in sorted({*lessons, *reasons, *overruns})
    }


def _notes(tasks: QuerySet[Task], reader: User) -> QuerySet[TaskNote]:
    notes = TaskNote.objects.filter(is_lesson=True, task__in=tasks.values("pk"))
    if not reader.sees_all:
        notes = notes.filter(written_as="")
    return notes.select_related("text", "task__migration")


def _newest(rows: QuerySet[Any], by: str, at: str, most: int | None) -> list[Any]:
    """The newest rows of each group, each with the ``in_all`` of its group."""
    rows = rows.annotate(
        group=F(by),
        in_all=Window(Count("pk"), partition_by=F(by)),
        place=Window(RowNumber(), partition_by=F(by), order_by=[F(at).desc(), F("pk").desc()]),
    ).order_by("group", "place")
    return list(rows if most is None else rows.filter(place__lte=most))


def _texts(rows: QuerySet[Any], by: str, sort: str, most: int | None) -> dict[str, Texts]:
    """Notes or reasons, newest first, by code of their task."""
    at = "at" if sort == "note" else "settled_at"
    if sort == "reason":
        rows = rows.select_related("migration", "reason")
    found: dict[str, list[Said]] = defaultdict(list)
    in_all: dict[str, int] = {}
    for row in _newest(rows, by, at, most):
        task, text = (row.task, row.text) if sort == "note" else (row, row.reason)
        supplier = Owner(row.written_as).label if getattr(row, "written_as", "") else ""
        found[row.group].append(
            _said(f"{sort}-{row.pk}", text, task, getattr(row, at), supplier=supplier)
        )
        in_all[row.group] = row.in_all
    return {code: Texts(said, in_all[code]) for code, said in found.items()}


def _said(key: str, text: Text, task: Task, at: Any, *, supplier: str = "") -> Said:
    return Said(
        key=key,
        text=str(text),
        is_shown=text.is_shown,
        reference=task.migration.reference,
        url=reverse("tracking:task", args=[task.migration.reference, task.code]),
        at=at,
        supplier=supplier,
    )


def _overruns(planned: QuerySet[Task]) -> dict[str, tuple[int, int, int]]:
    """By code: how often it was done, how often of that late, and by how many days."""
    late = Q(settled_at__gt=F("due_at"))
    days = TruncDate("settled_at", tzinfo=LONDON) - F("due_on")
    counted = (
        planned.filter(state=Task.State.DONE)
        .values("code")
        .annotate(done=Count("pk"), late=Count("pk", filter=late), days=Median(days, filter=late))
        .filter(late__gt=0)
        .order_by("code")
    )
    return {row["code"]: (row["done"], row["late"], round(row["days"] / DAY)) for row in counted}


def _by_phase(added: QuerySet[Task], reader: User, most: int | None) -> dict[str, AddedTasks]:
    """What practices added themselves; what they found did not apply after all is left out."""
    go_live = KeyDate.objects.filter(migration=OuterRef("migration"), key=GO_LIVE)
    rows = _newest(
        added.exclude(state=Task.State.NOT_APPLICABLE)
        .annotate(go_live=Subquery(go_live.values(on=Coalesce("actual_on", "planned_on"))[:1]))
        .select_related("migration", "own_title", "own_guidance"),
        "phase__key",
        "own_title__written_at",
        most,
    )
    learnt = _learnt(rows, reader)
    found: dict[str, list[Added]] = defaultdict(list)
    for task in rows:
        found[task.group].append(
            Added(
                _said(f"task-{task.pk}", task.own_title, task, task.own_title.written_at),
                guidance=_shown(task.own_guidance),
                owner=task.owner,
                days=(task.due_on - task.go_live).days if task.go_live else None,
                lessons=learnt[task.pk],
            )
        )
    in_all = {task.group: task.in_all for task in rows}
    return {phase: AddedTasks(tasks, in_all[phase]) for phase, tasks in found.items()}


def _shown(text: Text | None) -> str:
    return str(text) if text and text.is_shown else ""


def _learnt(tasks: Iterable[Any], reader: User) -> dict[int, list[str]]:
    """The lessons noted on tasks of their own, by id of the task."""
    own = Task.objects.filter(pk__in=[task.pk for task in tasks])
    found: dict[int, list[str]] = defaultdict(list)
    for note in _notes(own, reader).order_by("at", "pk"):
        if note.text.is_shown:
            found[note.task_id].append(str(note.text))
    return found
