"""The one sentence of an inbox row, and how a row is read beside its migration.

Written when the row is planned, so nothing in it may be something that somebody typed:
what that turns out to be could not be hidden again.
"""

from datetime import datetime

from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.tracking.models import ClockRun, Gate, KeyDate

from .models import Notification
from .wording import clock_lead

Kind = Notification.Kind
OLD_SYSTEM = "Look whether the old system can still be read"
UNDELIVERED = "A mail could not be delivered"


def of_clock(run: ClockRun, now: datetime) -> str:
    return f"{clock_lead(run, now)}: {run.title}"


def of_gate(kind: str, gate: Gate) -> str:
    return f"{'Signed off' if kind == Kind.SIGNED else 'Sign-off withdrawn'}: {gate.title}"


def of_tasks(kind: str, number: int) -> str:
    """Tasks given to the reader, or blocked."""
    if kind == Kind.ASSIGNED:
        return (
            "A task was assigned to you" if number == 1 else f"{number} tasks were assigned to you"
        )
    return "A task is blocked" if number == 1 else f"{number} tasks are blocked"


def go_live_moved(go_live: KeyDate) -> str:
    when = go_live.planned
    return f"Go-live was moved to {uk_datetime(when.at) if go_live.has_time else uk_date(when.on)}"
