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
    """Send one batch, and ask for the next one while there is more."""
    if services.deliver(now=services.agreed_now()):
        services.nudge()
