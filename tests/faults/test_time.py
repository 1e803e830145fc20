"""Silence of ten days, and clocks that jump: nothing is missing, early or said twice."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest

from practices.common import clock
from practices.common.time import london_date
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.services import ClocksDiffer, agreed_now, deliver, plan_due
from tests.factories import FDP_AT, GO_LIVE_AT
from tests.reminders.worlds import World
from tests.support.servers import ROOT

from .mail import FaultyMail

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOLD_TWICE_AT_MOST = ("clock", "overdue")  # the kinds that time alone makes due


def sweep(now) -> None:
    """What happens every minute."""
    plan_due(now=now)
    while deliver(now=now):
        pass


def sent() -> Counter[tuple[str, str]]:
    """How many mails of each kind each person was sent, and by which key."""
    rows = Notification.objects.filter(status="sent", kind__in=TOLD_TWICE_AT_MOST)
    return Counter(rows.values_list("person__email", "kind"))


@pytest.fixture
def world(committed_db, faulty_mail) -> World:
    return World()


def test_ten_days_without_a_beat_and_then_one_mail_of_each_kind(world, faulty_mail: FaultyMail):
    world.start_cut_over()
    world.go_live(GO_LIVE_AT)
    before = GO_LIVE_AT + 30 * DAY  # the day before the warning 14 days ahead
    sweep(before)
    told = sent()
    after = before + 10 * DAY  # the warnings 14 and 7 days ahead have been missed
    sweep(after)
    run = world.migration.clock_runs.get(key="access")
    news = sent() - told
    assert set(news.values()) == {1}, "no storm: one mail of a kind for each person"
    warned = {email for email, kind in news if kind == "clock"}
    assert warned == {world.manager.email, world.project_manager.email, world.buyer.email}
    clock = Notification.objects.filter(clock_run=run, kind="clock")
    newest = clock.values_list("dedupe_key", flat=True)
    assert all(":before-7:" in key for key in newest), newest
    late = {email for email, kind in news if kind == "overdue"}
    assert {world.manager.email, world.project_manager.email} <= late
    for minutes in range(1, 4):
        sweep(after + minutes * timedelta(minutes=1))
    assert sent() - told == news, "and no more that day"
    sweep(after + DAY)
    tomorrow = {kind for _, kind in sent() - told - news}
    assert tomorrow == {"overdue"}, "from then on as always"


def test_what_waited_ten_days_in_the_outbox_is_not_said_any_more(world, faulty_mail: FaultyMail):
    world.start_cut_over()
    world.go_live(GO_LIVE_AT)
    first = GO_LIVE_AT + 31 * DAY  # 14 days ahead
    plan_due(now=first)
    sweep(first + 10 * DAY)
    rows = Notification.objects.filter(kind__in=TOLD_TWICE_AT_MOST)
    stale = rows.filter(due_at__lte=first)
    assert stale
    assert set(stale.values_list("status", flat=True)) == {"superseded"}
    assert set(sent().values()) == {1}


def test_a_clock_that_goes_back_and_forward_says_nothing_twice(world, faulty_mail: FaultyMail):
    world.start_cut_over()
    due = FDP_AT + 24 * HOUR
    sweep(due - HOUR)
    assert not sent()
    for now in (due, due - HOUR, due, due + DAY, due, due + DAY, due + HOUR):
        sweep(now)
    keys = Notification.objects.filter(kind="clock", status="sent").values_list("dedupe_key")
    assert len(keys) == 6, "24 hours and 48 hours, to three people, once each"
    assert all(len(copies) == 1 for copies in faulty_mail.copies.values())


def test_a_clock_a_day_ahead_takes_no_mail_from_a_worker_that_is_at_it(world, faulty_mail):
    from practices.reminders import delivery

    world.start_cut_over()
    due = FDP_AT + 24 * HOUR
    plan_due(now=due)
    delivery._claim(due)
    assert deliver(now=due + 20 * HOUR) == 0, "leases are held by the database's clock"
    assert not faulty_mail.copies


@pytest.mark.parametrize("skew", [-HOUR, DAY], ids=["an hour behind", "a day ahead"])
def test_a_machine_whose_clock_is_wrong_says_nothing_and_the_next_says_it_once(
    world, faulty_mail, environment_of_committed, skew
):
    world.start_cut_over(clock.now() - timedelta(hours=24, minutes=5))
    Heartbeat.objects.create(overdue_told_on=london_date(clock.now()))
    run = [sys.executable, "manage.py", "run_reminders", "--once"]

    def run_with(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            run,
            cwd=ROOT,
            env={**environment_of_committed, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    wrong = run_with(RIG=f'{{"skew": {skew.total_seconds()}}}')
    assert wrong.returncode
    assert "ClocksDiffer: This machine says" in wrong.stderr
    assert not Notification.objects.exists()
    right = run_with()
    assert right.returncode == 0, right.stderr
    assert len(faulty_mail.copies) == 3
    assert {row.status for row in Notification.objects.all()} == {"sent"}


def test_a_little_difference_is_no_matter(committed_db, monkeypatch):
    real = clock.now()
    monkeypatch.setattr(clock, "now", lambda: real + timedelta(seconds=30))
    assert agreed_now() == real + timedelta(seconds=30)
    monkeypatch.setattr(clock, "now", lambda: real - timedelta(minutes=2))
    with pytest.raises(ClocksDiffer):
        agreed_now()
