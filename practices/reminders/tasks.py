"""Celery's way in. What must happen is in the outbox; a lost message only makes it later."""

from celery import shared_task

from . import services


@shared_task
def sweep() -> None:
    """Every minute: plan what has fallen due, and have it delivered."""
    services.plan_due(now=services.agreed_now())
    services.nudge()


@shared_task
def deliver() -> None:
    """Send one batch, and have the next one sent, beside this one where a process is free."""
    services.deliver(now=services.agreed_now(), when_more=services.nudge)
