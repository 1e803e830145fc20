"""What is known about a practice, and what each answer means for its tasks."""

from dataclasses import dataclass

from practices.plans.rules import NOT_PREFIX
from practices.tracking.models import Migration, MigrationCondition, Task
from practices.tracking.services.conditions import Touched, answers_of, hanging_on, touched_by

ANSWERS = {True: "Yes", False: "No", None: "Not known yet"}


@dataclass(frozen=True)
class ConditionLine:
    """A condition as it was answered. ``aside``, ``held`` are tasks: those that its answer set
    aside, and all that hang on it."""

    condition: MigrationCondition
    aside: list[Task]
    held: int

    @property
    def answer(self) -> str:
        return ANSWERS[self.condition.answer]


def condition_lines(migration: Migration) -> list[ConditionLine]:
    """Every condition of a migration, in the order of its plan."""
    rows = list(migration.conditions.select_related("plan_condition", "by"))
    tasks = list(hanging_on(migration)) if rows else []
    lines = []
    for row in rows:
        mine = [t for t in tasks if {row.key, f"{NOT_PREFIX}{row.key}"} & set(t.applies_if)]
        lines.append(ConditionLine(row, [t for t in mine if t.fell_away], len(mine)))
    return lines


def consequences(migration: Migration, key: str) -> list[tuple[str, Touched]]:
    """Each answer that a condition can be given instead, with what it would do."""
    answers = answers_of(migration)
    tasks = list(hanging_on(migration, [key]))
    return [
        (words, touched_by(tasks, {**answers, key: answer}))
        for answer, words in ANSWERS.items()
        if answer != answers[key]
    ]
