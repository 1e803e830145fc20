"""What upper rooms tell the pages of plans: plans know nothing of running migrations."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from practices.accounts.models import User

from .models import PlanVersion


@dataclass(frozen=True)
class Said:
    """What a practice wrote about a task of the plan.

    ``key`` names it among all, ``url`` leads to where it was written. ``supplier`` is the one
    that wrote it, where it is of one alone. ``is_shown`` is False once it has been hidden;
    then ``text`` says only that.
    """

    key: str
    text: str
    is_shown: bool
    reference: str
    url: str
    at: datetime
    supplier: str = ""


@dataclass(frozen=True)
class Added:
    """A task that a practice added itself, with what it learnt from it.

    ``days`` counts from go-live to its due date, in calendar days; None without a go-live.
    """

    said: Said
    guidance: str
    owner: str
    days: int | None
    lessons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Texts:
    """The newest of what was written, and how many there are in all."""

    newest: list[Said] = field(default_factory=list)
    count: int = 0

    @property
    def more(self) -> int:
        return self.count - len(self.newest)


@dataclass(frozen=True)
class TaskLessons:
    """What finished migrations tell about a task of their plan.

    Of ``done`` times it was done, it was late ``late`` times, by ``median_days`` calendar days
    in the middle of them.
    """

    lessons: Texts = field(default_factory=Texts)
    reasons: Texts = field(default_factory=Texts)
    done: int = 0
    late: int = 0
    median_days: int = 0


@dataclass(frozen=True)
class AddedTasks:
    """The newest tasks that practices added to a phase, and how many there are in all."""

    newest: list[Added] = field(default_factory=list)
    count: int = 0

    @property
    def more(self) -> int:
        return self.count - len(self.newest)


@dataclass(frozen=True)
class PlanLessons:
    """What finished migrations tell about their plan: by task code, and by key of a phase."""

    migrations: int = 0
    tasks: dict[str, TaskLessons] = field(default_factory=dict)
    added: dict[str, AddedTasks] = field(default_factory=dict)


class Lessons(Protocol):
    """Collects what finished migrations on any version of a plan tell ``reader`` of it.

    ``most`` limits how many texts of one sort are told about a task, newest first, and how many
    tasks of a phase; None tells all. With ``code`` only that task is told of, with ``phase``
    only what was added to that phase.
    """

    def __call__(
        self, plan_id: int, *, reader: User, most: int | None, code: str = "", phase: str = ""
    ) -> PlanLessons: ...


Uses = Callable[[Collection[int]], dict[int, int]]
_uses: list[Uses] = []
_lessons: list[Lessons] = []


def register_uses(uses: Uses) -> None:
    """Say how many use a version of a plan; called by an upper room's ``AppConfig.ready``.

    ``uses(ids)`` takes ids of versions and returns how many migrations run on each; a version
    with none may be left out.
    """
    _uses.append(uses)


Moves = Callable[[PlanVersion, User], str]
_moves: list[Moves] = []


def register_moves(moves: Moves) -> None:
    """Say where running migrations are moved to a version; called as :func:`register_uses` is.

    ``moves(version, user)`` gives an address, empty where this person has none to move.
    """
    _moves.append(moves)


def move_to(version: PlanVersion, user: User) -> str:
    """The address where this person moves running migrations to a published version, if any."""
    return next((url for moves in _moves if (url := moves(version, user))), "")


def running(version_ids: Collection[int]) -> dict[int, int]:
    """How many migrations run on each of these versions."""
    told = [uses(version_ids) for uses in _uses]
    return {pk: sum(found.get(pk, 0) for found in told) for pk in version_ids}


def register_lessons(lessons: Lessons) -> None:
    """Say what was learnt from a plan; called by the ``AppConfig.ready`` of one upper room."""
    _lessons[:] = [lessons]


def lessons(
    plan_id: int, *, reader: User, most: int | None, code: str = "", phase: str = ""
) -> PlanLessons:
    """What finished migrations tell of a plan, as :class:`Lessons` says."""
    for collect in _lessons:
        return collect(plan_id, reader=reader, most=most, code=code, phase=phase)
    return PlanLessons()
