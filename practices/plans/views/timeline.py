"""The timeline of a previewed plan as rows, each with the words of its dates and its picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.text import capfirst

from practices.plans.rules import (
    BREACH_PREFIX,
    DatedClock,
    DatedGate,
    Doubt,
    Moment,
    Preview,
    Wording,
    listed,
    span,
)

from .due_line import say

MARGIN = timedelta(days=3)  # left free at both ends of the picture
THIN = 1.2  # per cent of the picture: the least that can be seen of a bar


@dataclass(frozen=True)
class Picture:
    """A bar where there is one, in per cent of the picture's width, and what stands on it.

    ``warnings`` are small lines; ``clashes`` are triangles, so that they are seen without colour.
    """

    x: float
    width: float
    clashes: list[float]
    warnings: list[float]


@dataclass(frozen=True)
class Row:
    """A phase, gate or clock: its dates in words, more of it, what clashes, and its picture.

    Of a phase only how many clash: its tasks are listed with theirs.
    """

    title: str
    first: str
    last: str
    picture: Picture
    clashes: int = 0
    doubts: tuple[str, ...] = ()
    more: str = ""


def _listed(words: Iterable[str]) -> str:
    """Words in a row, each once, or nothing."""
    said = list(dict.fromkeys(words))
    return listed(said) if said else ""


class Timeline:
    """The rows of a plan laid out for one go-live, all on one scale."""

    def __init__(self, found: Preview, doubts: list[Doubt]) -> None:
        self.found = found
        self.said: dict[tuple[str, str], list[str]] = {}
        for doubt in doubts:
            self.said.setdefault((doubt.kind, doubt.key), []).append(doubt.message)
        self.clocks_dated = found.clocks
        moments = [*found.key_dates.values(), *found.due.values()]
        for clock in self.clocks_dated:
            moments += [one for one in (clock.end, *clock.warnings) if one]
        times = [moment.at for moment in moments] or [found.go_live_at]
        self.begin, self.end = min(times) - MARGIN, max(times) + MARGIN

    def x(self, at: datetime) -> float:
        """Where an instant stands in the picture, in per cent."""
        return round(100 * ((at - self.begin) / (self.end - self.begin)), 2)

    def phases(self) -> list[Row]:
        return [
            Row(
                one.phase.title,
                say(one.first),
                say(one.last),
                self._picture(
                    one.first,
                    one.last,
                    clashes=self._clashing(task.code for task in one.phase.tasks),
                ),
                clashes=sum(len(self.of("task", task.code)) for task in one.phase.tasks),
            )
            for one in self.found.spans
        ]

    def gates(self) -> list[Row]:
        say_of = Wording(self.found.tree)
        signing: dict[str, list[str]] = {}
        for task in self.found.tree.tasks():
            signing.setdefault(task.gate, []).append(task.code)
        return [self._gate(one, say_of, signing.get(one.gate.key, [])) for one in self.found.gates]

    def _gate(self, one: DatedGate, say_of: Wording, signing: list[str]) -> Row:
        doubts = list(self.of("gate", one.gate.key))
        clashes = self._clashing(signing)
        if doubts and not clashes:
            clashes = [self.x(one.opens.at) if one.opens else 0]
        blocked = _listed(say_of.blocked(name) for name in one.gate.blocks)
        if one.holds_up:
            blocked = f"{blocked}: planned for {say(one.holds_up)}"
        doubts += [f"{code}: {said}" for code in signing for said in self.of("task", code)]
        signed = [self.found.due[code] for code in signing if code in self.found.due]
        return Row(
            one.gate.title,
            f"{say(one.opens)}, when {one.last} is due" if one.opens else "At any time",
            capfirst(blocked) or "Nothing",
            self._picture(one.opens, one.holds_up, clashes=clashes),
            doubts=tuple(doubts),
            more=_listed(say(moment) for moment in signed),
        )

    def clocks(self) -> list[Row]:
        titles = {clock.key: clock.title for clock in self.found.tree.clocks}
        return [self._clock(one, titles) for one in self.clocks_dated]

    def _clock(self, one: DatedClock, titles: dict[str, str]) -> Row:
        doubts = self.of("clock", one.clock.key)
        before = one.clock.starts.removeprefix(BREACH_PREFIX)
        length = span(one.clock.limit, one.clock.unit)
        if before != one.clock.starts:
            first = f"Only if “{titles.get(before, before)}” is stopped too late"
            last = f"{length} after that"
        else:
            first = say(one.start) if one.start else "No date"
            last = f"{say(one.end)}, after {length}" if one.end else "No date"
        return Row(
            one.clock.title,
            first,
            last,
            self._picture(
                one.start,
                one.end,
                clashes=[self.x(one.start.at)] if doubts and one.start else [],
                warnings=one.warnings,
            ),
            doubts=tuple(doubts),
            more=_listed(say(moment) for moment in one.warnings),
        )

    def of(self, kind: str, key: str) -> list[str]:
        """What deserves a second look about a part."""
        return self.said.get((kind, key), [])

    def _clashing(self, codes: Iterable[str]) -> list[float]:
        due = self.found.due
        found = {self.x(due[code].at) for code in codes if code in due and self.of("task", code)}
        return sorted(found)

    def _picture(
        self,
        first: Moment | None,
        last: Moment | None,
        *,
        clashes: list[float],
        warnings: Iterable[Moment] = (),
    ) -> Picture:
        """A bar from one moment to another; from the beginning or a mere line where one fails."""
        ticks = [self.x(moment.at) for moment in warnings]
        if first is None and last is None:
            return Picture(0, 0, clashes, ticks)
        x = self.x(first.at) if first else 0
        width = self.x(last.at) - x if last else 0
        return Picture(x, max(THIN, round(width, 2)), clashes, ticks)
