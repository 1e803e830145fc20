"""Small situations in which one protection matters; each raises AssertionError without it."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connections, transaction

from practices.reminders import delivery, services
from practices.reminders.models import Notification
from practices.reminders.planning import outbox
from practices.reminders.post import Post
from practices.tracking.services import tick_task
from tests.factories import FDP_AT, MONDAY
from tests.reminders.worlds import World
from tests.tracking.cast import make_cast

from .mail import FaultyMail
from .storm import account

NOW = FDP_AT + timedelta(hours=24)  # when the first warning of these cut-overs is due
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SWEEPERS, SENDERS = 20, 6


class Killed(BaseException):
    """``kill -9``, as far as one thread can be killed: nothing catches it."""


def _worlds(number: int) -> set[str]:
    """Cut-overs whose first warning is due; who is to be told."""
    expected = set()
    for _ in range(number):
        world = World()
        world.start_cut_over()
        expected |= {world.manager.email, world.project_manager.email, world.supplier.email}
    return expected


def _together(number: int, act: Callable[[], object]) -> None:
    """The same in many threads, begun at once."""
    ready = threading.Barrier(number)

    def run() -> None:
        ready.wait(timeout=30)
        try:
            act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send_all(now: datetime = NOW) -> None:
    while services.deliver(now=now):
        pass


def _leases_run_out() -> None:
    Notification.objects.filter(status="sending").update(lease_until=LONG_AGO)


def sweepers_at_once(mail: FaultyMail) -> None:
    """Every sweeper has looked before any of them adds; then many send. Nothing is doubled."""
    expected = _worlds(4)
    looked = threading.Barrier(SWEEPERS)
    insert = outbox._insert
    first = threading.local()

    def insert_together(said: list[dict[str, Any]]) -> None:
        if not hasattr(first, "done"):
            first.done = True
            looked.wait(timeout=30)
        insert(said)

    with mock.patch.object(outbox, "_insert", insert_together):
        _together(SWEEPERS, lambda: services.plan_due(now=NOW))
    _together(SENDERS, _send_all)
    account(expected, mail=mail, kills=0).check()


def a_slow_worker_is_left_alone(mail: FaultyMail) -> None:
    """One rests between the server's answer and writing it down, while another sends."""
    expected = _worlds(1)
    services.plan_due(now=NOW)
    resting, go_on, record = threading.Event(), threading.Event(), delivery._record

    def rest(*arguments: object) -> None:
        if not resting.is_set():
            resting.set()
            go_on.wait(timeout=30)
        record(*arguments)

    with mock.patch.object(delivery, "_record", rest):
        slow = threading.Thread(target=lambda: (_send_all(), connections.close_all()))
        slow.start()
        resting.wait(timeout=30)
        _send_all()
        go_on.set()
        slow.join()
    account(expected, mail=mail, kills=0).check()


def a_dead_worker_is_replaced(mail: FaultyMail) -> None:
    """It was killed with mails in its hands: after the lease somebody else sends them."""
    expected = _worlds(1)
    services.plan_due(now=NOW)
    with mock.patch.object(Post, "send", side_effect=Killed), suppress(Killed):
        services.deliver(now=NOW)
    _leases_run_out()
    _send_all()
    account(expected, mail=mail, kills=1).check()


def a_copy_is_the_same_mail(mail: FaultyMail) -> None:
    """The server takes a mail and does not say so; the worker is killed after another."""
    expected = _worlds(1)
    services.plan_due(now=NOW)
    mail.script = ["accept and drop"]
    _send_all()
    with mock.patch.object(delivery, "_record", side_effect=Killed), suppress(Killed):
        _send_all(NOW + timedelta(minutes=2))
    _leases_run_out()
    _send_all(NOW + timedelta(minutes=4))
    _send_all(NOW + timedelta(minutes=10))
    outcome = account(expected, mail=mail, kills=1)
    outcome.check()
    assert outcome.extra_copies == 2, "both faults ask for a copy"


def what_is_settled_is_not_said(mail: FaultyMail) -> None:
    """Go-live is recorded after a worker has claimed the warning of its clock."""
    world = World()
    world.start_cut_over()
    services.plan_due(now=NOW)
    claim = delivery._claim

    def settled_just_then(now: datetime) -> delivery.Claim:
        claimed = claim(now)
        if claimed.keys:
            world.go_live(NOW)
        return claimed

    with mock.patch.object(delivery, "_claim", settled_just_then):
        _send_all()
    assert not mail.copies, "nobody is warned of a clock that has stopped"
    assert not Notification.objects.filter(kind="clock", status__in=["pending", "sending"]).exists()


def acts_without_a_broker(acts: int) -> None:
    """Each act is done, and whatever else was to follow its commit follows."""
    cast, followed = make_cast(), []
    tasks = [cast.task(code) for code in ("CUT-02", "CUT-03", "GL-02", "POST-01")][:acts]
    for task in tasks:
        services._quiet["until"] = 0.0  # as if it had not been tried for a while
        try:
            with transaction.atomic():
                tick_task(task=task, by=cast.manager, at=MONDAY)
                services.nudge()
                transaction.on_commit(lambda: followed.append(True))
        except Exception as fault:
            raise AssertionError("an act failed because of the broker") from fault
    assert len(followed) == len(tasks)
    cast.migration.refresh_from_db()
    assert cast.migration.done_count == len(tasks)
