"""What mails say of an act of somebody: tasks given or blocked, go-live moved. Pure."""

from collections.abc import Sequence
from datetime import datetime

from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.tracking.models import KeyDate, Task

from .models import Notification
from .wording import MOST_TASKS, Line, Section, Words, due_in_words

Kind = Notification.Kind


def tasks_words(
    kind: str, tasks: Sequence[Task], *, practice: str, by: str, urls: Sequence[str], url: str
) -> Words:
    """Tasks given to the reader, or blocked, as they stand now; ``urls`` lead to each of them."""
    one, number = len(tasks) == 1, len(tasks)
    if kind == Kind.ASSIGNED:
        subject = "A task for you" if one else f"{number} tasks for you"
        said = f"{by} assigned {'a task' if one else f'{number} tasks'} of {practice} to you."
        todo = (
            "What to do: do it by the time it is due and tick it off, or say on its page why it "
            "is blocked or does not apply."
        )
    else:
        subject = "A task is blocked" if one else f"{number} tasks are blocked"
        said = f"{practice}: {by} marked {'a task' if one else f'{number} tasks'} as blocked."
        todo = "What to do: read the reason on its page, and help to clear what is in the way."
    lines = [
        Line(str(task), f"due {due_in_words(task)}", where)
        for task, where in zip(tasks[:MOST_TASKS], urls, strict=False)
    ]
    heading = "The task" if one else "The tasks"
    if number > MOST_TASKS:
        heading = f"The first {MOST_TASKS} of them"
    return Words(
        f"{subject}: {practice}",
        [said, todo],
        ("See the task" if one else "See the tasks", url),
        [Section(heading, lines)],
    )


def go_live_words(go_live: KeyDate, before: datetime, *, practice: str, by: str, url: str) -> Words:
    """A planned go-live that was moved; ``before`` is when it was planned for."""
    now, then = go_live.planned, uk_datetime(before)
    when = uk_datetime(now.at) if go_live.has_time else uk_date(now.on)
    was = f" It was planned for {then}." if go_live.has_time else ""
    return Words(
        f"Go-live moved to {when}: {practice}",
        [
            f"{practice}: {by} moved go-live to {when}.{was}",
            "What to do: look at the dates and at your tasks. What hangs on go-live moved with it.",
        ],
        ("See the key dates", url),
    )
