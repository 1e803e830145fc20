"""What reminders say. Pure: facts in, plain words out; links are added by the caller.

The subject alone tells what matters on a phone: how far a clock is, what is
late, whose it is. Times are exact, in UK time, with GMT or BST.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from practices.accounts.models import Invitation
from practices.common.templatetags.uk import uk_date, uk_datetime, uk_short_date
from practices.plans.models import PlanReminder, Unit
from practices.tracking.models import ClockRun, KeyDate, SignOff, Task
from practices.tracking.records import UNREADABLE, is_record
from practices.tracking.rules import HOUR, in_words

from .queries import Overdue

MOST_TASKS = 30


@dataclass(frozen=True)
class Line:
    """One entry of a list; ``url`` leads to it, ``note`` says when or how many."""

    text: str
    note: str
    url: str = ""


@dataclass(frozen=True)
class Section:
    heading: str
    lines: list[Line]


@dataclass(frozen=True)
class Words:
    """A mail before it is laid out: ``link`` is its main address with the words to click.

    ``because`` says at its foot why they are sent it, ``preferences`` leads to where they choose
    their mails; those without an account have nothing to choose.
    """

    subject: str
    paragraphs: list[str]
    link: tuple[str, str]
    sections: list[Section] = field(default_factory=list)
    because: str = "you have a part in this migration"
    preferences: str = ""


def clock_words(
    run: ClockRun, *, practice: str, stops: str, note: str, url: str, now: datetime
) -> Words:
    """How a running clock stands at ``now``.

    What the warning was planned for does not matter any more: a mail that comes
    late says how things are. ``stops`` is the title of what stops the clock, ``note`` a
    sentence about an end that is no working day.
    """
    what = _lower_first(run.title)
    over = run.is_over(now)
    tell = _hours if run.counts_hours else _days
    paragraphs = tell(run, practice, what, over=over, now=now)
    if note and not over and not run.counts_hours:
        paragraphs.append(note)
    if over:
        todo = (
            "What to do: tell everybody concerned how long it will still take, and record "
            f"“{stops}” as soon as it has happened. The clock stops with it."
        )
    else:
        todo = (
            f"What to do: check what is still open before “{stops}”, and record it when it has "
            "happened. The clock stops with it. If the time will not be enough, say so now."
        )
    subject = f"{clock_lead(run, now)}: {practice} {what}"
    return Words(subject, [*paragraphs, todo], (f"See where {practice} stands", url))


def access_check_words(run: ClockRun, *, practice: str, url: str, now: datetime) -> Words:
    """The weekly question whether the old system can still be read."""
    left = run.days_left(now)
    lasts = f"{_number_of_days(left)} more after today" if left > 0 else "until the end of today"
    return Words(
        f"Look at the old system: {practice}",
        [
            f"{practice}: nobody has looked for a week whether the old system can still be read.",
            f"By the plan its access lasts {lasts}. The last day is {uk_date(run.ends_on)}.",
            "What to do: open the old system, look up a record, and say whether it is there.",
        ],
        ("Say what you found", url),
    )


def clock_lead(run: ClockRun, now: datetime) -> str:
    """How far a running clock is, in the few words a phone shows."""
    if run.counts_hours:
        used = run.used(now) // HOUR
        return f"Over {run.limit} h" if run.is_over(now) else f"{used} h of {run.limit} h used"
    if run.is_over(now):
        return f"Ended on {uk_short_date(run.ends_on)}"
    left = run.days_left(now)
    return f"{_number_of_days(left)} left" if left else "Last day"


def _hours(run: ClockRun, practice: str, what: str, *, over: bool, now: datetime) -> list[str]:
    end = uk_datetime(run.ends_at)
    if over:
        times = (
            f"It started on {uk_datetime(run.started_at)}, and the limit was {end}. "
            f"It is {in_words(run.left(now))} over."
        )
        return [
            f"{practice}: the {what} clock has passed its limit of {run.limit} hours.",
            times,
        ]
    used = run.used(now) // HOUR
    times = (
        f"It started on {uk_datetime(run.started_at)} and ends on {end}. "
        f"That leaves {in_words(_whole_minutes(run.left(now)))}."
    )
    return [
        f"{practice}: the {what} clock has used {used} of its {run.limit} hours.",
        times,
    ]


def _days(run: ClockRun, practice: str, what: str, *, over: bool, now: datetime) -> list[str]:
    last = uk_date(run.ends_on)
    exactly = f"It ends as that day does, on {uk_datetime(run.ends_at)}."
    if over:
        return [
            f"{practice}: the last day of {what} was {last}.",
            f"It ended as that day did, on {uk_datetime(run.ends_at)}.",
        ]
    left = run.days_left(now)
    if left == 0:
        return [f"{practice}: today, {last}, is the last day of {what}. {exactly}"]
    return [
        f"{practice}: {what} lasts {_number_of_days(left)} more after today.",
        f"The last day is {last}. {exactly}",
    ]


def reminder_words(
    reminder: PlanReminder,
    *,
    practice: str,
    key_date: KeyDate | None,
    gate: tuple[str, datetime] | None,
    task: Task | None,
    url: str,
    now: datetime,
) -> Words:
    """A reminder of the plan, with what it counts from and what it waits for.

    ``gate`` is the title of a gate that waits for signatures and since when it could
    be signed; otherwise ``key_date`` is what the reminder is counted from.
    """
    if gate:
        title, since = gate
        subject = f"Ready to sign: {practice} {_lower_first(title)}"
        facts = [f"All that “{title}” covers has been done since {uk_datetime(since)}."]
    else:
        assert key_date is not None  # noqa: S101 - every reminder has one or the other
        near, fact = _around(key_date, now)
        subject = f"{reminder.title}: {practice}, {near}"
        facts = [fact]
    if task:
        facts.append(
            f"“{task.title}” ({task.code}) is still to be done; it is due {due_in_words(task)}."
        )
    return Words(
        subject,
        [
            f"{practice}: {_lower_first(reminder.title)}. {facts[0]}",
            *facts[1:],
            f"What to do: {_lower_first(reminder.advice)}",
        ],
        (f"See the {'gate' if gate else 'task' if task else 'migration'}", url),
    )


def _around(key_date: KeyDate, now: datetime) -> tuple[str, str]:
    """How near a date is, for a subject, and the date itself in a sentence."""
    name, days = _lower_first(key_date.title), key_date.days_to(now)
    when = uk_datetime(key_date.at) if key_date.has_time else uk_date(key_date.on)
    if key_date.actual:
        near = f"{_number_of_days(-days)} after {name}" if days else f"{name} was today"
        return near, f"{key_date.title} was on {when}."
    near = f"{name} in {_number_of_days(days)}" if days > 0 else f"{name} is due"
    return near, f"{key_date.title} is planned for {when}."


def _number_of_days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def daily_words(overdue: Overdue, news: list[Line], *, urls: dict[str, str], home: str) -> Words:
    """The overdue tasks of one person on one morning, and the ``news`` that waited for it.

    ``urls`` leads to tasks (``<migration reference> <task code>``) and to what is
    overdue in a migration (``<migration reference>``).
    """
    sections: list[Section] = []
    for task in overdue.tasks[:MOST_TASKS]:
        line = Line(
            str(task),
            f"was due {due_in_words(task)}",
            urls[f"{task.migration.reference} {task.code}"],
        )
        heading = _heading(task.migration.name, task.migration.reference)
        section = next((s for s in sections if s.heading == heading), None)
        if section is None:
            sections.append(section := Section(heading, []))
        section.lines.append(line)
    rest = len(overdue.tasks) - MOST_TASKS
    if rest > 0:
        sections.append(Section(f"And {rest} more, on the pages of these migrations.", []))
    if overdue.managed:
        lines = [
            Line(
                _heading(row.migration.name, row.migration.reference),
                f"{row.overdue} overdue",
                urls[row.migration.reference],
            )
            for row in overdue.managed
        ]
        sections.append(Section("All that is overdue in the migrations you manage", lines))
    if news:
        more = len(news) - MOST_TASKS
        sections.append(Section("Since the last daily mail", news[:MOST_TASKS]))
        if more > 0:
            sections.append(Section(f"And {more} more, in your inbox.", []))
    if not overdue:
        todo = "This waited for your daily mail. What to do: follow the links of what concerns you."
    elif overdue.tasks:
        todo = (
            "You have overdue tasks. What to do: do them and tick them off, or say on the task’s "
            "page why it is blocked or does not apply."
        )
    else:
        todo = (
            "Tasks are overdue in migrations you manage, none of them yours. "
            "What to do: ask those who own them, or plan the dates again."
        )
    subject = _overdue_subject(overdue) if overdue else _news_subject(news)
    return Words(subject, [todo], ("Open Migration Tracker", home), sections)


def _news_subject(news: list[Line]) -> str:
    where = list(dict.fromkeys(line.note for line in news))
    notices = "1 notice" if len(news) == 1 else f"{len(news)} notices"
    return f"{notices}: {where[0]}" if len(where) == 1 else f"{notices} in {len(where)} migrations"


def _overdue_subject(overdue: Overdue) -> str:
    if not overdue.tasks:
        number = sum(row.overdue for row in overdue.managed)
        where = [row.migration.name for row in overdue.managed]
    else:
        number = len(overdue.tasks)
        where = list(dict.fromkeys(task.migration.name for task in overdue.tasks))
    tasks = "1 overdue task" if number == 1 else f"{number} overdue tasks"
    if len(where) == 1:
        return f"{tasks}: {where[0]}"
    return f"{tasks} in {len(where)} migrations{'' if overdue.tasks else ' you manage'}"


def signed_words(
    signatures: list[SignOff],
    unfinished: list[Task],
    *,
    practice: str,
    gate: str,
    statement: str,
    url: str,
) -> Words:
    """Confirmation that a gate is signed; ``signatures`` are those of its round, oldest first.

    ``unfinished`` are the tasks it was signed over as exceptions.
    """
    exceptions = [
        Line(f"{task.code} {task.title}", "the reason stands with the sign-off")
        for task in unfinished
    ]
    lines = [
        Line(
            f"{signature.by.name}, {_deputy_of(signature)}{signature.get_role_display().lower()}",
            f"{uk_datetime(signature.at)}, reference {signature.reference}"
            + ("" if is_record(signature.snapshot) else f". {UNREADABLE}"),
        )
        for signature in signatures
    ]
    return Words(
        f"Signed off: {practice} {_lower_first(gate)}",
        [
            f"{practice} has signed off “{gate}”.",
            f"The statement: “{statement}”",
            "What to do: keep this mail. You will be told if the sign-off is withdrawn.",
        ],
        ("See the sign-off", url),
        [
            Section("Signed by", lines),
            Section("For checking the record later", _seals(signatures)),
            *([Section("Signed while not finished", exceptions)] if exceptions else []),
        ],
    )


def _seals(signatures: list[SignOff]) -> list[Line]:
    """What shows years later that neither the record nor the history before it was changed."""
    return [
        line
        for signature in signatures
        for line in (
            Line(f"Seal of {signature.reference} (SHA-256)", signature.digest),
            Line(f"History root before {signature.reference}", signature.history_root),
        )
        if line.note
    ]


def withdrawn_words(*, practice: str, gate: str, at: datetime, url: str, confirmed: bool) -> Words:
    """Notice of a sign-off withdrawn; the reason stays on the page.

    ``confirmed`` for those to whom the plan had it confirmed.
    """
    todo = (
        "What to do: do not rely on the confirmation you were sent before. "
        "You will be sent a new one when it is signed again."
        if confirmed
        else "What to do: read the reason on its page. Nothing that waits for it can go ahead."
    )
    return Words(
        f"Withdrawn: {practice} {_lower_first(gate)} sign-off",
        [f"{practice} withdrew its sign-off “{gate}” on {uk_datetime(at)}.", todo],
        ("See the sign-off", url),
    )


def invitation_words(invitation: Invitation, *, url: str) -> Words:
    """The way to an account, or to another role; it says nothing about whether there is one."""
    role = f"{invitation.get_role_display()} of {invitation.organisation}"
    paragraphs = [
        f"{invitation.invited_by} invites you to Migration Tracker as: {role}.",
        "Migration Tracker is where a practice’s change of clinical system is planned.",
        f"What to do: open the link before {uk_datetime(invitation.expires_at)}. It works once.",
        "If you did not expect this, ignore this mail. Nothing happens unless the link is used.",
    ]
    if invitation.until:
        paragraphs.insert(
            1, f"The role is for you until and including {uk_date(invitation.until)}."
        )
    return Words(
        f"Invitation to Migration Tracker: {role}",
        paragraphs,
        ("Accept the invitation", url),
        because=f"{invitation.invited_by} invited you",
    )


def _deputy_of(signature: SignOff) -> str:
    return "deputy of the " if signature.deputy_for_id else ""


def due_in_words(task: Task) -> str:
    """To the minute where the plan counts hours, else the day."""
    return uk_datetime(task.due_at) if task.unit == Unit.HOURS else uk_short_date(task.due_on)


def _heading(name: str, reference: str) -> str:
    return f"{name} ({reference})"


def _whole_minutes(span: timedelta) -> timedelta:
    """Rounded up, so that a mail sent a second late still says the whole hour."""
    minute = timedelta(minutes=1)
    return -(-span // minute) * minute


def _lower_first(title: str) -> str:
    """``Cut-over`` inside a sentence; an abbreviation stays as it is."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
