"""Reminders without Celery and without a broker: the same planner and sender in a loop."""

import logging
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from practices.reminders import services

logger = logging.getLogger(__name__)
PAUSE = 60  # seconds


class Command(BaseCommand):
    help = "Plan and send reminders every minute until stopped. Safe beside Celery."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do it once, then end")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        if once:
            self.turn()
            return
        stopped = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            try:
                self.turn(stopped)
            except Exception:
                # The database may be away for a while; the loop outlives it.
                logger.exception("This round of reminders failed; the next is in %s seconds", PAUSE)
            stopped.wait(PAUSE)

    def turn(self, stopped: Event | None = None) -> None:
        """Plan once, then send until nothing is due."""
        close_old_connections()
        services.plan_due(now=services.agreed_now())
        while services.deliver(now=services.agreed_now()) and not (stopped and stopped.is_set()):
            close_old_connections()
