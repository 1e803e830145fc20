"""What makes reminders happen: plan, ring, deliver. The sweep and `run_reminders` call them."""

from time import monotonic

from celery import current_app
from django.db import transaction

from .delivery import deliver
from .planning import plan_due

__all__ = ["deliver", "nudge", "plan_due"]

QUIET = 30.0  # seconds in which a broker that did not answer is not rung again
_quiet = {"until": 0.0}


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
