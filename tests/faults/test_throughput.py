"""How fast reminders are planned and sent, beside what no program could do without.

Only in `make faults`. It keeps ratios, which a busy machine shifts less than times.
"""

import smtplib
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from migration_tracker.celery import app
from migration_tracker.local import commands
from migration_tracker.local.processes import Child, free_port, listens
from practices.common import clock
from practices.common.time import london_date
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.post import Letter, Post
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import ClockRun
from practices.tracking.services import gates
from tests.journeys.given import shipped_plan
from tests.reminders.worlds import HOUR
from tests.support.servers import Server

from .conftest import environment_of
from .country import MIGRATIONS, a_country, dates_for_all, find, find_reminders, insert
from .report import LONG, keep
from .scenarios import NOW
from .storm import Crowd

pytestmark = [
    pytest.mark.skipif(not LONG, reason="make faults"),
    pytest.mark.timeout(1800),
]
ROUNDS = 5


@pytest.fixture
def sink(settings, tmp_path: Path):
    """A mail server in a process of its own, so that it does not share this one's processor."""
    port = free_port()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    command = [sys.executable, "-m", "tests.faults.sink", str(port)]
    child = Child("sink", command, log=tmp_path / "sink.log")
    child.wait_until(lambda: listens(port))
    yield
    child.stop()


def _clean_up(postgres: Server, database: str) -> None:
    """The owner's work, which a real server does by itself."""
    with postgres.connect(database=database) as owner:
        owner.execute("VACUUM ANALYZE")


