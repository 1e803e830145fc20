"""How what practices learnt and added comes into a plan."""

from collections.abc import Iterable

from .tree import PlanTree


def says(text: str, words: str) -> bool:
    """Whether a text holds these words already, however its lines are broken."""
    return _plain(words) in _plain(text)


def is_called(titles: Iterable[str], title: str) -> bool:
    """Whether one of these titles is this one, however it is spaced and capitalised."""
    return _plain(title) in map(_plain, titles)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def appended(text: str, words: str) -> str:
    """A text with a further paragraph."""
    return f"{text}\n\n{words}" if text else words


def next_code(tree: PlanTree, phase: str) -> str:
    """A code that goes on from the tasks of a phase, and that no task has."""
    stems = [task.code.rsplit("-", 1)[0] for one in tree.phases if one.key == phase
             for task in one.tasks]  # fmt: skip
    plain = "".join(letter for letter in phase.upper() if letter.isalpha())[:3]
    stem = stems[-1] if stems else plain or "TASK"
    numbers = [
        int(number)
        for code in (task.code for task in tree.tasks())
        for head, _, number in [code.rpartition("-")]
        if head == stem and number.isdigit()
    ]
    return f"{stem}-{max(numbers, default=0) + 1:02}"
