"""A migration's events in words: who did what, when, before and after.

Events hold ids and digests. Names, task titles and texts are looked up here,
for a whole page of events in a fixed number of statements, so what was hidden
or redacted since is hidden here too.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from practices.accounts.models import User
from practices.common.models import Event, EventQuerySet, Text
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date, to_london
from practices.common.verification import is_id
from practices.plans.models import PlanKeyDate, PlanVersion, Unit
from practices.plans.rules import inside, listed

from .models import PARTIES, ClockRun, Contact, Migration, Task
from .records import UNREADABLE
from .rules import GL, HOUR, MINUTE, in_words

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moved:
    """A date or a task's due time that an event moved along."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One event as people read it.

    ``quotes`` are the words that were typed with it, ``moved`` what moved because of it.
    """

    seq: int
    at: datetime
    by: str
    said: str
    quotes: list[Text]
    before: str | Text
    after: str | Text
    moved: list[Moved]


class Words:
    """What a page of events refers to, looked up at once."""

    def __init__(self, migration: Migration, events: Iterable[Event]) -> None:
        events = [event for event in events if isinstance(event.data, dict)]
        kinds: dict[str, set[str]] = {}
        for event in events:
            kind, _, key = event.subject.partition(":")
            kinds.setdefault(kind, set()).add(key)
        # Of what left the plan, the newest version that had it says the name.
        versions = PlanVersion.objects.filter(
            plan=migration.plan_version.plan_id, number__lte=migration.plan_version.number
        ).order_by("number")
        tasks = migration.tasks.filter(code__in=kinds.get("task", ()))
        self.tasks = {
            task.code: task.title for task in tasks.select_related("plan_task", "own_title")
        }
        dates = PlanKeyDate.objects.filter(version__in=versions).order_by(
            "version__number", "position"
        )
        self.dates = {row.key: row for row in dates}
        named = versions.filter(gates__isnull=False)
        self.gates = dict(named.values_list("gates__key", "gates__title"))
        self.seats = {
            (gate, seat): title
            for gate, seat, title in named.values_list(
                "gates__key", "gates__seats__key", "gates__seats__title"
            )
        }
        self.clocks = dict(
            versions.filter(clocks__isnull=False).values_list("clocks__key", "clocks__title")
        )
        asked = versions.filter(conditions__isnull=False).values_list(
            "conditions__key", "conditions__question"
        )
        self.conditions = dict(asked) if "condition" in kinds else {}
        ids = {key for key in kinds.get("contact", ()) if key.isdecimal() and is_id(int(key))}
        self.contacts = {str(c.pk): c for c in Contact.objects.filter(pk__in=ids)}
        self.people = User.objects.in_bulk(_people(events))
        self.texts = Text.objects.in_bulk(_texts(events))

    def name(self, kind: str, key: str) -> str:
        """What a subject such as ``gate:go_live_data`` is called."""
        match kind:
            case "task":
                return f"{key} “{self.tasks.get(key, key)}”"
            case "date":
                return f"“{self.dates[key].title}”"
            case "gate":
                return f"“{self.gates[key]}”"
            case "clock":
                return self.clocks[key]
            case "condition":
                return self.conditions[key]
            case _:
                return str(self.contacts.get(key, ""))

    def text(self, reference: dict[str, Any] | None) -> str | Text:
        return self.texts.get(reference["text"], "") if reference else ""

    def person(self, pk: Any) -> str:
        person = self.people.get(pk)
        return person.name if person else "everybody with its role"

    def moment(self, key: str, iso: str | None) -> str:
        """An event's instant as the key date is known: a day, or a day and time."""
        if not iso:
            return "not recorded"
        instant = datetime.fromisoformat(iso)
        row = self.dates.get(key)
        if row is not None and row.precision == PlanKeyDate.Precision.DAY:
            # A day's instant is the exclusive start of the next one.
            return uk_date(london_date(instant - HOUR))
        return uk_datetime(instant)


def _people(events: list[Event]) -> set[int]:
    handed = [e for e in events if e.kind in {"task.assigned", "migration.manager_changed"}]
    found = [e.data.get(side) for e in handed for side in ("before", "after")]
    found += [e.data.get("deputy_for") for e in events if e.kind == "gate.signed"]
    return {pk for pk in found if is_id(pk)}


def _texts(events: list[Event]) -> set[int]:
    return {value["text"] for event in events for value in _references(event)}


def _references(event: Event) -> list[dict[str, Any]]:
    return [v for v in event.data.values() if isinstance(v, dict) and is_id(v.get("text"))]


def _quoted(event: Event) -> list[dict[str, Any]]:
    """The texts that do not stand in the sentence, nor before and after."""
    if event.kind in SAID_ELSEWHERE:
        return []
    if event.kind == "access.extended":
        return [event.data["reason"]]
    return _references(event)


