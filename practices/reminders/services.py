"""What makes reminders happen: plan, ring, deliver. The sweep and `run_reminders` call them."""

from datetime import datetime, timedelta
from time import monotonic

from celery import current_app
from django.db import connection, transaction

from practices.common import clock

from .delivery import deliver
from .planning import plan_due

__all__ = ["ClocksDiffer", "agreed_now", "deliver", "nudge", "plan_due"]

MOST_SKEW = timedelta(minutes=1)
QUIET = 30.0  # seconds in which a broker that did not answer is not rung again
_quiet = {"until": 0.0}


class ClocksDiffer(Exception):
    """This machine's clock is wrong, or the database's is."""


def agreed_now() -> datetime:
    """The present instant, if this machine and the database agree on it. Raises ClocksDiffer.

    A worker whose clock is a day ahead would otherwise tell everybody a day early. It
    does nothing instead; others go on, and without others the health page says so.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (database,) = cursor.fetchone()
    now = clock.now()
    if abs(now - database) > MOST_SKEW:
        raise ClocksDiffer(f"This machine says {now}, the database {database}.")
    return now


def nudge() -> None:
    """Ring the doorbell: ask a worker to deliver, once the present transaction is committed.

    A broker that refuses or hangs costs a log line and, once in a while, a second,
    never the act that rang: the next sweep does the same work.
    """
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    if monotonic() < _quiet["until"]:
        return
    try:
        current_app.send_task("practices.reminders.tasks.deliver")
    except Exception:
        _quiet["until"] = monotonic() + QUIET
        raise
