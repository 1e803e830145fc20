"""What makes reminders happen: plan, ring, deliver. The sweep and `run_reminders` call them."""

from celery import current_app
from django.db import transaction

from .delivery import deliver
from .planning import plan_due

__all__ = ["deliver", "nudge", "plan_due"]


def nudge() -> None:
    """Ring the doorbell: ask a worker to deliver, once the present transaction is committed.

    A broker that refuses or hangs costs a log line and at most a second, never
    the act that rang: the next sweep does the same work.
    """

    def ring() -> None:
        current_app.send_task("practices.reminders.tasks.deliver")

    transaction.on_commit(ring, robust=True)