# What each kind of event says. A word in braces is looked up by `_facts`.
SENTENCES = {
    "migration.started": "Started the migration from plan version {plan_version}, "
    "with {tasks} tasks, for go-live on {go_live}",
    "migration.manager_changed": "Made {after} the project manager, in place of {before}",
    "migration.upgraded": "Moved the migration from version {from} of its plan to version {to}"
    "{upgraded}",
    "migration.upgrade_undone": "Took back the move to version {from} of the plan: "
    "it has version {to} again",
    "migration.finished": "Closed the migration",
    "migration.cancelled": "Cancelled the migration",
    "migration.deleted": "Deleted the migration",
    "counters.corrected": "Corrected the stored counts of tasks",
    "task.done": "Did {task}",
    "task.reopened": "Reopened {task}",
    "task.blocked": "Marked {task} as blocked",
    "task.not_applicable": "Marked {task} as not applicable",
    "task.assigned": "Gave {task} to {assignee}",
    "task.noted": "Added a note to {task}",
    "task.evidence_added": "Added evidence to {task}",
    "task.evidence_removed": "Removed evidence from {task}",
    "task.added": "Added the task {task}",
    "task.due_moved": "Moved the due date of {task}",
    "dates.replanned": "Planned {date} again",
    "date.recorded": "Recorded {date}",
    "date.corrected": "Corrected {date}",
    "date.cleared": "Took back the recorded {date}",
    "cut_over.aborted": "Aborted the cut-over",
    "clock.started": "{clock} started: {limit}, until {end}",
    "clock.stopped": "{clock} stopped: {outcome}",
    "clock.void": "{clock} {outcome}",
    "clock.explained": "Gave the reason why {clock} ran over its limit",
    "access.extended": "Agreed on another end of {clock}{cost}, with {agreed}",
    "access.checked": "Checked {clock} on {on}: {outcome}",
    "gate.signed": "Signed {gate} as {seat}{in_place}",
    "gate.opened": "{gate} is signed off",
    "gate.withdrawn": "Withdrew the sign-off {gate}",
    "gate.bypass_recorded": "Recorded going ahead without {gate}",
    "gate.bypass_confirmed": "Confirmed going ahead without {gate}",
    "condition.answered": "Answered “{condition}”: {after}{touched}",
    "contact.added": "Added the contact {contact}",
    "contact.changed": "Changed the contact {contact}",
    "contact.removed": "Removed the contact {contact}",
    "patient_data.reported": "Reported patient data in {place}, which hid {what}",
    "patient_data.redacted": "Removed patient data from {place}, {waited} after it was reported",
    "patient_data.restored": "Showed {what} in {place} again: it is no patient data",
}


ANSWERS = {"yes": "yes", "no": "no", "unknown": "not known yet"}
# Their texts stand in the sentence, or before and after.
SAID_ELSEWHERE = {
    "task.added",
    "contact.changed",
    "patient_data.reported",
    "patient_data.redacted",
    "patient_data.restored",
}


def _facts(words: Words, event: Event, key: str) -> dict[str, Any]:
    """The words of one event's sentence."""
    data = event.data
    facts: dict[str, Any] = dict(data)
    kind = event.subject.partition(":")[0]
    if kind:
        facts[kind] = words.name(kind, key)
    if kind == "clock":
        facts |= _clock_facts(words, event)
    match event.kind:
        case "migration.started":
            facts["go_live"] = words.moment(GL, data["go_live"])
        case "migration.upgraded":
            facts["upgraded"] = _upgraded(data)
        case "migration.manager_changed":
            facts |= {side: words.person(data[side]) for side in ("before", "after")}
        case "task.assigned":
            facts["assignee"] = words.person(data["after"])
        case "gate.signed":
            facts["seat"] = inside(words.seats.get((key, data["seat"]), data["seat"]))
            absent = data.get("deputy_for")
            facts["in_place"] = f", as deputy of {words.person(absent)}" if absent else ""
        case "condition.answered":
            facts |= {"after": ANSWERS[data["after"]], "touched": _touched(data)}
    if event.kind.startswith("patient_data."):
        facts["what"] = "a file" if "file" in data else "a text"
        facts["place"] = facts.get(kind) or "the migration"
        facts["waited"] = in_words(data.get("minutes", 0) * MINUTE)
    return facts


def _touched(data: dict[str, Any]) -> str:
    """The tasks that an answer set aside or brought back."""
    said = [
        f"; {what}: {listed(data[key])}"
        for key, what in (("set_aside", "does not apply"), ("reopened", "to do again"))
        if data.get(key)
    ]
    return "".join(said)


def _upgraded(data: dict[str, Any]) -> str:
    """The tasks that another version of the plan added, took away or left out."""
    said = [
        f"; {what}: {listed(list(data[key]))}"
        for key, what in (
            ("added", "new"),
            ("removed", "removed"),
            ("kept", "no longer in the plan"),
            ("back", "in the plan again"),
            ("left_out", "left out under a sign-off"),
        )
        if data.get(key)
    ]
    return "".join(said)


