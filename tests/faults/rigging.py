"""What a process of a fault run does differently, as the variable RIG (JSON) tells it.

Only waiting is changed, and pauses are put where a kill hurts most; nothing that protects.

    lease       seconds a claimed row is held
    retry       seconds before the first new attempt
    every       seconds between the rounds of run_reminders
    pause       seconds that some workers rest between the server's answer and writing it down
    pause_rate  how many of them, from 0 to 1
    resting     a folder in which a resting worker leaves a file named after its process id
    skew        seconds that this process's clock is ahead
    ring        whether every act that is recorded rings the doorbell
"""

import json
import os
import random
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class Rigging(AppConfig):
    name = "tests.faults"
    label = "faults"

    def ready(self) -> None:
        rig = json.loads(os.environ.get("RIG", "{}"))
        if "lease" in rig:
            _wait_less(rig)
        if "pause" in rig:
            _rest_before_recording(rig)
        if "skew" in rig:
            _set_the_clock(rig)
        if "ring" in rig:
            _ring_at_every_act()


def _wait_less(rig: dict[str, Any]) -> None:
    from practices.reminders import delivery
    from practices.reminders.management.commands import run_reminders

    delivery.lease = lambda: timedelta(seconds=rig["lease"])
    delivery.wait_before_retry = lambda _, jitter: timedelta(seconds=rig["retry"]) * jitter
    run_reminders.PAUSE = rig["every"]


def _rest_before_recording(rig: dict[str, Any]) -> None:
    from practices.reminders import delivery

    record = delivery._record

    def rest_first(*arguments: Any) -> None:
        if random.random() < rig["pause_rate"]:
            mark = Path(rig["resting"]) / str(os.getpid())
            mark.touch()
            time.sleep(rig["pause"])
            mark.unlink(missing_ok=True)
        record(*arguments)

    delivery._record = rest_first


def _set_the_clock(rig: dict[str, Any]) -> None:
    from django.utils import timezone

    now = timezone.now
    timezone.now = lambda: now() + timedelta(seconds=rig["skew"])


def _ring_at_every_act() -> None:
    from practices.reminders.services import nudge
    from practices.tracking.services import _base

    record_event = _base.record_event

    def ring_too(**values: Any) -> Any:
        nudge()
        return record_event(**values)

    _base.record_event = ring_too