def _seconds(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _send_bare(letters: list[Letter]) -> None:
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as smtp:
        for letter in letters:
            smtp.sendmail(sender, [letter.address], letter.content)


def _send_all() -> None:
    while deliver(now=clock.now()):
        pass


def _send_one_by_one() -> None:
    """As to a server that does not take commands together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtplib.SMTP, "has_extn", lambda *_: False)
        _send_all()


def _rung(url: str) -> None:
    """One ring, as a sweep's, and the worker's two processes send until nothing is left."""
    with app.connection_for_write(url=url) as to:
        app.send_task("practices.reminders.tasks.deliver", connection=to)
    status = Notification.Status
    while Notification.objects.filter(status__in=(status.PENDING, status.SENDING)).exists():
        time.sleep(0.01)


@pytest.fixture
def worker(postgres, committed_db, sink, broker, tmp_path: Path):
    """A worker as the site starts it. What it is told before it is ready waits in the broker."""
    env = {**environment_of(postgres, committed_db), "REDIS_URL": broker.url}
    child = Child("worker", commands.WORKER, log=tmp_path / "worker.log", env=env)
    yield broker.url
    child.stop()


def test_sending_beside_a_bare_loop(committed_db, postgres, worker, monkeypatch):
    """Checked, written, sent and recorded, against nothing but sent, on one connection.

    By a worker with its two processes, as every site has one; by one process alone; and by that
    to a server that does not take commands together.
    """
    crowd = Crowd.make(migrations=240, people=10)  # a dozen are told the same, as in life
    for world in crowd.worlds:
        world.start_cut_over(clock.now() - timedelta(hours=24, minutes=5))
    plan_due(now=clock.now())
    rows = Notification.objects.filter(kind="clock")
    Notification.objects.exclude(kind="clock").delete()
    letters: list[Letter] = []
    send = Post.send

    def noted(post: Post, letter: Letter, meanwhile: Callable[[], None]):
        letters.append(letter)
        return send(post, letter, meanwhile)

    with monkeypatch.context() as patch:
        patch.setattr(Post, "send", noted)
        _send_all()
    again: dict[str, Any] = {"status": "pending", "sent_at": None, "content": None, "address": ""}
    again |= {"attempts": 0, "reports_known": 0, "smtp_reply": ""}
    found: dict[str, list[float]] = {"bare": []}
    for _ in range(ROUNDS + 1):
        for name, act in (
            ("sending", partial(_rung, worker)),
            ("sending alone", _send_all),
            ("sending alone, one command at a time", _send_one_by_one),
        ):
            rows.update(**again)
            _clean_up(postgres, committed_db)
            found.setdefault(name, []).append(_seconds(act))
            assert not rows.exclude(status="sent").exists()
            found["bare"].append(_seconds(lambda: _send_bare(letters)))
    # The first round warms the worker up.
    medians = {
        name: statistics.median(seconds[len(seconds) // (ROUNDS + 1) :])
        for name, seconds in found.items()
    }
    bare = medians.pop("bare")
    for name, seconds in medians.items():
        per_second = {"ours": round(len(letters) / seconds), "bare": round(len(letters) / bare)}
        ratio = round(bare / seconds, 2)
        keep(ratios={name: {"mails": len(letters), "per_second": per_second, "ratio": ratio}})
        print(name, per_second, ratio)


def test_planning_beside_the_bare_sql(committed_db, postgres):
    """Sweeps that find everything due, nothing, and a little, against the SQL that finds it.

    Where rows are due, also against SQL that finds and inserts them: what the database needs.
    """
    a_country()
    Heartbeat.objects.update_or_create(id=1, defaults={"overdue_told_on": london_date(NOW)})
    found = {}
    for name, now, every in (
        ("nothing to say yet", NOW - 5 * HOUR, 0),
        ("all due", NOW, 1),
        ("nothing due", NOW, 0),
        ("one in a hundred due", NOW, 100),
    ):
        due = 3 * MIGRATIONS // every if every else 0
        bare, writing, ours = [], [], []
        said = Notification.objects.filter(kind="clock")
        for _ in range(ROUNDS):
            if every:
                _forget_every(every)
            _clean_up(postgres, committed_db)
            bare.append(_seconds(partial(_count_due, due, now)))
            writing.append(_seconds(partial(insert, now)))
            Notification.objects.filter(dedupe_key__startswith="bare").delete()
            _clean_up(postgres, committed_db)
            before = said.count()
            ours.append(_seconds(partial(plan_due, now=now)))
            assert said.count() == before + due
        found[name] = _beside(due, *map(statistics.median, (ours, bare, writing)))
    keep(ratios={"planning": {"migrations": MIGRATIONS, **found}})


def test_planning_with_the_reminders_of_a_shipped_plan(committed_db, postgres, monkeypatch):
    """Sweeps with nothing new to say, against the SQL that finds what is due."""
    monkeypatch.setattr(gates, "blocking", lambda *_: [])  # nobody signs in this country
    a_country(shipped_plan("nhs-full-migration"))
    dates_for_all(postgres, committed_db)
    ours, bare = [], []
    plan_due(now=NOW)
    said = Notification.objects.count()
    assert said > 6 * MIGRATIONS
    for _ in range(ROUNDS):
        _clean_up(postgres, committed_db)
        bare.append(_seconds(partial(find, NOW)) + _seconds(partial(find_reminders, NOW)))
        ours.append(_seconds(partial(plan_due, now=NOW)))
    assert Notification.objects.count() == said
    found = _beside(0, statistics.median(ours), statistics.median(bare), 0)
    keep(ratios={"planning with a shipped plan": {"migrations": MIGRATIONS, **found}})


def _beside(due: int, ours: float, bare: float, writing: float) -> dict[str, float]:
    beside = {
        "rows": due,
        "seconds": round(ours, 3),
        "bare_seconds": round(bare, 3),
        "ratio": round(ours / bare, 1),
    }
    if not due:
        return beside
    return beside | {
        "bare_insert_seconds": round(writing, 3),
        "ratio_to_insert": round(ours / writing, 1),
    }


def _forget_every(number: int) -> None:
    some = list(ClockRun.objects.order_by("pk").values_list("pk", flat=True)[::number])
    Notification.objects.filter(clock_run__among=some).delete()


def _count_due(expected: int, now: datetime) -> None:
    assert find(now) == expected
