"""Giving a task a date by hand, which moves what comes after it."""

from datetime import date, datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import canonical
from practices.common.templatetags.uk import uk_date
from practices.plans.rules import Moment
from practices.tracking.models import Task

from ._base import lock_task, note_event
from .due_times import TaskMove, apply_task_moves, due_told, task_moves
from .tasks import Settled


class MovesOthers(Refused):
    """Other tasks would move too, and nobody has been asked yet. ``mark`` says which, and where."""

    def __init__(self, task: Task, moves: list[TaskMove], mark: str) -> None:
        self.moves, self.mark = moves, mark
        many = len(moves)
        named = ", ".join(m.task.code for m in moves[:5]) + (" and others" if many > 5 else "")
        super().__init__(
            f"{many} task{'s come' if many > 1 else ' comes'} after {task.code} and would move "
            f"with it: {named}. Is that right?"
        )


@transaction.atomic
def pin_task(
    *,
    task: Task,
    due_on: date,
    seen_version: int,
    by: User,
    at: datetime,
    agreed: str | None = None,
) -> Settled:
    """Give a task another date by hand: it no longer moves with its anchor.

    The unfinished tasks that come after it move where they have to, in the same act;
    ``agreed`` is the mark of those the person was shown, empty for none, and None where
    nobody can be asked. The date it has already changes nothing, and does not hold it there.

    Raises :class:`Conflict` when it changed since ``seen_version``, :class:`MovesOthers`
    when other moves than ``agreed`` follow, :class:`Refused` when it is no longer to do.
    """
    migration, task = lock_task(task)
    if task.due_on == due_on:
        return Settled(task, changed=False)
    if not task.is_unfinished:
        raise Refused(f"{task.code} is {task.get_state_display().lower()}: its date cannot move.")
    if task.version != seen_version:
        raise Conflict(
            f"{task.code} changed while you looked at it: it is due on {uk_date(task.due_on)}. "
            "Your date was not saved."
        )
    before, moment = task.due_on, Moment.of_day(due_on)
    anchors = {d.key: d.moment for d in migration.key_dates.all()}
    moves = task_moves(migration, anchors, (), pins={task.code: moment})
    mark = _mark(due_on, moves)
    if agreed is not None and mark != agreed:
        raise MovesOthers(task, moves, mark)
    task.due_on, task.due_at, task.pinned = moment.on, moment.at, True
    task.version += 1
    task.save(update_fields=["due_on", "due_at", "pinned", "version"])
    apply_task_moves(moves)
    note_event(
        migration,
        "task.due_moved",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        before=before.isoformat(),
        after=due_on.isoformat(),
        due=due_told(moves) or None,
    )
    return Settled(task, changed=True)


def _mark(due_on: date, moves: list[TaskMove]) -> str:
    if not moves:
        return ""
    return sha256(canonical({"due_on": due_on.isoformat(), "due": due_told(moves)}))[:16]
