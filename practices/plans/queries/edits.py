"""The edits of a draft in words, newest first."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby

from django.core.paginator import Page, Paginator

from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.rules import (
    PLAN,
    Difference,
    Part,
    Step,
    Wording,
    differences,
    find,
    seen_before,
)

from .trees import tree_of

PAGE = 25
NOUNS = {"key_date": "Key dates", "order": "Order"}


@dataclass(frozen=True)
class PartLine:
    """What an edit did to one part: ``said`` in short, ``texts`` where both wordings are long."""

    subject: str
    said: list[str]
    texts: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class EditLine:
    """An edit with what it did; ``taken_back`` is the edit that took it back."""

    edit: PlanEdit
    parts: list[PartLine]
    taken_back: PlanEdit | None


class History:
    """Goes back from what a draft says now, so that each edit can say what it started from."""

    def __init__(self, version: PlanVersion) -> None:
        self.content = version.content or {}
        self.say = Wording(tree_of(version))
        self.parts: dict[tuple[str, str], Part] = {}

    def line(self, edit: PlanEdit) -> EditLine:
        """One edit in words; afterwards the history stands before it."""
        lines = list(self._lines(edit.steps))
        return EditLine(edit, lines, getattr(edit, "taken_back_by", None))

    def pass_over(self, edit: PlanEdit) -> None:
        """Go back past an edit that is not shown."""
        for step in edit.steps:
            self._back(step)

    def _lines(self, steps: list[Step]) -> Iterator[PartLine]:
        for (kind, key, do), group in groupby(steps, key=_part):
            mine = list(group)
            if do == "order":
                yield PartLine(f"{_noun(kind)}s", ["in another order"])
                continue
            if do in ("add", "remove"):
                yield PartLine(self._name(kind, mine[0]["part"]), [f"{do.rstrip('e')}ed"])
                self._back(mine[0])
                continue
            after = deepcopy(self._now(kind, key))
            for step in mine:
                self._back(step)
            found = differences(kind, self._now(kind, key), after, self.say)
            texts = [one for one in found if one.is_long]
            yield PartLine(self._name(kind, after), [str(one) for one in found], texts)

    def _now(self, kind: str, key: str) -> Part:
        if (kind, key) not in self.parts:
            self.parts[kind, key] = deepcopy(find(self.content, kind, key) or {})
        return self.parts[kind, key]

    def _back(self, step: Step) -> None:
        if step["do"] == "remove":
            self.parts[step["kind"], step["key"]] = deepcopy(step["part"])
        elif step["do"] == "set":
            self._now(step["kind"], step["key"])[step["field"]] = step["before"]

    def _name(self, kind: str, part: Part) -> str:
        code = f"{part['code']} " if kind == "task" else ""
        return "Plan" if kind == PLAN else f"{_noun(kind)} {code}{part['title']}"


def _part(step: Step) -> tuple[str, str, str]:
    return step["kind"], step.get("key", ""), step["do"]


def _noun(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def edits_of(version: PlanVersion, number: str | None = None) -> tuple[Page, list[EditLine]]:
    """A page of a draft's edits, newest first, each in words."""
    edits = version.edits.select_related("by", "taken_back_by__by", "takes_back")
    page = Paginator(edits.order_by("-number"), PAGE).get_page(number)
    history = History(version)
    for edit in version.edits.order_by("-number")[: page.start_index() - 1 if page else 0]:
        history.pass_over(edit)
    return page, [history.line(edit) for edit in page]


def part_seen(version: PlanVersion, kind: str, key: str, seen: int) -> Part | None:
    """A part as the page showed it that was opened at that revision of the draft."""
    since = version.edits.filter(number__gt=seen).order_by("-number")
    steps = (step for edit in since for step in reversed(edit.steps))
    return seen_before(find(version.content or {}, kind, key), kind, key, steps)


def recent_edits(version: PlanVersion, count: int = 5) -> list[EditLine]:
    """The newest edits of a draft, in words."""
    history = History(version)
    edits = version.edits.select_related("by", "taken_back_by__by", "takes_back")
    return [history.line(edit) for edit in edits.order_by("-number")[:count]]
