"""The planner: compares what should have been said by now with what was, and adds what is missing.

It is level-triggered: run never, twice or twenty times at once, the outbox ends
up with the same rows, because each has a unique key and is only added once.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from .clocks import access_checks, clock_warnings
from .daily import daily_mails
from .events import acts, undelivered
from .gates import confirmations, withdrawals
from .invitations import invitations
from .outbox import beat
from .plan_reminders import plan_reminders

logger = logging.getLogger(__name__)
PARTS = (
    clock_warnings,
    access_checks,
    plan_reminders,
    confirmations,
    withdrawals,
    acts,  # after those two: who is told by the plan is not told again
    undelivered,
    invitations,
    daily_mails,
)


def plan_due(*, now: datetime) -> None:
    """Add to the outbox everything that should have been said by ``now`` and is not there yet.

    Nothing is added before it is due. A part that fails is logged and does not
    stop the others; the heartbeat then stays where it was, for the health check.
    """
    failed = False
    with _uncollected():
        for part in PARTS:
            try:
                part(now)
            except Exception:
                logger.exception("Planning of %s failed", part.__name__.replace("_", " "))
                failed = True
    if not failed:
        beat(swept_at=now)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python looks for no cycles of objects meanwhile.

    A sweep after an outage makes a hundred thousand objects and few cycles; to look through all
    there is, again and again, takes as long as the planning.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
