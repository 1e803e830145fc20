"""The whole way: a real worker plans and sends to a real mail server, rung by a real broker."""

import os
import re
import subprocess
import sys
import time
from datetime import timedelta

from practices.common import clock
from practices.common.time import london_date
from practices.reminders import tasks
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.services import nudge
from tests.support.servers import ROOT

from .worlds import World


def a_cut_over_in_its_second_day() -> World:
    now = clock.now()
    world = World()
    world.start_cut_over(now - timedelta(hours=24, minutes=5))
    # Only the cut-over is of interest here; and whose tasks are late depends on the time of day.
    Heartbeat.objects.create(overdue_told_on=london_date(now))
    return world


def wait_until_sent(count: int) -> None:
    """The mail is there a moment before the worker has written that it is."""
    deadline = time.monotonic() + 20
    while Notification.objects.filter(status="sent").count() < count:
        assert time.monotonic() < deadline, "the worker did not record what it sent"
        time.sleep(0.05)


def test_a_cut_over_reminder_reaches_the_mailbox(committed_db, valkey, celery_worker, smtp_server):
    world = a_cut_over_in_its_second_day()
    tasks.sweep.delay()
    mails = smtp_server.wait_for(3)
    wait_until_sent(3)
    people = {world.manager, world.project_manager, world.supplier}
    assert {mail["To"] for mail in mails} == {person.email for person in people}
    assert {mail["Subject"] for mail in mails} == {"24 h of 72 h used: Elm Tree Surgery cut-over"}
    assert {mail["Message-ID"] for mail in mails} == set(
        Notification.objects.values_list("message_id", flat=True)
    )


def test_the_same_without_celery(committed_db, site_environment, smtp_server):
    a_cut_over_in_its_second_day()
    run = [sys.executable, "manage.py", "run_reminders", "--once"]
    for _ in range(2):
        subprocess.run(run, cwd=ROOT, env={**os.environ, **site_environment}, check=True)
    assert len(smtp_server.messages) == 3
    assert Notification.objects.filter(status="sent").count() == 3


def test_a_doorbell_that_does_not_ring_harms_nothing(committed_db, celery_unreachable, caplog):
    begun = time.monotonic()
    nudge()
    assert time.monotonic() - begun < 10
    assert "Error calling" in caplog.text
    caplog.clear()
    nudge()
    assert not caplog.text, "for a while nobody waits for it again"


def test_no_message_is_ever_put_off_in_the_broker():
    """Redis hands a message that waits for long to a worker again and again: celery#2599."""
    put_off = re.compile(r"\b(eta|countdown)\s*=|apply_async|expires\s*=\s*\d")
    for folder in ("practices", "migration_tracker"):
        for file in (ROOT / folder).rglob("*.py"):
            found = put_off.search(file.read_text("utf-8"))
            assert not found, f"{file}: {found}"


def test_the_broker_is_a_doorbell_only(settings):
    assert settings.CELERY_TASK_IGNORE_RESULT
    assert not hasattr(settings, "CELERY_RESULT_BACKEND")
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST
    transport = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert transport["socket_timeout"] <= 1
    assert transport["socket_connect_timeout"] <= 1
    schedules = [entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert all(isinstance(each, float) for each in schedules), "an interval knows no clock change"
