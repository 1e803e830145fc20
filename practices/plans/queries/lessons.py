"""What finished migrations tell about a plan, beside what its draft says by now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from practices.accounts.models import User
from practices.plans import panels
from practices.plans.models import PlanTask, PlanVersion
from practices.plans.panels import Added, Said, TaskLessons, Texts
from practices.plans.rules import PlanTree, is_called, says

from .trees import tree_of

SHOWN = 3  # texts of one sort about a task, and added tasks of a phase
PAGE = 25  # tasks


@dataclass(frozen=True)
class TextLine:
    """A text; whether the draft, or the published version, says it already."""

    said: Said
    in_draft: bool
    in_published: bool

    @property
    def can_adopt(self) -> bool:
        return self.said.is_shown and not self.in_draft


@dataclass(frozen=True)
class AddedLine(TextLine):
    """A task that a practice added."""

    added: Added


@dataclass(frozen=True)
class TaskEntry:
    """A task with what was learnt from it. ``in_draft`` is False for one that the draft lacks."""

    code: str
    title: str
    in_draft: bool
    lessons: list[TextLine]
    reasons: list[TextLine]
    told: TaskLessons

    @property
    def count(self) -> int:
        return self.told.lessons.count + self.told.reasons.count

    @property
    def lines(self) -> Sequence[TextLine]:
        return [*self.lessons, *self.reasons]

    @property
    def more(self) -> int:
        """How many texts are not among these."""
        return self.told.lessons.more + self.told.reasons.more


@dataclass(frozen=True)
class PhaseEntry:
    """A phase with the tasks that practices added to it."""

    key: str
    title: str
    in_draft: bool
    lines: Sequence[TextLine]
    more: int


@dataclass(frozen=True)
class LessonsPage:
    """Everything learnt from a plan: how many migrations tell of it, and what."""

    migrations: int
    tasks: "Page[TaskEntry]"
    phases: list[PhaseEntry]


class _Plan:
    """What a draft says, and what is published of the same plan."""

    def __init__(self, version: PlanVersion) -> None:
        self.tree: PlanTree = tree_of(version)
        self.tasks = {task.code: task for task in self.tree.tasks()}
        self.phases = {phase.key: phase.title for phase in self.tree.phases}
        published = PlanTask.objects.filter(
            version__plan=version.plan_id, version__state=PlanVersion.State.PUBLISHED
        )
        self.published = {
            code: (title, lesson)
            for code, title, lesson in published.values_list("code", "title", "lesson")
        }

    def entry(self, code: str, told: TaskLessons) -> TaskEntry:
        task = self.tasks.get(code)
        title, published = self.published.get(code, ("", ""))
        lesson = task.lesson if task else ""

        def lines(texts: Texts) -> list[TextLine]:
            return [
                TextLine(said, says(lesson, said.text), says(published, said.text))
                for said in texts.newest
            ]

        return TaskEntry(
            code=code,
            title=task.title if task else title,
            in_draft=task is not None,
            lessons=lines(told.lessons),
            reasons=lines(told.reasons),
            told=told,
        )

    def phase(self, key: str, tasks: panels.AddedTasks) -> PhaseEntry:
        drafted = [task.title for task in self.tasks.values()]
        published = [title for title, _ in self.published.values()]
        lines = [
            AddedLine(
                one.said,
                is_called(drafted, one.said.text),
                is_called(published, one.said.text),
                one,
            )
            for one in tasks.newest
        ]
        return PhaseEntry(key, self.phases.get(key, key), key in self.phases, lines, tasks.more)


def lessons_page(version: PlanVersion, reader: User, number: str | None) -> LessonsPage:
    """All tasks with something learnt, those with most first, and what practices added."""
    plan = _Plan(version)
    told = panels.lessons(version.plan_id, reader=reader, most=SHOWN)
    entries = [plan.entry(code, one) for code, one in told.tasks.items()]
    entries.sort(key=lambda entry: (-entry.count, -entry.told.late, entry.code))
    return LessonsPage(
        migrations=told.migrations,
        tasks=Paginator(entries, PAGE).get_page(number),
        phases=[plan.phase(key, added) for key, added in _ordered(told.added, plan.phases)],
    )


def _ordered(
    added: dict[str, panels.AddedTasks], phases: Iterable[str]
) -> list[tuple[str, panels.AddedTasks]]:
    """In the order of the draft's phases; those that it lacks come last."""
    keys = [*phases, *(key for key in added if key not in phases)]
    return [(key, added[key]) for key in keys if key in added]


def task_entry(
    version: PlanVersion, code: str, reader: User, *, most: int | None = SHOWN
) -> TaskEntry | None:
    """What was learnt from one task; None where no finished migration tells of it."""
    told = panels.lessons(version.plan_id, reader=reader, most=most, code=code).tasks.get(code)
    return _Plan(version).entry(code, told) if told else None


def phase_entry(version: PlanVersion, key: str, reader: User) -> PhaseEntry | None:
    """Every task that practices added to one phase."""
    told = panels.lessons(version.plan_id, reader=reader, most=None, phase=key).added.get(key)
    return _Plan(version).phase(key, told) if told else None