def _clock_facts(words: Words, event: Event) -> dict[str, str]:
    """What a clock's event says of its limit or of what became of it."""
    data = event.data
    match event.kind:
        case "clock.started":
            hours = data["unit"] == Unit.HOURS
            end = (
                uk_datetime(datetime.fromisoformat(data["ends_at"]))
                if hours
                else uk_date(date.fromisoformat(data["ends_on"]))
            )
            return {"limit": f"{data['limit']} {Unit(data['unit']).label}", "end": end}
        case "clock.void":
            if data.get("again"):
                return {"outcome": "is counted again from corrected dates"}
            extended = data.get("extended")
            return {"outcome": "is counted to another end" if extended else "no longer counts"}
        case "clock.stopped":
            return {"outcome": ClockRun.State(data["after"]).label.lower()}
        case "access.extended":
            agreed = [
                f"{inside(party.label)} ({words.text(data[party])}, "
                f"{uk_date(date.fromisoformat(data['agreed'][party]))})"
                for party in PARTIES
                if party in data["agreed"]
            ]
            cost = f" for £{data['cost']}" if "cost" in data else ""
            return {"cost": cost, "agreed": listed(agreed)}
        case "access.checked":
            on = uk_date(date.fromisoformat(data["checked_on"]))
            return {"on": on, "outcome": f"it is {'' if data['is_there'] else 'not '}there"}
    return {}


def readable(migration: Migration, user: User) -> EventQuerySet:
    """The events of a migration that this person may read.

    Those about a note or evidence of one supplier are not for the other (``OneSided``).
    """
    events = Event.objects.of(migration.stream)
    closed = migration.closed_to(user)
    # Most events have no such key; to compare it would be neither true nor false for them.
    return events.exclude(data__contains={"written_as": closed}) if closed else events


def lines(migration: Migration, events: Iterable[Event]) -> list[Line]:
    """Events of one migration as people read them, in the order given."""
    events = list(events)
    words = Words(migration, events)
    return [_line_or_less(words, event) for event in events]


def _line_or_less(words: Words, event: Event) -> Line:
    """A forged row may hold anything; it must not take the page away from all the others."""
    try:
        return _line(words, event)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        logger.warning("Event %s of %s cannot be read.", event.seq, event.stream, exc_info=True)
        by = event.by.name if event.by else "Migration Tracker"
        return Line(event.seq, event.at, by, UNREADABLE, [], "", "", [])


def _line(words: Words, event: Event) -> Line:
    key = event.subject.partition(":")[2]
    before, after = _sides(words, event, key)
    return Line(
        seq=event.seq,
        at=event.at,
        by=event.by.name if event.by else "Migration Tracker",
        said=SENTENCES[event.kind].format_map(_facts(words, event, key)),
        quotes=[
            text
            for value in _quoted(event)
            if (text := words.texts.get(value["text"])) and str(text)
        ],
        before=before,
        after=after,
        moved=_moved(words, event, key),
    )


def _moved(words: Words, event: Event, key: str) -> list[Moved]:
    """Other dates first, then tasks by code."""
    dates = [
        Moved(words.dates[name].title, words.moment(name, before), words.moment(name, after))
        for name, (before, after) in event.data.get("dates", {}).items()
        if name != key
    ]
    tasks = [
        Moved(code, _due(before), _due(after))
        for code, (before, after) in sorted(event.data.get("due", {}).items())
    ]
    return dates + tasks


def _due(iso: str) -> str:
    """A due time: what falls due as a day ends is due on that day."""
    instant = datetime.fromisoformat(iso)
    local = to_london(instant)
    if (local.hour, local.minute) == (0, 0):
        return uk_date(london_date(instant - HOUR))
    return uk_datetime(instant)


def _sides(words: Words, event: Event, key: str) -> tuple[str | Text, str | Text]:
    """Before and after, where the sentence does not already say them."""
    data = event.data
    if event.kind in {"date.recorded", "date.corrected", "date.cleared", "cut_over.aborted"}:
        return words.moment(key, data.get("before")), words.moment(key, data.get("after"))
    if event.kind == "dates.replanned":
        # Planned again to where it was, only what hangs on it moves.
        before, after = data["dates"].get(key, ("", ""))
        return (words.moment(key, before), words.moment(key, after)) if after else ("", "")
    if event.kind == "contact.changed":
        return words.text(data.get("before")), words.text(data.get("after"))
    if event.kind in {"task.due_moved", "access.extended"}:
        return uk_date(date.fromisoformat(data["before"])), uk_date(
            date.fromisoformat(data["after"])
        )
    if event.subject.startswith("task:") and data.get("before") in Task.State.values:
        return Task.State(data["before"]).label, Task.State(data["after"]).label
    return "", ""
