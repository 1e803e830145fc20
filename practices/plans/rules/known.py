"""What the checks of a plan share: the faults they report and the names they look up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from practices.accounts.roles import Owner

from .tree import PlanTree, Precision

Path = tuple[str | int, ...]

# Contacts, not users: nobody signs in as one of these (guide.md D.1).
NOT_PEOPLE = frozenset({Owner.THIRD_PARTY_SUPPLIER, Owner.PCSE, Owner.PATIENT_GROUP, Owner.ALL})


@dataclass(frozen=True)
class Problem:
    """One fault of a plan: where it stands and, in a sentence, what is wrong."""

    path: Path
    message: str


class Known:
    """What the parts of a plan may refer to."""

    def __init__(self, tree: PlanTree) -> None:
        self.key_dates = {node.key: node for node in tree.key_dates}
        self.phases = {node.key for node in tree.phases}
        self.tasks = {node.code: node for node in tree.tasks()}
        self.gates = {node.key: node for node in tree.gates}
        self.clocks = {node.key: node for node in tree.clocks}
        self.conditions = {node.key: node for node in tree.conditions}

    def has_time(self, key: str) -> bool:
        """Whether a key date is a minute; an unknown one is another fault."""
        return key not in self.key_dates or self.key_dates[key].precision == Precision.MINUTE


def twice(path: Path, field: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that stand in a list more than once, at their second place."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem((*path, index, field), f"{name} is there twice: names must be different.")
        seen.add(name)


def circle(links: Mapping[str, Iterable[str]]) -> list[str]:
    """The names on a circle of references, or an empty list."""
    finished: set[str] = set()
    for start in links:
        trail: list[str] = []
        todo = [(start, iter(links.get(start, ())))] if start not in finished else []
        while todo:
            name, others = todo[-1]
            if len(trail) < len(todo):
                trail.append(name)
            for other in others:
                if other in trail:
                    return trail[trail.index(other) :]
                if other not in finished:
                    todo.append((other, iter(links.get(other, ()))))
                    break
            else:
                finished.add(name)
                todo.pop()
                trail.pop()
    return []


def untold(tell: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Roles under ``tell`` that nobody signs in with."""
    for role in tell:
        if role in NOT_PEOPLE:
            yield "tell", f"{role} is no role that people sign in with: nobody would be told."
